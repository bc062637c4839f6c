"""``leaderboard``: what is worth keeping?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from markupsafe import Markup

from fertune.report.blocks import Cell, Column, Row, Section, State, Table, cell, empty
from fertune.report.reading import Axis, Score, axes_of, ranked, score_of, where
from fertune.report.words import count, duration, number, plain, short, telling, verb, width_of
from fertune.store.records import SearchRecord
from fertune.trial import Objective, Trial

HEADING = "Leaderboard"
MOST_ROWS = 1000
"""Of more trials the best are shown: a table of 10,000 would be most of the page, and of the time to write it."""
ROOM = 460.0
"""px that the columns before the parameters leave."""


def within_error(order: Sequence[Trial], score: Score) -> int | None:
    """How many others of the leader's budget, rows and pixels lie within one standard error; None where no error can
    be given."""
    if not order:
        return None
    lead = order[0]
    error = score.error(lead.value or 0.0)
    if error is None:
        return None
    like = [t for t in order[1:] if t.budget == lead.budget and t.measured_on == lead.measured_on]
    return sum(1 for t in like if abs((t.value or 0.0) - (lead.value or 0.0)) <= error)


@telling
def finding(order: Sequence[Trial], best: Trial, score: Score) -> str:
    """One or two sentences: who leads, and how much of the order is chance."""
    lead, first = order[0], f"trial {plain(order[0].id)}"
    if len(order) == 1:
        return f"T{first[1:]} is the only one with a score, {score.text(lead.value)}: nothing to compare it with."
    words = f"T{first[1:]} leads with {score.text(lead.value)}"
    if best.id != lead.id:
        words = (
            f"Trial {plain(best.id)} has the best score, {score.text(best.value)} after "
            f"{count(best.epochs, 'epoch')}; among those given {count(lead.budget, 'epoch')}, {first} leads with "
            f"{score.text(lead.value)}"
        )
    near = within_error(order, score)
    if near is None:
        return f"{words}; the rows behind a {score.name} are not stored, so no standard error can be given."
    error = score.error(lead.value or 0.0) or 0.0
    rows = f"{score.gap(error)}, the standard error of one score on {number(score.rows)} rows"
    if near == 0:
        return f"{words}; no other lies within {rows}."
    return (
        f"{words}; {count(near, 'other')} {verb(near, 'lies', 'lie')} within {rows}: "
        f"{'which of the two is better' if near == 1 else 'their order'} is mostly chance."
    )


def dot(value: float, low: float, high: float) -> Markup:
    """One dot on a scale that all rows share."""
    x = 4 + 72 * ((value - low) / (high - low) if high > low else 0.5)
    return Markup(
        '<svg class="dot" viewBox="0 0 80 12" aria-hidden="true"><path d="M4 6H76" style="stroke:var(--grid)"/>'
        f'<circle cx="{x:.1f}" cy="6" r="4" style="fill:var(--single)"/></svg>'
    )


def table(record: SearchRecord) -> Table:
    """Highest budget first, then score, then shorter time."""
    score, order, axes = score_of(record), ranked(record.trials, record.objective), axes_of(record)
    values = [t.value or 0.0 for t in order]
    low, high = min(values), max(values)
    near = within_error(order, score) or 0
    last = near if near and len(order) > near + 1 else -1
    pairs = enumerate(zip(order, order[1:], strict=False))
    ends = {i for i, (a, b) in pairs if (a.budget, a.measured_on) != (b.budget, b.measured_on)}
    less = any(t.measured_on for t in order)
    cut = any(t.epochs != t.budget for t in order)
    second, front = record.second_objective, record.pareto or []
    rows = []
    for rank, t in enumerate(order[:MOST_ROWS]):
        cells: list[Cell] = [
            cell(str(rank + 1), rank + 1),
            cell(f"{t.id}", t.id, strong=rank == 0),
            cell(score.bare(t.value), t.value, mark=dot(t.value or 0.0, low, high)),
            *([cell(t.measured_on or "all", t.measured_on)] if less else []),
            *_fold_cells(t, score),
            cell(f"{number(t.best_epoch)} / {number(t.epochs)}", t.epochs),
            *([cell(number(t.budget), t.budget)] if cut else []),
            cell(duration(t.seconds), t.seconds),
            cell(number(t.parameters), t.parameters),
            *_two_cells(t, second, front),
        ]
        for a in axes:
            value = t.params.get(a.name)
            sort = value if isinstance(value, (int, float, str)) or value is None else str(value)
            cells.append(cell("off" if a.name not in t.params else short(plain(value), 20), sort))
        rows.append(Row(tuple(cells), t.id, "rule" if rank == last else "part" if rank in ends else ""))
    unit = f"{score.name}, %" if score.is_share else score.name
    columns = [
        Column("rank", True),
        Column("trial", True),
        Column(unit, True),
        *([Column("trained on", False, 2, "part of the rows, or size of the pictures")] if less else []),
        *_fold_columns(score),
        Column("epochs", True, 2, "best epoch / trained epochs"),
        *([Column("budget", True, 2, "epochs it was given")] if cut else []),
        Column("time", True),
        Column("weights", True, 2, "parameters of the model"),
        *_two_columns(score, second),
        *(Column(short(a.name, 28), a.numeric, p) for a, p in zip(axes, _priorities(axes), strict=True)),
    ]
    some = f": the first {number(MOST_ROWS)} of {number(len(order))}" if len(order) > MOST_ROWS else ""
    return Table(tuple(columns), tuple(rows), f"Trials that have a score, best first{some}", sortable=True)


def _priorities(axes: Sequence[Axis]) -> list[int]:
    """2 for parameters that have room beside the rest on a desk, in declared order; 3 for those after them."""
    ends = accumulate(max(40.0, width_of(short(a.name, 28), 13)) + 10 for a in axes)
    return [2 if end <= ROOM else 3 for end in ends]


def _fold_columns(score: Score) -> list[Column]:
    if not score.folds:
        return []
    spread = Column("spread", True, 2, "standard deviation over folds")
    return [Column("folds", True, 2, "trained to their end"), spread]


def _fold_cells(trial: Trial, score: Score) -> list[Cell]:
    """Of a cross-validated trial: folds done of all, and how far they lie apart."""
    if not score.folds:
        return []
    spread, done = trial.spread, len(trial.fold_values)
    return [cell(f"{done} / {score.folds}", done), cell(score.bare(spread), spread)]


def _two_columns(score: Score, second: Objective | None) -> list[Column]:
    if second is None:
        return []
    chip = Column("Pareto", False, 2, f"no other trial beats it in both {score.name} and {second.name}")
    return [Column("latency, ms", True, 2, "milliseconds a picture"), chip] if second.name == "latency" else [chip]


def _two_cells(trial: Trial, second: Objective | None, front: Sequence[int]) -> list[Cell]:
    """Of two objectives: the latency, where it is the second, and whether no other trial beats this one in both."""
    if second is None:
        return []
    among = trial.id in front
    chip = [cell("yes" if among else "", int(among), strong=among)]
    if second.name != "latency":
        return chip
    value = trial.values.get("latency")
    return [cell("" if value is None else f"{value:.3g}", value), *chip]


def section(record: SearchRecord) -> Section:
    score, order = score_of(record), ranked(record.trials, record.objective)
    best = record.best
    if not order or best is None:
        why = "No trial has a score yet." if record.status == "running" else "No trial has a score."
        return empty("leaderboard", HEADING, why, f"fertune show {where(record)}")
    near = within_error(order, score)
    rule = " The line stands under the last trial within one standard error of the leader." if near else ""
    budgets = len({t.budget for t in order})
    parts = " Trials that were given more epochs stand first; scores of different budgets are not one list."
    how = (
        f"Each score is the {score.name} of the trial's best epoch on the {number(score.rows)} validation rows that "
        f"also chose that epoch, so it is optimistic.{parts if budgets > 1 else ''}{rule}"
    )
    if score.folds:
        how = (
            f"Each score is the mean {score.name} of the trial's folds, each on rows that its training did not watch; "
            f"trials with more folds stand first. The best of many is optimistic all the same.{rule} Weak trials were "
            "stopped after fewer folds, where they had more of the same rows wrong than the best trial."
        )
    state: State = "thin" if len(order) < 3 else "full"
    return Section(
        "leaderboard", HEADING, finding(order, best, score), state, (table(record),), how, chips=("optimistic",)
    )
