"""``pareto``: what does quality cost? Only in a search of two objectives."""

from __future__ import annotations

from collections.abc import Sequence

from fertune.report.blocks import Column, Row, Section, State, Table, cell, empty
from fertune.report.canvas import Sheet, drawn, fixed_ticks, log_ticks, nice, widened
from fertune.report.reading import Score, score_of, where
from fertune.report.theme import HEX
from fertune.report.words import SPACE, count, number, plain, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import Objective, Trial

HEADING = "Quality against cost"


def measured(record: SearchRecord) -> list[Trial]:
    """Trials that have both values, the cheapest first."""
    second = record.second_objective
    if second is None:
        return []
    names = (record.objective.name, second.name)
    return sorted(
        (t for t in record.trials if t.scored and all(n in t.values for n in names)),
        key=lambda t: (t.values[names[1]], t.id),
    )


def cost_text(value: float, second: Objective) -> str:
    """``12,345 weights``, ``0.82 ms a picture``."""
    if second.name == "parameters":
        return count(round(value), "weight")
    return f"{number(value, 2)}{SPACE}ms a picture" if second.name == "latency" else number(value, 3)


@telling
def finding(front: Sequence[Trial], n: int, score: Score, second: Objective) -> str:
    """How many no other trial beats in both, and the two ends of their line.

    Args:
        front: The cheapest first.
        n: How many trials have both values.
    """
    name = score.objective.name

    def told(t: Trial) -> str:
        return f"trial {plain(t.id)} ({score.text(t.values[name])}, {cost_text(t.values[second.name], second)})"

    if n == 1:
        return f"Only {told(front[0])} has both values: nothing to compare it with."
    if len(front) == 1:
        return (
            f"No other of {count(n, 'trial')} beats {told(front[0])} in either: it is both the best and the cheapest."
        )
    lead = f"{number(len(front))} of {count(n, 'trial')} {verb(len(front), 'is', 'are')} beaten by no other in both"
    return f"{lead}, from {told(front[0])} to {told(front[-1])}."


def figure(trials: Sequence[Trial], front: Sequence[Trial], score: Score, second: Objective, width: int) -> Sheet:
    """Score against cost on a logarithmic scale; the front filled and joined."""
    sheet = Sheet(width, 312)
    ax = sheet.panel(46, 30, width - 66 if width < 600 else 620, 236)
    sheet.text(46, 10, score.axis, color=HEX["muted"])
    name = score.objective.name
    xs = [max(t.values[second.name], 1e-9) for t in trials]
    ax.set_xscale("log")
    low, high = min(xs) / 1.2, max(xs) * 1.2
    steps = [(max(t.values[second.name], 1e-9), score.plot(t.values[name])) for t in front]
    ax.plot([x for x, _ in steps], [y for _, y in steps], color=HEX["single"], linewidth=1.4)
    chosen = {t.id for t in front}
    for t, x in zip(trials, xs, strict=True):
        on = t.id in chosen
        mark = ax.plot(
            [x],
            [score.plot(t.values[name])],
            "o",
            markersize=7 if on else 5,
            markerfacecolor=HEX["single"] if on else HEX["page"],
            markeredgecolor=HEX["single"] if on else HEX["axis"],
        )[0]
        sheet.tip(mark, f"trial {t.id}: {score.text(t.values[name])}, {cost_text(t.values[second.name], second)}", t.id)
    values = [score.plot(t.values[name]) for t in trials]
    ax.set_ylim(*widened(min(values), max(values), 1.0 if score.is_share else 0.01, 0.1))
    ax.set_xlim(low, high)
    ticks = log_ticks(low, high, 4)
    fixed_ticks(ax, "x", ticks, [plain(float(t)) if t < 1000 else number(t) for t in ticks])
    nice(ax, "y", ticks=5)
    ax.set_xlabel({"parameters": "weights of the model", "latency": "ms a picture"}.get(second.name, second.name))
    return sheet


def section(record: SearchRecord) -> Section:
    """Raises:
    ValueError: A search of one objective.
    """
    second = record.second_objective
    if second is None:
        raise ValueError("a search of one objective has no front")
    trials, score = measured(record), score_of(record)
    if not trials:
        why = "No trial has both values yet."
        return empty("pareto", HEADING, why, f"fertune search --out {where(record)} --resume")
    ids = set(record.pareto or ())
    front = [t for t in trials if t.id in ids]
    text = finding(front, len(trials), score, second)
    cost = {"parameters": "weights", "latency": "ms a picture"}.get(second.name, second.name)
    digits = 0 if second.name == "parameters" else 2
    name = score.objective.name
    table = Table(
        (Column("trial", True), Column(score.name, True), Column(cost, True), Column("beaten in both")),
        tuple(
            Row(
                (
                    cell(str(t.id), t.id),
                    cell(score.text(t.values[name]), t.values[name]),
                    cell(number(t.values[second.name], digits), t.values[second.name]),
                    cell("no" if t.id in ids else "yes"),
                ),
                trial=t.id,
            )
            for t in trials
        ),
        "Trials with both values, the cheapest first",
        sortable=True,
    )
    how = (
        f"Up and to the left is better. Filled and joined: trials that no other equals or beats in both. "
        f"{count(len(trials), 'trial')} on {number(score.rows)} validation rows that also chose them."
    )
    shown = drawn(
        lambda w: figure(trials, front, score, second, w), id="pareto", title=HEADING, desc=text, both=True, most=560
    )
    state: State = "full" if len(trials) > 2 else "thin"
    blocks = (shown,) if len(trials) > 1 else ()
    return Section("pareto", HEADING, text, state, blocks, how, table, chips=("optimistic",))
