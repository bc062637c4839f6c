"""``parallel``: which combinations?"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, drawn, log_ticks
from fertune.report.reading import Axis, Score, axes_of, failed, ranked, score_of, where
from fertune.report.theme import HEX
from fertune.report.words import count, fitted, listed, number, plain, short, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import Trial, Value

T = TypeVar("T")
HEADING = "Parallel coordinates"
AXES, KEPT_AXES = 10, 8
LINES, BEST_LINES = 200, 20
OFF = -0.16
"""Where the 'off' tick lies below an axis that runs from 0 to 1."""


def best_tenth(order: Sequence[Trial]) -> list[Trial]:
    return list(order[: max(1, round(len(order) / 10))])


def position(axis: Axis, value: Value | None) -> float:
    """0 to 1 along the declared scale; ``OFF`` for a parameter that is not active."""
    if value is None:
        return OFF
    if axis.kind == "choice":
        place = [repr(v) for v in axis.values].index(repr(value))
        return place / (len(axis.values) - 1) if len(axis.values) > 1 else 0.5
    low, high, v = (math.log(x) if axis.log else float(x) for x in (axis.low, axis.high, float(value)))
    return min(1.0, max(0.0, (v - low) / (high - low))) if high > low else 0.5


def ticks(axis: Axis) -> list[tuple[float, str]]:
    """(position, label) of a few ticks on the declared scale."""
    if axis.kind == "choice":
        values = list(axis.values)
        if len(values) > 8:
            values = [values[0], values[len(values) // 2], values[-1]]
        return [(position(axis, v), short(plain(v), 9)) for v in values]
    if axis.log:
        inner = [v for v in log_ticks(axis.low, axis.high, 5) if 0.08 < position(axis, v) < 0.92]
        return [(0.0, plain(axis.low)), *((position(axis, v), plain(v)) for v in inner), (1.0, plain(axis.high))]
    if axis.whole:
        low, high = int(axis.low), int(axis.high)
        step = axis.step * max(1, math.ceil((high - low) / axis.step / 5))
        inner_ints = [v for v in range(low, high, step) if position(axis, v) < 0.9]
        return [(position(axis, v), plain(v)) for v in [*inner_ints, high]]
    values_f = [axis.low + (axis.high - axis.low) * i / 4 for i in range(5)]
    return [(i / 4, plain(float(f"{v:.3g}"))) for i, v in enumerate(values_f)]


def spaced(marks: Sequence[tuple[float, str]], px: float, *, words: bool) -> list[tuple[float, str]]:
    """Ticks beside each other on an axis of ``px`` a unit: close ones are left out, words cut to the room they have."""
    kept: list[tuple[float, str]] = []
    for p, text in marks:
        if not kept or p - kept[-1][0] > 0.13 or p == marks[-1][0]:
            kept.append((p, text))
    if not words or len(kept) < 2:
        return kept
    gap = px * min(b[0] - a[0] for a, b in pairwise(kept))
    return [(p, fitted(text, gap / (2 if len(kept) == 2 else 1.5) - 4)) for p, text in kept]


def common(best: Sequence[Trial], rest: Sequence[Trial], axes: Sequence[Axis]) -> list[str]:
    """What all of the best share and under half of the rest have: values of choices, narrow ranges of numbers."""
    out = []
    for axis in axes:
        mine = [position(axis, t.params.get(axis.name)) for t in best]
        others = [position(axis, t.params.get(axis.name)) for t in rest]
        low, high = min(mine), max(mine)
        if (axis.kind == "choice" or OFF in mine) and low != high:
            continue
        if axis.kind == "number" and high - low > 0.5:
            continue
        inside = sum(1 for p in others if low - 1e-9 <= p <= high + 1e-9)
        if not others or inside * 2 >= len(others):
            continue
        values = [t.params[axis.name] for t in best if axis.name in t.params]
        if not values:
            out.append(f"{short(axis.name, 30)} off")
        elif low == high:
            out.append(f"{short(axis.name, 30)} {plain(values[0])}")
        else:
            ends = sorted(values, key=lambda v: position(axis, v))
            out.append(f"{short(axis.name, 30)} {plain(ends[0])} to {plain(ends[-1])}")
    return out


@telling
def finding(order: Sequence[Trial], axes: Sequence[Axis]) -> str:
    best = best_tenth(order)
    shared = common(best, order[len(best) :], axes) if len(best) > 1 else []
    name = f"the best tenth ({count(len(best), 'trial')})"
    if len(best) == 1:
        t = best[0]
        values = [f"{short(a.name, 30)} {plain(t.params[a.name])}" for a in axes[:4] if a.name in t.params]
        name = plain(t.id)
        return f"The best trial, {name}, has {listed(values)}." if values else f"The best trial is {name}."
    if shared:
        return f"All of {name} have {listed(shared, most=4)}; most others do not."
    return f"No setting is shared by all of {name} and missing from most others: good trials are spread over the space."


def chosen_axes(axes: Sequence[Axis], order: Sequence[str] = ()) -> list[Axis]:
    """At most eight where there are over ten: the most important, else the first declared; in declared order."""
    if len(axes) <= AXES:
        return list(axes)
    rank = {name: i for i, name in enumerate(order)}
    kept = sorted(range(len(axes)), key=lambda i: (rank.get(axes[i].name, len(rank) + i), i))[:KEPT_AXES]
    return [axes[i] for i in sorted(kept)]


def chosen_lines(order: Sequence[T]) -> list[T]:
    """All, or the best 20 and 180 drawn at random with a fixed seed."""
    if len(order) <= LINES:
        return list(order)
    return [*order[:BEST_LINES], *random.Random(0).sample(list(order[BEST_LINES:]), LINES - BEST_LINES)]


def figure(order: Sequence[Trial], broken: Sequence[Trial], axes: Sequence[Axis], score: Score, width: int) -> Sheet:
    """Axes in declared order and the score last; on a phone the axes lie down and the lines run downwards."""
    narrow = width < 600
    columns = [*axes, None]
    some_off = any(a.name not in t.params for a in axes for t in [*order, *broken])
    base = OFF - 0.04 if some_off else 0.0
    sheet = Sheet(width, 10 + 74 * len(columns) if narrow else 366)
    ax = sheet.panel(20, 30, width - 40, 74 * len(columns) - 40) if narrow else sheet.panel(50, 60, width - 115, 290)
    ax.set_axis_off()
    values = [score.plot(t.value or 0.0) for t in order]
    low, high = min(values), max(values)
    placed = {t.id for t in order}

    def at(trial: Trial) -> list[float]:
        inside = [position(a, trial.params.get(a.name)) for a in axes]
        if trial.value is None or trial.id not in placed:
            return inside
        place = (score.plot(trial.value) - low) / (high - low) if high > low else 0.5
        return [*inside, place]

    def line(trial: Trial, **kwargs: object) -> None:
        along, across = list(range(len(at(trial)))), at(trial)
        xs, ys = (across, [-i for i in along]) if narrow else (along, across)
        # matplotlib names each keyword of a line, and has no type for all of them together
        artist = ax.plot(xs, ys, **kwargs)[0]  # type: ignore[arg-type]
        sheet.tip(artist, f"trial {trial.id}: {score.text(trial.value) if trial.id in placed else 'failed'}", trial.id)

    leading = {t.id for t in best_tenth(order)}
    lines = chosen_lines(order)
    for t in chosen_lines(broken):
        line(t, color=HEX["wrong"], linewidth=1.2, linestyle=(0, (4, 3)))
    for t in reversed([t for t in lines if t.id not in leading]):
        line(t, color=HEX["axis"], linewidth=1, alpha=0.55)
    for t in reversed([t for t in lines if t.id in leading]):
        line(t, color=HEX["single"], linewidth=2.2)
    for i, axis in enumerate(columns):
        ends = (base, 1.0)
        ax.plot(*((ends, (-i, -i)) if narrow else ((i, i), ends)), color=HEX["ink"], linewidth=1)
        name = score.name + (", %" if score.is_share else "") if axis is None else axis.name
        marks = (
            ticks(axis)
            if axis
            else [
                (p, number(low + p * (high - low), 1 if score.is_share else 3))
                for p in ((0, 0.5, 1) if high > low else (0.5,))
            ]
        )
        if axis is not None and any(axis.name not in t.params for t in [*order, *broken]):
            marks = [(OFF, "off"), *marks]
        if narrow:
            sheet.halo(ax.text(base, -i + 0.12, short(name, 34), color=HEX["ink"], fontweight="bold", va="bottom"))
            for p, text in spaced(
                marks, (width - 40) / (1.04 - base), words=axis is not None and axis.kind == "choice"
            ):
                sheet.halo(
                    ax.text(
                        p,
                        -i - 0.08,
                        text,
                        color=HEX["muted"],
                        ha="center" if 0.04 < p < 0.96 or p < 0 else "left" if p < 0.5 else "right",
                        va="top",
                        fontsize=12,
                    )
                )
        else:
            room = max(8, int(110 / max(4, len(columns)) * 1.15))
            up = 1.11 if i % 2 and len(columns) > 6 else 1.04
            ax.text(
                i,
                up,
                short(name, room * (2 if len(columns) > 6 else 1)),
                color=HEX["ink"],
                fontweight="bold",
                ha="center",
                va="bottom",
            )
            for p, text in marks:
                last = axis is None
                sheet.halo(
                    ax.text(
                        i + (0.06 if last else 0.05),
                        p,
                        text,
                        color=HEX["muted"],
                        va="center",
                        fontsize=11,
                    )
                )
    if narrow:
        ax.set_xlim(base - 0.02, 1.02)
        ax.set_ylim(-len(columns) + 0.7, 0.45)
    else:
        ax.set_ylim(base, 1.0)
        ax.set_xlim(0, len(columns) - 1)
    return sheet


def section(record: SearchRecord, importance: Sequence[str] = ()) -> Section:
    score, order = score_of(record), ranked(record.trials, record.objective)
    every = axes_of(record)
    if len(order) < 3 or not every:
        why = (
            f"{count(len(order), 'trial')} {verb(len(order), 'has', 'have')} a score; combinations show from three on."
            if len(order) < 3
            else "No parameter varies between the trials."
        )
        return empty(
            "parallel",
            HEADING,
            why.replace("0 trials have", "No trial has"),
            f"fertune search --out {where(record)} --resume --trials 30",
        )
    axes, broken = chosen_axes(every, importance), failed(record.trials)
    text = finding(order, axes)
    shown = drawn(
        lambda w: figure(order, broken, axes, score, w),
        id="parallel",
        title="Parameters and score of each trial",
        desc=text,
    )
    drawn_lines = chosen_lines(order)
    said = ["Each line is a trial, through its values to its score; dark blue: the best tenth."]
    if any(a.name not in t.params for a in axes for t in order):
        said.append("'off' means: not used in that trial.")
    if broken:
        said.append("Dashed: failed.")
    if len(axes) < len(every):
        said.append(f"{len(axes)} of {len(every)} parameters are drawn.")
    if len(drawn_lines) < len(order):
        said.append(f"The best {BEST_LINES} and {LINES - BEST_LINES} others at random, of {number(len(order))}.")
    rows = tuple(
        Row(
            (
                cell(str(t.id), t.id),
                *(cell(short(plain(t.params[a.name]), 20) if a.name in t.params else "off") for a in axes),
                cell(score.text(t.value), t.value),
            ),
            trial=t.id,
        )
        for t in drawn_lines[:LINES]
    )
    table = Table(
        (Column("trial", True), *(Column(short(a.name, 28)) for a in axes), Column(score.name, True)),
        rows,
        "The lines that are drawn, best first",
    )
    return Section("parallel", HEADING, text, "full", (shown,), " ".join(said), table, ("optimistic",))
