"""``leaderboard``: what is worth keeping?"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from fertune.report.blocks import Cell, Column, Row, Section, State, Table, cell, empty
from fertune.report.reading import Score, axes_of, ranked, score_of, where
from fertune.report.words import count, duration, number, plain, short, verb
from fertune.store.records import SearchRecord
from fertune.trial import Trial

HEADING = "Leaderboard"


def within_error(order: Sequence[Trial], score: Score) -> int | None:
    """How many others of the leader's budget lie within one standard error; None where no error can be given."""
    if not order:
        return None
    lead = order[0]
    error = score.error(lead.value or 0.0)
    if error is None:
        return None
    return sum(1 for t in order[1:] if t.budget == lead.budget and abs((t.value or 0.0) - (lead.value or 0.0)) <= error)


def finding(order: Sequence[Trial], best: Trial, score: Score) -> str:
    """One or two sentences: who leads, and how much of the order is chance."""
    lead = order[0]
    if len(order) == 1:
        return f"Trial {lead.id} is the only one with a score, {score.text(lead.value)}: nothing to compare it with."
    words = f"Trial {lead.id} leads with {score.text(lead.value)}"
    if best.id != lead.id:
        words = (
            f"Trial {best.id} has the best score, {score.text(best.value)} after {count(best.epochs, 'epoch')}; among "
            f"those given {count(lead.budget, 'epoch')}, trial {lead.id} leads with {score.text(lead.value)}"
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
    ends = {i for i, (a, b) in enumerate(zip(order, order[1:], strict=False)) if a.budget != b.budget}
    cut = any(t.epochs != t.budget for t in order)
    rows = []
    for rank, t in enumerate(order):
        cells: list[Cell] = [
            cell(str(rank + 1), rank + 1),
            cell(f"{t.id}", t.id, strong=rank == 0),
            cell(score.bare(t.value), t.value, mark=dot(t.value or 0.0, low, high)),
            cell(f"{number(t.best_epoch)} / {number(t.epochs)}", t.epochs),
            *([cell(number(t.budget), t.budget)] if cut else []),
            cell(duration(t.seconds), t.seconds),
            cell(number(t.parameters), t.parameters),
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
        Column("epochs", True, 2, "best epoch / trained epochs"),
        *([Column("budget", True, 2, "epochs it was given")] if cut else []),
        Column("time", True),
        Column("weights", True, 2, "parameters of the model"),
        *(Column(short(a.name, 28), a.numeric, 2) for a in axes),
    ]
    return Table(tuple(columns), tuple(rows), "Trials that have a score, best first", sortable=True)


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
    state: State = "thin" if len(order) < 3 else "full"
    return Section(
        "leaderboard", HEADING, finding(order, best, score), state, (table(record),), how, chips=("optimistic",)
    )
