"""``members``: are they different enough?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, colours, drawn, label_room
from fertune.report.reading import resume_of
from fertune.report.shared.numbers import Floats, Ints
from fertune.report.theme import HEX, step
from fertune.report.words import fitted, number, percent, short
from fertune.store.records import StackRecord

HEADING = "Members beside each other"
MOST = 12


def disagreement(said: Ints) -> Floats:
    """Share of rows on which two members name different classes. said: (n, members) -> (members, members)."""
    members = said.shape[1]
    return np.array([[float((said[:, i] != said[:, j]).mean()) for j in range(members)] for i in range(members)])


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


def figure(d: Floats, names: Sequence[str], width: int) -> Sheet:
    """Lower triangle of disagreement, similar members together."""
    import seaborn

    n = len(d)
    labels = [fitted(name, 130) for name in names]
    left, below = label_room(labels[1:], 160), label_room(labels[:-1], 150)
    size = min((width - left - 10) / (n - 1), 56)
    sheet = Sheet(width, round(size * (n - 1) + below + 14))
    ax = sheet.panel(left, 6, size * (n - 1), size * (n - 1))
    lower = d[1:, :-1]
    mask = np.triu(np.ones_like(lower, dtype=bool), 1)
    least, peak = float(lower[~mask].min()), float(lower[~mask].max())
    least = max(0.0, 2 * least - peak) if peak > least else 0.0
    seaborn.heatmap(
        lower,
        ax=ax,
        mask=mask,
        cmap=colours("seq"),
        vmin=least,
        vmax=peak or 1.0,
        cbar=False,
        linewidths=1,
        linecolor=HEX["page"],
        xticklabels=False,
        yticklabels=False,
    )
    for i in range(n - 1):
        sheet.text(left - 8, 6 + size * (i + 0.5), labels[i + 1], ha="right")
        sheet.text(left + size * (i + 0.5), 14 + size * (n - 1), labels[i], ha="center", va="top", rotation=90)
        for j in range(i + 1):
            shade = step(float(lower[i, j]), least, peak or 1.0)
            ax.text(
                j + 0.5,
                i + 0.5,
                number(100 * float(lower[i, j])),
                ha="center",
                va="center",
                color=HEX[f"seq-{shade}-text"],
            )
    return sheet


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
    folds = np.asarray(oof["fold"])[keep]
    kinds = sorted(int(f) for f in np.unique(folds) if f >= 0)
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
        "Out-of-fold accuracy of each member, fold by fold",
        sortable=True,
    )
    if len(names) < 2 or len(names) > MOST:
        return Section("members", HEADING, text, "thin", (table,))
    d = disagreement(said)
    order = similar_first(d)
    d, ordered = d[np.ix_(order, order)], [names[i] for i in order]
    shown = drawn(lambda w: figure(d, ordered, w), id="members", title="Disagreement of members", desc=text)
    how = (
        f"Percent of {number(len(said))} out-of-fold rows on which two members name different classes; similar members "
        "stand together."
    )
    return Section("members", HEADING, text, "full", (shown, table), how)
