"""``per-class``: which classes are read well, and whom does the stack help?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fertune.evaluation import ClassScores, precision_recall_f1
from fertune.report.blocks import Column, Row, Section, Table, cell
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, label_room, nice, widened
from fertune.report.shared.numbers import Interval, Predicted, confused, f1_intervals
from fertune.report.theme import HEX
from fertune.report.words import count, fitted, known, listed, number, percent, points, short, telling

HEADING = "Class by class"
FEW = 30


@dataclass(frozen=True)
class Classes:
    """All that is shown: names, rates of one or two models, intervals of F1 and of its difference."""

    names: tuple[str, ...]
    single: ClassScores
    single_ci: Interval
    stack: ClassScores | None = None
    stack_ci: Interval | None = None
    change_ci: Interval | None = None

    @property
    def order(self) -> list[int]:
        """Worst F1 of the single model first; classes without rows last."""
        f1 = self.single.f1
        return sorted(range(len(self.names)), key=lambda i: (not np.isfinite(f1[i]), f1[i], i))


def classes_of(names: Sequence[str], single: Predicted, stack: Predicted | None) -> Classes:
    k = len(names)
    a, b, change = f1_intervals(single, stack, k)
    return Classes(
        tuple(names),
        precision_recall_f1(confused(single, k)),
        a,
        precision_recall_f1(confused(stack, k)) if stack is not None else None,
        b,
        change,
    )


@telling
def finding(c: Classes) -> str:
    rows = c.single.support
    some = [i for i in c.order if rows[i]]
    if c.stack is None or c.change_ci is None:
        worst, best = some[0], some[-1]
        if worst == best:
            return f"Only {short(c.names[worst])} has rows; its F1 is {percent(c.single.f1[worst])}."
        few = f", on {count(int(rows[worst]), 'row')} only" if rows[worst] < FEW else ""
        return (
            f"{short(c.names[worst])} is read worst (F1 {percent(c.single.f1[worst])}{few}), "
            f"{short(c.names[best])} best (F1 {percent(c.single.f1[best])})."
        )
    change = c.stack.f1 - c.single.f1
    up = [short(c.names[i]) for i in some if c.change_ci.low[i] > 0]
    down = [short(c.names[i]) for i in some if c.change_ci.high[i] < 0]
    most = max(some, key=lambda i: abs(change[i]))
    if change[most] == 0:
        return f"F1 is the same for {'both classes' if len(some) == 2 else f'all {number(len(some))} classes'}."
    gain = "gains" if change[most] > 0 else "loses"
    words = (
        f"{short(c.names[most])} {gain} most ({points(change[most])} points "
        f"of F1 on {count(int(rows[most]), 'row')}: interval {points(c.change_ci.low[most])} to "
        f"{points(c.change_ci.high[most])})"
    )
    sides = [f"above 0 for {listed(up)}"] * bool(up) + [f"below 0 for {listed(down)}"] * bool(down)
    if not sides:
        return f"{words}; for no class does the interval leave 0 out."
    return f"{words}; the interval is {' and '.join(sides)}."


def f1_span(c: Classes) -> tuple[float, float]:
    """Percent; all intervals inside, at least 10 points wide, within 0 and 100."""
    ends = [
        100 * float(v) for ci in (c.single_ci, c.stack_ci) if ci is not None for v in (*ci.low, *ci.high) if known(v)
    ]
    ends += [100 * float(v) for s in (c.single, c.stack) if s is not None for v in s.f1 if known(v)]
    low, high = widened(min(ends, default=0.0), max(ends, default=100.0), 10.0)
    return max(-1.0, low), min(101.0, high)


def figure(c: Classes, width: int) -> Sheet:
    narrow = width < 600
    k, step = len(c.names), (52 if narrow else 34) if c.stack is not None else (48 if narrow else 28)
    left = 12 if narrow else label_room([short(n, 24) for n in c.names], 190)
    plot = width - 24 if narrow else 650 - left
    sheet = Sheet(width, 26 + step * k + 46)
    ax = sheet.panel(left, 22, plot, step * k)
    for place, i in enumerate(c.order):
        y: float = k - 1 - place
        n = int(c.single.support[i])
        pale = n < FEW
        told = f"{number(n)} {'row' if n == 1 else 'rows'}" + (", few" if pale > 0 and n else "")
        at = 22 + step * (place + 0.5)
        if narrow:
            sheet.text(left, at - 14, fitted(c.names[i], 200))
            sheet.text(width - 12, at - 14, told, ha="right", color=HEX["muted"])
            y -= 0.16
        else:
            sheet.text(left - 12, at, fitted(c.names[i], left - 14), ha="right")
        if not n:
            continue
        pairs = [(c.single, c.single_ci, "o", "single", 0.0)]
        if c.stack is not None and c.stack_ci is not None:
            pairs = [(c.single, c.single_ci, "o", "single", 0.13), (c.stack, c.stack_ci, "D", "meta", -0.13)]
        for scores, ci, shape, colour, shift in pairs:
            paint = HEX["axis"] if pale else HEX[colour]
            if known(ci.low[i]):
                ax.plot([100 * ci.low[i], 100 * ci.high[i]], [y + shift] * 2, color=paint, linewidth=1.4)
            mark = ax.plot(
                [100 * scores.f1[i]],
                [y + shift],
                shape,
                color=paint,
                markersize=8 if shape == "o" else 7,
                markerfacecolor=HEX["page"] if pale else paint,
            )[0]
            which = "best single" if shape == "o" and c.stack is not None else "stack" if shape == "D" else "F1"
            sheet.tip(
                mark, f"{c.names[i]}, {which}: {percent(scores.f1[i])} ({percent(ci.low[i])} to {percent(ci.high[i])})"
            )
    ax.set_ylim(-0.5, k - 0.5)
    ax.set_xlim(*f1_span(c))
    fixed_ticks(ax, "y", [], [])
    nice(ax, "x", ticks=5)
    ax.set_xlabel("F1, % with 95 % interval")
    bare(ax, "bottom")
    if not narrow:
        bars = sheet.panel(690, 22, 150, step * k)
        rows = [int(c.single.support[i]) for i in c.order]
        bars.barh([k - 1 - p for p in range(k)], rows, height=min(0.5, 14 / step), color=HEX["axis"])
        for p, n in enumerate(rows):
            sheet.text(690 + 150 * (n / max(1, *rows)) + 6, 22 + step * (p + 0.5), number(n), color=HEX["muted"])
        bars.set_xlim(0, max(1, *rows))
        bars.set_ylim(-0.5, k - 0.5)
        bars.set_xticks([])
        bars.set_yticks([])
        bare(bars, "left")
        bars.set_xlabel("rows")
    return sheet


def table(c: Classes) -> Table:
    def triple(s: ClassScores, i: int) -> list[str]:
        return [percent(s.precision[i]), percent(s.recall[i]), percent(s.f1[i])]

    rows = []
    for i in range(len(c.names)):
        cells = [
            cell(short(c.names[i], 40), c.names[i]),
            cell(number(int(c.single.support[i])), int(c.single.support[i])),
        ]
        both = [(c.single, c.single_ci)] + ([(c.stack, c.stack_ci)] if c.stack is not None and c.stack_ci else [])
        for scores, ci in both:
            values = (scores.precision[i], scores.recall[i], scores.f1[i])
            cells += [
                cell(t, float(v) if np.isfinite(v) else None) for t, v in zip(triple(scores, i), values, strict=True)
            ]
            cells.append(cell(f"{percent(ci.low[i])} to {percent(ci.high[i])}" if known(ci.low[i]) else "-"))
        rows.append(Row(tuple(cells)))
    heads = ["precision", "recall", "F1", "95 % interval"]
    if c.stack is not None:
        heads = [f"single {h}" for h in heads] + [f"stack {h}" for h in heads]
    columns = (Column("class"), Column("rows", True), *(Column(h, True) for h in heads))
    return Table(
        columns, tuple(rows), "Precision, recall and F1 of each class, in the order of the data", sortable=True
    )


def section(
    names: Sequence[str], single: Predicted, stack: Predicted | None, rows: str, chips: tuple[str, ...] = ()
) -> Section:
    c = classes_of(names, single, stack)
    text = finding(c)
    shown = drawn(lambda w: figure(c, w), id="per-class", title="F1 of each class", desc=text)
    marks = "Circle: best single model, diamond: the stack. " if stack is not None else ""
    few = (
        "; classes with under 30 rows are pale and hollow"
        if ((c.single.support > 0) & (c.single.support < FEW)).any()
        else ""
    )
    how = (
        f"{marks}Worst class of the {'single model' if stack is not None else 'model'} first; lines are 95 % bootstrap "
        f"intervals on {count(len(single), rows[:-1], rows)}{few}."
    )
    if stack is not None:
        how += " Overlap of the two lines decides nothing: the interval of the change is in the sentence."
    return Section("per-class", HEADING, text, "full", (shown,), how, table(c), chips)
