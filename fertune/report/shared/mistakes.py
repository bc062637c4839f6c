"""``mistakes``: where is it sure and wrong?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fertune.report.blocks import Column, Picture, Pictures, Row, Section, Table, cell, empty
from fertune.report.shared.gallery import answers_of
from fertune.report.shared.numbers import Predicted
from fertune.report.shared.pictures import Sheet, usable
from fertune.report.words import count, number, percent, short, telling

HEADING = "Most confident mistakes"
SHOWN = 24


@telling
def finding(said: Sequence[str], sure: Sequence[float], mistakes: int) -> str:
    """What the surest mistakes have in common.

    Args:
        said: Class that each shown mistake was taken for, the surest first.
        sure: Its probability, in the same order.
        mistakes: How many there are in all.
    """
    n = len(said)
    which = f"the {number(n)} most confident mistakes" if mistakes > n else f"its {count(n, 'mistake')}"
    if n == 1:
        lead = "The surest mistake" if mistakes > 1 else "Its only mistake"
        return f"{lead} says {said[0]} with a confidence of {percent(sure[0], 0)}; the label may be wrong."
    name, times = Counter(said).most_common(1)[0]
    floor = f"a confidence of {percent(min(sure), 0)} or more; some labels may be wrong"
    if times * 3 >= n and times > 1:
        return f"{number(times)} of {which} say {name}; all have {floor}."
    return f"No class is named in a third of {which}; all have {floor}."


def section(
    stored: Mapping[str, Any] | None, predicted: Predicted, names: Sequence[str], *, pictures: bool, command: str | None
) -> Section:
    """Args:
    stored: ``images``, ``labels``, ``row`` of the surest mistakes, the surest first.
    predicted: All labelled test rows and what the chosen stack said of them.
    """
    wrong = int((predicted.said != predicted.labels).sum())
    rows = count(len(predicted), "test picture")
    if not wrong:
        return Section("mistakes", HEADING, f"No mistake: all of {rows} were read right.")
    if not pictures:
        why = "Pictures were left out of this report (--no-pictures)."
        return empty("mistakes", HEADING, why, command, "brings them back")
    if stored is None or not usable(stored.get("images")):
        return empty("mistakes", HEADING, f"This run stored no pictures of its {count(wrong, 'mistake')}.", command)
    answers = answers_of({"row": predicted.rows, "proba": predicted.proba})
    kept = [i for i, r in enumerate(stored["row"][:SHOWN].tolist()) if int(r) in answers]
    if not kept:
        return empty("mistakes", HEADING, "No predictions for the stored pictures are stored.", command)
    kept.sort(key=lambda i: -answers[int(stored["row"][i])][1])
    sheet = Sheet("mistakes-sheet", np.asarray(stored["images"])[kept])
    shown, table, said, sure = [], [], [], []
    for place, i in enumerate(kept):
        row, label = int(stored["row"][i]), int(stored["labels"][i])
        guess, p = answers[row]
        true, called = (short(names[k], 14) if 0 <= k < len(names) else "no label" for k in (label, guess))
        told = f"{true}, read as {called} with a confidence of {percent(p, 0)}"
        shown.append(Picture(sheet.window(place, told, share=p), (true, called), False))
        cells = (cell(number(row), row), cell(true), cell(called), cell(percent(p), p))
        table.append(Row(cells))
        said.append(called)
        sure.append(p)
    columns = (Column("row", True), Column("true"), Column("predicted"), Column("confidence", True))
    how = (
        f"{count(len(shown), 'mistake')} of {number(wrong)} on {rows}, the most confident first. Label over predicted "
        "class; the bar under each picture is the confidence, its full width 100 %."
    )
    return Section(
        "mistakes",
        HEADING,
        finding(said, sure, wrong),
        "full",
        (Pictures(sheet.markup, (("", tuple(shown)),)),),
        how,
        Table(columns, tuple(table), "The pictures shown"),
    )
