"""``gallery``: what does it look like?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.report.blocks import Column, Picture, Pictures, Row, Section, Table, cell, empty
from fertune.report.shared.numbers import Predicted
from fertune.report.shared.pictures import Sheet, usable
from fertune.report.words import count, number, percent, short, telling, verb

HEADING = "Gallery"
SHOWN = 25


@telling
def finding(right: int, shown: int, accuracy: float, rows: int, what: str) -> str:
    """How many of those shown are right, beside how many of all."""
    if shown == 0:
        every = count(rows, what[:-1], what)
        return f"None of the stored pictures has a prediction; of all {every} {percent(accuracy)} are right."
    lead = (
        f"{number(right)} of these {number(shown)} {verb(right, 'is', 'are')} right"
        if shown > 1
        else ("This one is right" if right else "This one is wrong")
    )
    return f"{lead}; of all {count(rows, what[:-1], what)} it is {percent(accuracy)}."


def _class(names: Sequence[str], k: int) -> str:
    return short(names[k], 14) if 0 <= k < len(names) else "no label"


def answers_of(
    arrays: Mapping[str, NDArray[np.generic]] | None, column: int | None = None
) -> dict[int, tuple[int, float]]:
    """Row id -> (class that was named, its probability), rows without a label too.

    Args:
        arrays: ``row`` and ``proba`` (n, classes), or (n, models, classes) with ``column`` naming one.
    """
    if arrays is None or not {"row", "proba"} <= set(arrays):
        return {}
    proba = np.asarray(arrays["proba"], dtype=np.float64)
    if column is not None:
        proba = proba[:, column]
    rows = np.asarray(arrays["row"]).tolist()
    return {int(r): (int(k), float(p)) for r, k, p in zip(rows, proba.argmax(axis=1), proba.max(axis=1), strict=True)}


def _one(
    sheet: Sheet, i: int, row: int, label: int, answer: tuple[int, float] | None, names: Sequence[str]
) -> tuple[Picture, Row | None]:
    true = _class(names, label)
    if answer is None:
        return Picture(sheet.window(i, f"{true}, no prediction stored"), (true,)), None
    guess = _class(names, answer[0])
    right = answer[0] == label if label >= 0 else None
    verdict = {True: "right", False: "wrong", None: "-"}[right]
    picture = Picture(sheet.window(i, f"{true}, read as {guess}: {verdict}"), (true, guess), right)
    cells = (cell(number(row), row), cell(true), cell(guess), cell(percent(answer[1], 0), answer[1]), cell(verdict))
    return picture, Row(cells)


def section(
    stored: Mapping[str, Any] | None,
    answers: Mapping[int, tuple[int, float]],
    predicted: Predicted | None,
    names: Sequence[str],
    what: str,
    *,
    pictures: bool,
    command: str | None,
    chips: tuple[str, ...] = (),
) -> Section:
    """Args:
    stored: ``images``, ``labels``, ``row`` of the pictures that the run kept.
    answers: See ``answers_of``.
    predicted: All labelled rows that the gallery was drawn from; None where there are none.
    what: Which rows, in the plural.
    """
    if not pictures:
        why = "Pictures were left out of this report (--no-pictures)."
        return empty("gallery", HEADING, why, command, "brings them back")
    if stored is None or not usable(stored.get("images")):
        return empty("gallery", HEADING, "This run stored no pictures.", command)
    rows, labels = stored["row"][:SHOWN].tolist(), stored["labels"][:SHOWN].tolist()
    sheet = Sheet("gallery-sheet", np.asarray(stored["images"][:SHOWN]))
    made = [
        _one(sheet, i, int(r), int(k), answers.get(int(r)), names)
        for i, (r, k) in enumerate(zip(rows, labels, strict=True))
    ]
    shown = tuple(picture for picture, _ in made)
    table = tuple(row for _, row in made if row is not None)
    judged = [p for p in shown if p.right is not None]
    drawn = f"{count(len(shown), 'picture')} drawn at random by the run's seed."
    if predicted is not None:
        text: str = finding(sum(1 for p in judged if p.right), len(judged), predicted.accuracy, len(predicted), what)
        how = f"{drawn} True class over predicted class; ✓ and a solid frame: right, ✗ and a dashed frame: wrong."
    elif table:
        text = "These pictures have no label, so no answer can be judged."
        how = f"{drawn} The second line is the predicted class."
    else:
        text = "No predictions for these pictures are stored."
        how = f"{drawn} Under each stands its class."
    columns = (Column("row", True), Column("true"), Column("predicted"), Column("confidence", True), Column("verdict"))
    numbers = Table(columns, table, "The pictures shown") if table else None
    blocks = (Pictures(sheet.markup, (("", shown),)),)
    return Section("gallery", HEADING, text, "full", blocks, how, numbers, chips)
