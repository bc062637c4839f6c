"""``confusion``: what is taken for what? One matrix for a search; single, stack and their difference for a stack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fertune.report.blocks import Block, Column, Figure, Grid, Row, Section, Table, cell
from fertune.report.canvas import Sheet, colours, drawn, label_room
from fertune.report.shared.numbers import Ints, Predicted, confused, largest_confusions, shares
from fertune.report.theme import HEX, step
from fertune.report.words import count, fitted, number, often, percent, short, signed, telling

HEADING = "Confusion"
TEXT_UP_TO = 15
DRAW_UP_TO = 60
FRAMED = 3


@telling
def finding(names: Sequence[str], single: Ints, stack: Ints | None = None, *, picked: str = "pictures") -> str:
    """The most frequent confusion, and what the stack does to it."""
    first = largest_confusions(single, 1)
    total = int(single.sum())
    if not first:
        return (
            f"All {count(total, picked[:-1], picked)} were read right."
            if total != 1
            else "The one picture was read right."
        )
    i, j, n = first[0]
    rows = int(single[i].sum())
    words = (
        f"{short(names[i])} is read as {short(names[j])} in {number(n)} of {count(rows, picked[:-1], picked)}, the "
        "most frequent confusion"
    )
    if stack is None:
        return f"{words}."
    now = int(stack[i, j])
    if now == n:
        return f"{words} of the best single model; the stack makes it as often."
    change = f"{number(n - now)} fewer" if now < n else f"{number(now - n)} more"
    return f"{words} of the best single model; the stack makes it {often(now)}, {change}."


def _matrix(counts: Ints, names: Sequence[str], other: Ints | None, width: int, top: str) -> Sheet:
    """Shares of each true row; colours scaled by the cells off the diagonal only, else the diagonal drowns them."""
    import seaborn

    k = len(names)
    labels = [fitted(n, 76) for n in names]
    named = k <= TEXT_UP_TO
    left = label_room(labels, 92) if named else 26
    size = min((width - left - 6) / k, 64)
    bottom = (28 if k <= 3 else label_room(labels, 92)) if named else 20
    sheet = Sheet(width, round(34 + size * k + bottom + 8))
    sheet.text(left, 10, top, fontweight="bold")
    ax = sheet.panel(left, 26, size * k, size * k)
    share = shares(counts)
    value = share if other is None else shares(other) - share
    off = ~np.eye(k, dtype=bool)
    outside = np.abs(value[off])
    peak = float(np.nanmax(outside)) if np.isfinite(outside).any() else 0.0
    if other is not None:
        inside = np.abs(value[np.isfinite(value)])
        peak = float(inside.max()) if len(inside) else 0.0
    peak = peak or 1.0
    low = 0.0 if other is None else -peak
    palette = "seq" if other is None else "div"
    seaborn.heatmap(
        value,
        ax=ax,
        cmap=colours(palette),
        vmin=low,
        vmax=peak,
        cbar=False,
        mask=~np.isfinite(value),
        linewidths=1 if named else 0,
        linecolor=HEX["page"],
        xticklabels=False,
        yticklabels=False,
    )
    framed = {(i, j) for i, j, _ in largest_confusions(counts, FRAMED)} if other is None else set()
    for i in range(k):
        if not counts[i].sum():
            ax.fill_between(
                [0, k], [i, i], [i + 1, i + 1], facecolor="none", edgecolor=HEX["axis"], hatch="////", linewidth=0
            )
            if named:
                ax.text(
                    k / 2, i + 0.5, " 0 rows ", ha="center", va="center", color=HEX["ink"], backgroundcolor=HEX["page"]
                )
            continue
        for j in range(k):
            if not named:
                continue
            shade = step(float(value[i, j]), low, peak)
            told = number(100 * float(value[i, j])) if other is None else signed(100 * float(value[i, j]), 0)
            text = ax.text(
                j + 0.5,
                i + 0.5,
                told,
                ha="center",
                va="center",
                color=HEX[f"{palette}-{shade}-text"],
                fontsize=12 if size > 25 else 11,
            )
            many = counts[i, j] if other is None else int(other[i, j] - counts[i, j])
            sheet.tip(
                text,
                f"{short(names[i])} read as {short(names[j])}: {number(int(many))} of {number(int(counts[i].sum()))}",
            )
    for i, j in framed:
        for shift, colour, wide in ((2 / size, "page", 1.5), (0, "ink", 2)):
            near, far = shift, 1 - shift
            xs, ys = [j + near, j + far, j + far, j + near, j + near], [i + near, i + near, i + far, i + far, i + near]
            ax.plot(xs, ys, color=HEX[colour], linewidth=wide, clip_on=False)
    for i, label in enumerate(labels if named else []):
        sheet.text(left - 7, 26 + size * (i + 0.5), label, ha="right", color=HEX["muted"])
        sheet.text(
            left + size * (i + 0.5),
            26 + size * k + 7,
            label,
            ha="center",
            va="top",
            rotation=0 if k <= 3 else 90,
            color=HEX["muted"],
        )
    if not named:
        sheet.text(left + size * k / 2, 26 + size * k + 12, "predicted", ha="center", color=HEX["muted"])
        sheet.text(14, 26 + size * k / 2, "true", ha="center", rotation=90, color=HEX["muted"])
    return sheet


def _figures(names: Sequence[str], single: Ints, stack: Ints | None, titles: Sequence[str], desc: str) -> Block:
    def one(id: str, counts: Ints, other: Ints | None, title: str, width: int, most: int) -> Figure:
        return drawn(
            lambda w: _matrix(counts, names, other, w, title),
            id=f"confusion-{id}",
            title=f"Confusion matrix: {title}",
            desc=desc,
            both=False,
            width=width,
            most=most,
        )

    if stack is None:
        return one("a", single, None, titles[0], 340, 420)
    return Grid(
        (
            one("a", single, None, titles[0], 300, 420),
            one("b", stack, None, titles[1], 300, 420),
            one("c", single, stack, titles[2], 300, 420),
        ),
        least=280,
    )


def _largest(names: Sequence[str], single: Ints, stack: Ints | None) -> Table:
    rows = []
    for i, j, n in largest_confusions(single, 15):
        cells = [
            cell(short(names[i], 40)),
            cell(short(names[j], 40)),
            cell(number(n), n),
            cell(percent(n / single[i].sum()), n / single[i].sum()),
        ]
        if stack is not None:
            cells.append(cell(number(int(stack[i, j])), int(stack[i, j])))
        rows.append(Row(tuple(cells)))
    columns = [Column("true"), Column("read as"), Column("count", True), Column("share of true", True)]
    if stack is not None:
        columns.append(Column("stack", True))
    return Table(tuple(columns), tuple(rows), "The most frequent confusions", open_rows=15)


def _numbers(names: Sequence[str], single: Ints, stack: Ints | None) -> Table:
    """All counts, true down and predicted across; single and stack where there are two."""
    rows = []
    for i, name in enumerate(names):
        cells = [cell(short(name, 40))]
        for j in range(len(names)):
            text = number(int(single[i, j])) if stack is None else f"{single[i, j]:,} / {stack[i, j]:,}"
            cells.append(cell(text, int(single[i, j])))
        cells.append(cell(number(int(single[i].sum()))))
        rows.append(Row(tuple(cells)))
    caption = "Counts, true down, predicted across" + ("" if stack is None else "; best single / stack")
    return Table(
        (Column("true"), *(Column(short(n, 16), True) for n in names), Column("rows", True)), tuple(rows), caption
    )


def section(
    names: Sequence[str],
    single: Predicted,
    stack: Predicted | None,
    titles: Sequence[str],
    rows: str,
    chips: tuple[str, ...] = (),
) -> Section:
    """Args:
    names: Of the classes, in the order of the data.
    single, stack: Predictions for the same rows.
    titles: Over the matrices: single, stack, difference.
    rows: Which rows these are, for people.
    """
    k = len(names)
    a = confused(single, k)
    b = confused(stack, k) if stack is not None else None
    text = finding(names, a, b, picked=rows)
    blocks: list[Block] = []
    if k <= DRAW_UP_TO:
        blocks.append(_figures(names, a, b, titles, text))
    if k > TEXT_UP_TO:
        blocks.append(_largest(names, a, b))
    empty_classes = [short(names[i]) for i in range(k) if not a[i].sum()]
    how = (
        f"True class down, predicted across, share of the true class in percent; "
        f"{count(len(single), rows[:-1], rows)}. "
        "Colour follows the cells off the diagonal."
    )
    framed = min(FRAMED, len(largest_confusions(a, FRAMED)))
    if framed:
        how += " Framed: the most frequent confusion." if framed == 1 else f" Framed: the {framed} most frequent."
    if k > TEXT_UP_TO:
        how = f"True class down, predicted across, in the order of the data; {count(len(single), rows[:-1], rows)}."
    if b is not None:
        how += " Difference in points: orange is more often with the stack, blue less often."
    if empty_classes:
        how += f" Hatched: {count(len(empty_classes), 'class', 'classes')} without rows."
    return Section(
        "confusion",
        HEADING,
        text,
        "full",
        tuple(blocks),
        how,
        _numbers(names, a, b) if k <= TEXT_UP_TO else None,
        chips,
    )
