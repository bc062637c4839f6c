"""``members``: are they different enough?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fertune.report.blocks import Column, Grid, Row, Section, Table, cell, empty
from fertune.report.canvas import drawn
from fertune.report.reading import resume_of
from fertune.report.shared.numbers import Floats, Ints
from fertune.report.stack.members_figure import fold_dots, triangle
from fertune.report.words import number, percent, short, telling
from fertune.store.records import StackRecord

HEADING = "Members beside each other"
MOST = 12


def disagreement(said: Ints) -> Floats:
    """Share of rows on which two members name different classes. said: (n, members) -> (members, members)."""
    members = said.shape[1]
    return np.array([[float((said[:, i] != said[:, j]).mean()) for j in range(members)] for i in range(members)])


def likeness(right: NDArray[np.bool_]) -> Floats:
    """Correlation of being right or wrong (phi), pair by pair; NaN where a member is always right or always wrong.

    right: (n, members) -> (members, members).
    """
    spread = right.astype(np.float64) - right.mean(axis=0)
    size = np.sqrt((spread**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        out: Floats = (spread.T @ spread) / np.outer(size, size)
    return out


def similar_first(d: Floats) -> list[int]:
    """An order in which each member stands beside the one most like the last; from the most alike pair."""
    n = len(d)
    if n < 3:
        return list(range(n))
    pairs = [(d[i, j], i, j) for i in range(n) for j in range(i)]
    _, j, i = min(pairs)
    order = [i, j]
    while len(order) < n:
        rest = [k for k in range(n) if k not in order]
        order.append(min(rest, key=lambda k: (d[order[-1], k], k)))
    return order


@telling
def finding(said: Ints, labels: Ints, names: Sequence[str]) -> str:
    right = said == labels[:, None]
    ceiling, n = float(right.any(axis=1).mean()), len(labels)
    if said.shape[1] == 1:
        return f"There is one member, {short(names[0])}: nothing to disagree with."
    d = disagreement(said)
    i, j = max(((i, j) for i in range(len(d)) for j in range(i)), key=lambda p: d[p])
    limit = f"is right on {percent(ceiling)} of {number(n)} rows: no choice between their answers can pass that."
    if len(d) == 2:
        return f"At least one of the two members {limit} They disagree on {percent(d[i, j])} of rows."
    pair = f"{short(names[j])} and {short(names[i])}"
    return f"At least one member {limit} {pair} differ most, on {percent(d[i, j])} of rows."


def section(record: StackRecord) -> Section:
    oof = record.arrays("oof")
    if oof is None or "proba" not in oof:
        return empty("members", HEADING, "No out-of-fold matrix is stored yet.", resume_of(record))
    names = [str(n) for n in oof["names"]]
    labels = np.asarray(oof["labels"], dtype=np.int64)
    keep = labels >= 0
    said = np.asarray(oof["proba"]).argmax(axis=2)[keep]
    text = finding(said, labels[keep], names)
    right = said == labels[keep][:, None]
    folds = np.asarray(oof.get("fold", np.full(len(labels), -1)))[keep]
    cut = sorted(int(f) for f in np.unique(folds) if f >= 0)
    kinds = cut if len(cut) > 1 else []
    rows = tuple(
        Row(
            (
                cell(short(name, 40), name),
                cell(percent(float(right[:, m].mean())), float(right[:, m].mean())),
                *(cell(percent(float(right[folds == f, m].mean())), float(right[folds == f, m].mean())) for f in kinds),
            )
        )
        for m, name in enumerate(names)
    )
    table = Table(
        (Column("member"), Column("all", True), *(Column(f"fold {f}", True, 2) for f in kinds)),
        rows,
        "Out-of-fold accuracy of each member" + (", fold by fold" if kinds else ""),
        sortable=True,
    )
    if len(names) < 2 or len(names) > MOST:
        return Section("members", HEADING, text, "thin", (table,))
    d = disagreement(said)
    order = similar_first(d)
    ordered = [names[i] for i in order]
    pairs = [
        drawn(
            # mypy infers no type for a lambda with defaults
            lambda w, v=values, t=title, s=share: triangle(v, ordered, t, s, w),  # type: ignore[misc]
            id=f"members-{id}",
            title=title,
            desc=text,
            both=False,
            width=320,
            most=420,
        )
        for id, title, share, values in (
            ("a", "different answers, % of rows", True, d[np.ix_(order, order)]),
            ("b", "correlation of being right", False, likeness(right)[np.ix_(order, order)]),
        )
    ]
    spread = {name: [float(right[folds == f, m].mean()) for f in kinds] for m, name in enumerate(names)}
    by_fold = drawn(lambda w: fold_dots(spread, w), id="members-f", title="Out-of-fold accuracy by fold", desc=text)
    how = (
        f"Pairs of members on {number(len(said))} out-of-fold rows, similar ones together: a stack gains where they "
        "answer differently and where one is right when the other is wrong (a low correlation)."
    )
    if kinds:
        how += (
            " Below, one ring a fold and a dot for their mean; folds that lie wide apart say how much one number can "
            "be trusted."
        )
    return Section("members", HEADING, text, "full", (Grid(tuple(pairs)), *([by_fold] if kinds else []), table), how)
