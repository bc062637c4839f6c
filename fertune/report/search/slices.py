"""``slices``: where is it good? One scatter a parameter, on its declared scale."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes

from fertune.report.blocks import Column, Figure, Grid, Row, Section, State, Table, cell, empty
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, nice, widened
from fertune.report.importance import at_one_budget
from fertune.report.reading import Axis, Score, axes_of, score_of, where
from fertune.report.search.parallel import position, ticks
from fertune.report.theme import HEX
from fertune.report.words import count, fitted, listed, number, plain, short, telling, verb, width_of
from fertune.store.records import SearchRecord
from fertune.trial import Trial, Value

HEADING = "Slices"
MOST = 6
ENOUGH = 10
"""Trials at one budget from which a best tenth is spoken of."""
MEDIAN_FROM, BINS_FROM = 30, 300
EDGE = 0.9
FEW_VALUES = 8
PANEL = 290
MOST_ROWS = 200
MOST_DOTS = 200

Pairs = Sequence[tuple[Trial, float]]


def best_first(pairs: Pairs, score: Score) -> list[tuple[Trial, float]]:
    """Trials of one budget with their score there, best first."""
    return sorted(pairs, key=lambda p: (score.objective.sort_key(p[1]), p[0].id))


def tenth(order: Pairs) -> Pairs:
    return order[: max(2, round(len(order) / 10))]


def edges(order: Pairs, axes: Sequence[Axis]) -> list[tuple[Axis, str, Value]]:
    """Where all of the best tenth sit at one end of a range that can be widened, and under half of the rest do.

    A range that begins at 0 cannot be widened there.
    """
    best = tenth(order)
    found: list[tuple[Axis, str, Value]] = []
    for axis in axes:
        if not axis.numeric or any(axis.name not in t.params for t, _ in best):
            continue
        rest = [position(axis, t.params[axis.name]) for t, _ in order[len(best) :] if axis.name in t.params]
        mine = [position(axis, t.params[axis.name]) for t, _ in best]
        low: Value = axis.values[0] if axis.kind == "choice" else int(axis.low) if axis.whole else axis.low
        high: Value = axis.values[-1] if axis.kind == "choice" else int(axis.high) if axis.whole else axis.high
        for side, end, inside in (
            ("upper", high, [p >= EDGE for p in mine]),
            ("lower", low, [p <= 1 - EDGE for p in mine]),
        ):
            there = [p >= EDGE if side == "upper" else p <= 1 - EDGE for p in rest]
            if all(inside) and rest and sum(there) * 2 < len(there) and not (side == "lower" and end == 0):
                found.append((axis, side, end))
    return found


@telling
def finding(order: Pairs, axes: Sequence[Axis], budget: int) -> str:
    """Whether the best sit at the end of a range."""
    n = len(order)
    if n < ENOUGH:
        at = count(budget, "epoch")
        return f"Only {count(n, 'trial')} at {at} {verb(n, 'has', 'have')} a score: too few to say where it is good."
    found = edges(order, axes)
    who = f"The best tenth ({number(len(tenth(order)))} of {number(n)} trials at {count(budget, 'epoch')})"
    if not found:
        return f"{who} sit at the end of no range: none needs to be widened."
    where_ = listed([f"the {side} end of {short(a.name, 40)} ({plain(end)})" for a, side, end in found[:4]])
    what = "that range" if len(found) == 1 else "these ranges"
    return f"{who} sit at {where_}: widen {what}."


def running_median(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """(x, median of the fifth of all points around it), by x."""
    ordered = sorted(points)
    size = max(7, len(ordered) // 5)
    xs, ys = [], []
    for i in range(len(ordered) - size + 1):
        part = ordered[i : i + size]
        xs.append(statistics.median(x for x, _ in part))
        ys.append(statistics.median(y for _, y in part))
    return xs, ys


def in_bins(points: Sequence[tuple[float, float]], bins: int = 12) -> list[tuple[float, float, float, float]]:
    """(x, 10 % quantile, median, 90 % quantile) of equal parts of the axis that hold five points or more."""
    out = []
    for b in range(bins):
        inside = [(x, y) for x, y in points if b <= x * bins < b + 1 or (b == bins - 1 and x >= 1)]
        if len(inside) >= 5:
            ys = sorted(y for _, y in inside)
            x = statistics.median(x for x, _ in inside)
            last = len(ys) - 1
            out.append((x, ys[round(0.1 * last)], statistics.median(ys), ys[round(0.9 * last)]))
    return out


def _labels(axis: Axis) -> tuple[list[float], list[str]]:
    """Ticks without those that would touch the one before."""
    kept: list[tuple[float, str]] = []
    every = ticks(axis)
    for at, text in [*every[:1], *every[:0:-1]]:
        apart = [abs(at - p) * (PANEL - 70) - (width_of(text, 12) + width_of(t, 12)) / 2 for p, t in kept]
        if all(room > 4 for room in apart):
            kept.append((at, text))
    return [p for p, _ in kept], [t for _, t in kept]


def _medians(ax: Axes, points: Sequence[tuple[float, float]]) -> None:
    """A running median, or a short line for each of a few values."""
    values = {x for x, _ in points}
    if len(values) > FEW_VALUES:
        ax.plot(*running_median(points), color=HEX["ink"], linewidth=1.2)
        return
    for x in values:
        middle = statistics.median(y for at, y in points if at == x)
        ax.plot([x - 0.05, x + 0.05], [middle, middle], color=HEX["ink"], linewidth=1.2)


def figure(order: Pairs, axis: Axis, score: Score, span: tuple[float, float]) -> Sheet:
    """Score against one parameter; the best tenth filled, inactive trials left out."""
    sheet = Sheet(PANEL, 214)
    sheet.text(4, 10, fitted(axis.name, 200), fontweight="bold")
    ax = sheet.panel(42, 28, PANEL - 66, 150)
    best = {t.id for t, _ in tenth(order)[:MOST_DOTS]} if len(order) >= ENOUGH else {order[0][0].id}
    active = [(t, position(axis, t.params[axis.name]), score.plot(v)) for t, v in order if axis.name in t.params]
    if len(active) < len(order):
        sheet.text(PANEL - 4, 10, f"active in {len(active)}", ha="right", color=HEX["muted"], fontsize=11)
    points = [(x, y) for _, x, y in active]
    if len(order) > BINS_FROM:
        for x, low, middle, high in in_bins(points):
            ax.plot([x, x], [low, high], color=HEX["axis"], linewidth=4, alpha=0.5)
            ax.plot([x], [middle], "o", color=HEX["ink"], markersize=4)
    else:
        others = [(x, y) for t, x, y in active if t.id not in best]
        xs, ys = [x for x, _ in others], [y for _, y in others]
        ax.plot(xs, ys, "o", markerfacecolor=HEX["page"], markeredgecolor=HEX["axis"], markersize=5)
        if len(active) >= MEDIAN_FROM:
            _medians(ax, points)
    for t, x, y in active:
        if t.id in best:
            mark = ax.plot([x], [y], "o", color=HEX["single"], markersize=6)[0]
            sheet.tip(mark, f"trial {t.id}: {number(y, 1 if score.is_share else 3)}", t.id)
    ax.set_xlim(-0.05, 1.05)
    ax.set_ylim(*span)
    fixed_ticks(ax, "x", *_labels(axis))
    nice(ax, "y", ticks=4)
    bare(ax, "bottom")
    return sheet


def chosen(axes: Sequence[Axis], importance: Sequence[str]) -> list[Axis]:
    """At most six: the most important where that is known, else the first declared; in declared order."""
    rank = {name: i for i, name in enumerate(importance)}
    kept = sorted(range(len(axes)), key=lambda i: (rank.get(axes[i].name, len(rank) + i), i))[:MOST]
    return [axes[i] for i in sorted(kept)]


def section(record: SearchRecord, importance: Sequence[str] = ()) -> Section:
    """Args:
    importance: Parameters, the most important first; empty where that is not known.
    """
    score = score_of(record)
    budget, pairs = at_one_budget(record.trials)
    every = axes_of(record)
    order = best_first(pairs, score)
    if len(order) < 3 or not every:
        n = len(order)
        have = f"{count(n, 'trial')} at one budget {verb(n, 'has', 'have')} a score" if n else "No trial has a score"
        why = f"{have}; slices are drawn from three on." if n < 3 else "No parameter varies between the trials."
        return empty("slices", HEADING, why, f"fertune search --out {where(record)} --resume --trials 30")
    axes = chosen(every, importance)
    text = finding(order, axes, budget)
    values = [score.plot(v) for _, v in order]
    span = widened(min(values), max(values), 1.0 if score.is_share else 0.01, 0.08)
    figures: list[Figure] = [
        drawn(
            # mypy infers no type for a lambda with defaults
            lambda _, a=axis: figure(order, a, score, span),  # type: ignore[misc]
            id=f"slices-{i}",
            title=f"Score against {axis.name}",
            desc=text,
            both=False,
            width=PANEL,
            most=420,
        )
        for i, axis in enumerate(axes)
    ]
    best = number(min(len(tenth(order)), MOST_DOTS)) if len(order) >= ENOUGH else "one"
    how = (
        f"{score.axis[0].upper()}{score.axis[1:]}, upwards, of {count(len(order), 'trial')} at "
        f"{count(budget, 'epoch')}, optimistic. Filled: the best {best}; each parameter on its "
        "declared scale, trials that do not use it left out."
    )
    if len(order) > BINS_FROM:
        how += " Grey bars: 10 to 90 % of the trials in each part of the range, dark dots their median."
    elif len(order) >= MEDIAN_FROM:
        how += " Lines: median of the trials around, or of those with that value."
    if len(axes) < len(every):
        how += f" {len(axes)} of {len(every)} parameters are drawn, the most important ones."
    told = f", the best {MOST_ROWS} of {number(len(order))}" if len(order) > MOST_ROWS else ""
    table = Table(
        (Column("trial", True), *(Column(short(a.name, 28), a.numeric) for a in axes), Column(score.name, True)),
        tuple(
            Row(
                (
                    cell(str(t.id), t.id),
                    *(
                        cell(short(plain(t.params[a.name]), 20), _sort(t.params[a.name]))
                        if a.name in t.params
                        else cell("off")
                        for a in axes
                    ),
                    cell(score.text(v), v),
                ),
                trial=t.id,
            )
            for t, v in order[:MOST_ROWS]
        ),
        f"Scores at {count(budget, 'epoch')}, best first{told}",
    )
    state: State = "full" if len(order) >= ENOUGH else "thin"
    return Section("slices", HEADING, text, state, (Grid(tuple(figures)),), how, table, chips=("optimistic",))


def _sort(value: Value) -> float | str:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
