"""``brightness``: are there pictures that cannot be seen, and do the splits look alike?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.report.blocks import Block, Column, Picture, Pictures, Row, Section, Table, cell
from fertune.report.canvas import Sheet as Drawing
from fertune.report.canvas import bare, drawn, nice
from fertune.report.shared.pictures import Sheet
from fertune.report.theme import HEX
from fertune.report.words import count, listed, number, percent, telling, verb

HEADING = "Brightness"
APART = 0.25
"""Standard deviations between the means of two splits that are worth a word."""


@telling
def finding(document: Mapping[str, Any]) -> str:
    found, flat = document["brightness"], document["flat"]["splits"]
    whole = found["all"]
    text = f"The mean pixel is {number(whole['mean'])} of 255"
    splits = {s: one["mean"] for s, one in found["splits"].items()}
    low, high = min(splits, key=splits.__getitem__), max(splits, key=splits.__getitem__)
    if whole["std"] and (splits[high] - splits[low]) / whole["std"] > APART:
        text += f", and {high} is brighter ({number(splits[high])}) than {low} ({number(splits[low])})"
    elif len(splits) > 1:
        text += ", and the splits are about as bright"
    total = sum(flat.values())
    if total:
        where = listed([f"{number(n)} in {s}" for s, n in flat.items() if n])
        text += f"; {count(total, 'picture')} {verb(total, 'is', 'are')} of one flat colour: {where}"
    return f"{text}."


def figure(shares: list[float], width: int) -> Drawing:
    """Share of all pixels by gray value, black to the left."""
    sheet = Drawing(width, 200)
    left, room = 46, width - 66
    ax = sheet.panel(left, 24, room, 130)
    edges = np.linspace(0, 256, len(shares) + 1)
    ax.bar(edges[:-1], [100 * s for s in shares], width=np.diff(edges) * 0.9, align="edge", color=HEX["single"])
    ax.set_xlim(0, 256)
    ax.set_xticks([0, 64, 128, 192, 255])
    nice(ax, "y", ticks=3, suffix=" %")
    bare(ax, "bottom")
    sheet.text(left, 10, "share of all pixels", color=HEX["muted"])
    sheet.text(left + room, 190, "pixel value: 0 is black, 255 is white", color=HEX["muted"], ha="right")
    return sheet


def _row(name: str, one: Mapping[str, Any]) -> Row:
    numbers = [one["mean"], one["std"], *(one["picture_means"][i] for i in (0, 1, 3, 5, 6)), one["picture_stds"][3]]
    return Row((cell(name), *(cell(number(n, 1), n) for n in numbers)))


def _pictures(strange: Mapping[str, NDArray[np.uint8]]) -> Pictures:
    sheet = Sheet("strange-sheet", np.concatenate(list(strange.values())))
    words = {"darkest": "darkest", "brightest": "brightest", "palest": "least contrast"}
    groups, at = [], 0
    for kind, images in strange.items():
        shown = tuple(Picture(sheet.window(at + i, f"{words[kind]} picture {i + 1}"), ()) for i in range(len(images)))
        groups.append((words[kind], shown))
        at += len(images)
    return Pictures(sheet.markup, tuple(groups))


def section(document: Mapping[str, Any], strange: Mapping[str, NDArray[np.uint8]]) -> Section:
    """Args:
    document: Of ``fertune.data.survey``.
    strange: Pictures of ``extremes``, by their kind; empty for none.
    """
    found = document["brightness"]
    text = finding(document)
    blocks: list[Block] = [
        drawn(lambda w: figure(found["histogram"], w), id="brightness", title="Pixels by gray value", desc=text)
    ]
    if strange:
        blocks.append(_pictures(strange))
    columns = [Column("pictures"), Column("mean", True), Column("std", True)]
    columns += [Column(f"{name} picture mean", True, 2) for name in ("darkest", "5 %", "median", "95 %", "brightest")]
    columns.append(Column("median contrast", True, 2))
    rows = [_row("all", found["all"]), *(_row(split, one) for split, one in found["splits"].items())]
    blocks.append(Table(tuple(columns), tuple(rows), "Brightness of the pixels, 0 to 255"))
    names = [n for n, mean in zip(document["classes"], found["classes"], strict=True) if mean is not None]
    means = [mean for mean in found["classes"] if mean is not None]
    how = f"Of all {number(document['rows'])} pictures; contrast is the standard deviation inside a picture."
    if means:
        dark, bright = names[means.index(min(means))], names[means.index(max(means))]
        how += f" The class means go from {number(min(means))} ({dark}) to {number(max(means))} ({bright})."
    peak = max(range(len(found["histogram"])), key=found["histogram"].__getitem__)
    share = percent(found["histogram"][peak])
    how += f" The most frequent values are {peak * 16} to {peak * 16 + 15}: {share} of pixels."
    return Section("brightness", HEADING, text, "full", tuple(blocks), how)
