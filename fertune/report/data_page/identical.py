"""``identical``: which pictures are there more than once, and on both sides of a split?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.report.blocks import Block, Column, Picture, Pictures, Row, Section, Table, cell
from fertune.report.shared.pictures import Sheet
from fertune.report.words import count, number, percent, short, telling, verb

HEADING = "Identical pictures"


@telling
def finding(document: Mapping[str, Any]) -> str:
    same = document["identical"]
    if not same["extra"]:
        return "Every picture is there once, mirror images included."
    text = f"{count(same['extra'], 'picture repeats', 'pictures repeat')} an earlier one"
    test = sum(document["counts"]["test"])
    if same["test_in_known"] and test:
        known = same["test_in_known"]
        text += f"; {number(known)} of {number(test)} test pictures ({percent(known / test)}) "
        text += f"{verb(known, 'is', 'are')} also among train and validation"
    if same["disagreeing_rows"]:
        text += f"; {number(same['disagreeing_rows'])} carry a label that a copy of theirs contradicts"
    return f"{text}."


def _across(document: Mapping[str, Any]) -> Table:
    """Rows of one split whose picture also stands in another."""
    also, same = document["identical"]["also_in"], document["identical"]
    splits = list(also)
    sizes = {s: sum(document["counts"].get(s, ())) or document["unlabelled"] for s in splits}
    rows = tuple(
        Row((cell(s), cell(number(sizes[s])), *(cell("" if o == s else number(also[s][o])) for o in splits)))
        for s in splits
    )
    caption = f"Pictures that also stand in another split; {count(same['train_extra'], 'copy', 'copies')} inside train"
    return Table((Column("of"), Column("pictures", True), *(Column(f"in {s}", True) for s in splits)), rows, caption)


def _words(cluster: Mapping[str, Any]) -> str:
    return ", ".join(f"{n} {short(name, 14)}" for name, n in cluster["classes"].items()) or "no label"


def section(document: Mapping[str, Any], first: NDArray[np.uint8] | None) -> Section:
    """Args:
    document: Of ``fertune.data.survey``.
    first: One picture of each of the largest clusters; None for no pictures.
    """
    same = document["identical"]
    text, clusters = finding(document), same["clusters"]
    if not same["extra"]:
        return Section("identical", HEADING, text, "thin")
    blocks: list[Block] = [_across(document)] if len(same["also_in"]) > 1 else []
    if first is not None:
        sheet = Sheet("identical-sheet", first)
        shown = tuple(
            Picture(sheet.window(i, f"{c['size']} times: {_words(c)}"), (f"{c['size']} times", _words(c)))
            for i, c in enumerate(clusters)
        )
        blocks.append(Pictures(sheet.markup, (("", shown),)))
    rows = tuple(
        Row((
            cell(number(c["size"]), c["size"]),
            cell(", ".join(f"{n} {split}" for split, n in c["splits"].items())),
            cell(_words(c)),
            cell(", ".join(str(row) for row in c["rows"][:8]) + (", …" if c["size"] > 8 else "")),
        ))
        for c in clusters
    )  # fmt: skip
    how = (
        f"Identical by their bytes ({number(same['extra_by_bytes'])}) or as exact mirror images "
        f"({number(same['extra_by_mirror'])}). Folds never part them; a test score is told with and without them. "
        f"Shown are the {number(len(clusters))} largest clusters."
    )
    columns = (Column("times", True), Column("splits"), Column("labels"), Column("rows", priority=2))
    table = Table(columns, rows, "The largest clusters of identical pictures")
    return Section("identical", HEADING, text, "full", tuple(blocks), how, table)
