"""``data``: what was it fed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fertune.report.blocks import Block, Column, Picture, Pictures, Row, Section, Table, Text, cell, empty
from fertune.report.canvas import Sheet as Drawing
from fertune.report.canvas import bare, drawn, label_room
from fertune.report.shared.pictures import Sheet, usable
from fertune.report.theme import HEX
from fertune.report.words import count, fitted, line, listed, number, percent, short, telling, verb, without_paths

HEADING = "Data"
SPLITS = ("train", "validation", "test")
DRAW_UP_TO = 20
EACH = 8


@telling
def finding(names: Sequence[str], counts: Mapping[str, Sequence[int]], twins: Mapping[str, int]) -> str:
    """The rarest class, and twins between the splits."""
    train = list(counts.get("train", ()))
    if not train or not sum(train):
        return "Counts of the training rows are not recorded."
    missing = [short(n) for n, c in zip(names, train, strict=False) if not c]
    some = [(c, i) for i, c in enumerate(train) if c]
    c, i = min(some)
    if missing:
        words = f"{listed(missing)} {verb(len(missing), 'has', 'have')} no training rows"
    elif max(train) <= 1.2 * c:
        span = f"{number(c)} to {number(max(train))} training rows"
        words = f"All {number(len(train))} classes are about as frequent: {span}"
    else:
        words = f"{short(names[i])} has {number(c)} of {number(sum(train))} training rows ({percent(c / sum(train))})"
    test = int(twins.get("test_in_train", 0) or 0)
    if test:
        words += f"; {count(test, 'test row')} {verb(test, 'has a copy', 'have copies')} among the training rows"
    return f"{words}."


def figure(names: Sequence[str], counts: Mapping[str, Sequence[int]], width: int) -> Drawing:
    """Bars from zero, one panel a split; classes in the order of the data."""
    import seaborn

    narrow = width < 600
    splits = [s for s in SPLITS if sum(counts.get(s, ()))]
    k, step = len(names), 22
    left = label_room([short(n, 14) for n in names], 130)
    tall = 30 + step * k
    sheet = Drawing(width, (tall + 14) * len(splits) if narrow else tall + 10)
    room = width - left - 60 if narrow else (width - left) / len(splits) - 70
    for p, split in enumerate(splits):
        x, y = (left, p * (tall + 14)) if narrow else (left + p * (room + 70), 0)
        values = list(counts[split])
        sheet.text(x, y + 10, f"{split}, {number(sum(values))} rows", fontweight="bold")
        ax = sheet.panel(x, y + 26, room, step * k)
        seaborn.barplot(
            x=values,
            y=[str(i) for i in range(k)],
            ax=ax,
            color=HEX["single"],
            saturation=1,
            errorbar=None,
            width=0.62,
            orient="h",
        )
        ax.set_xlim(0, max(1, *values))
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
        bare(ax, "left")
        for i, v in enumerate(values):
            sheet.text(x + room * v / max(1, *values) + 6, y + 26 + step * (i + 0.5), number(v), color=HEX["muted"])
            if narrow or p == 0:
                sheet.text(left - 8, y + 26 + step * (i + 0.5), fitted(names[i], left - 12), ha="right")
    return sheet


def _samples(stored: Mapping[str, Any], names: Sequence[str]) -> Pictures:
    labels = np.asarray(stored["labels"])
    picked = [i for k in range(len(names)) for i in np.flatnonzero(labels == k)[:EACH]]
    sheet = Sheet("data-sheet", np.asarray(stored["images"])[picked])
    groups, at = [], 0
    for k, name in enumerate(names):
        n = min(EACH, int((labels == k).sum()))
        if n:
            shown = tuple(
                Picture(sheet.window(at + j, f"training picture of {short(name)}"), ())
                for j in range(n)
                if at + j < 160
            )
            groups.append((short(name, 40), shown))
        at += n
    return Pictures(sheet.markup, tuple(groups))


def section(info: Mapping[str, Any], samples: Mapping[str, Any] | None, *, pictures: bool) -> Section:
    data = info.get("data", {})
    names = [str(n) for n in data.get("classes", ())]
    counts = {s: [int(c) for c in data.get("counts", {}).get(s, ())] for s in SPLITS}
    if not names:
        return empty("data", HEADING, "This run recorded nothing about its data.")
    twins = {k: int(v or 0) for k, v in (data.get("twins") or {}).items()}
    text = finding(names, counts, twins)
    blocks: list[Block] = []
    splits = [s for s in SPLITS if sum(counts[s])]
    if len(names) <= DRAW_UP_TO and splits:
        blocks.append(
            drawn(lambda w: figure(names, counts, w), id="data", title="Rows of each class and split", desc=text)
        )
    if pictures and samples is not None and usable(samples.get("images")) and len(names) <= DRAW_UP_TO:
        blocks.append(_samples(samples, names))
    table = Table(
        (Column("class"), *(Column(s, True) for s in SPLITS)),
        tuple(
            Row(
                (
                    cell(short(n, 40), n),
                    *(
                        cell(
                            number(counts[s][i]) if i < len(counts[s]) else "-",
                            counts[s][i] if i < len(counts[s]) else None,
                        )
                        for s in SPLITS
                    ),
                )
            )
            for i, n in enumerate(names)
        ),
        "Rows of each class and split",
        sortable=len(names) > DRAW_UP_TO,
    )
    if len(names) > DRAW_UP_TO:
        blocks.append(table)
    notes = [without_paths(line(n)) for n in data.get("notes", ()) or ()]
    if notes:
        blocks.append(Text(tuple(f"{n[0].upper()}{n[1:]}." if n else n for n in notes)))
    shape = data.get("shape") or []
    facts = [
        f"{'×'.join(str(int(s)) for s in shape)} pictures" if shape else "",
        f"{count(twins.get('train_extra', 0), 'extra copy', 'extra copies')} inside the training rows",
        f"{number(twins.get('validation_in_train', 0))} validation and "
        f"{number(twins.get('test_in_train', 0))} test rows also stand in training",
        *(
            count(int(data[key]), one, many)
            for key, one, many in (
                ("flat", "picture of one flat colour", "pictures of one flat colour"),
                ("unlabelled", "row without label", "rows without label"),
            )
            if data.get(key)
        ),
    ]
    how = "Copies are pictures with the same bytes, or exact mirror images. " + "; ".join(f for f in facts if f) + "."
    return Section("data", HEADING, text, "full", tuple(blocks), how, table if len(names) <= DRAW_UP_TO else None)
