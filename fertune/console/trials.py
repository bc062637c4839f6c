"""The table of trials, live and in a summary: columns leave from the right until the rest fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import score, short_duration, value_text
from fertune.trial import Objective, State, Trial

STYLES = {
    State.RUNNING: "",
    State.COMPLETED: "green",
    State.PRUNED: "yellow",
    State.FAILED: "red",
    State.STOPPED: "yellow",
}
SPARKS = "▁▂▃▄▅▆▇█"
SPARK_EPOCHS = 8
WITH_NOTE = 2
"""So many parameters keep their place before the note; the others leave before it does."""
NOTE_CELLS = 12


def sparkline(values: Sequence[float]) -> str:
    """The last values as bars between their least and their greatest; empty under two values."""
    values = [v for v in values if v == v][-SPARK_EPOCHS:]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = high - low or 1.0
    return "".join(SPARKS[min(int((v - low) / span * len(SPARKS)), len(SPARKS) - 1)] for v in values)


def parameter_names(trials: Sequence[Trial], declared: Sequence[str] = ()) -> list[str]:
    """Names of parameters that vary over ``trials``, in declared order; all of them where none varies."""
    names = [n for n in declared if any(n in t.params for t in trials)]
    names += [n for t in trials for n in t.params if n not in names]
    names = list(dict.fromkeys(names))
    varying = [n for n in names if len({str(t.params.get(n)) for t in trials}) > 1]
    return varying or names


def declared_names(info: Mapping[str, Any]) -> list[str]:
    """Parameters in the order of the space that ``run.json`` holds."""
    params = (info.get("space") or {}).get("params") or []
    if isinstance(params, Mapping):
        return [str(name) for name in params]
    return [str(p["name"]) for p in params if isinstance(p, Mapping) and "name" in p]


def note_of(trial: Trial, best: Trial | None, objective: Objective) -> str:
    """One clause: how a running trial goes, why another one ended, or that it leads."""
    if trial.state is State.RUNNING:
        return sparkline([h.get(objective.name, h.get("value", float("nan"))) for h in trial.history])
    if trial.failure is not None:
        return trial.failure.kind.value
    if best is not None and trial.id == best.id:
        return "best so far"
    if trial.note:
        return trial.note
    if trial.folds and trial.state is not State.COMPLETED:
        return f"{len(trial.fold_values)} of {trial.rungs[-1].tags['of']} folds"
    rung = trial.rungs[-1].tags.get("rung") if trial.rungs else None
    return trial.measured_on or (f"rung {rung + 1}" if rung is not None else "")


def ranked(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Those with a score, best first; one that is being promoted keeps its place by its last stretch."""
    scored = (t for t in trials if t.scored and t.value is not None)
    return sorted(scored, key=lambda t: t.place(objective))


def live_order(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Running first, then the best, then what failed, the latest first."""
    running = [t for t in trials if t.state is State.RUNNING]
    ended = [t for t in trials if t.state is not State.RUNNING]
    scored = ranked(ended, objective)
    placed = {t.id for t in scored}
    rest = [t for t in ended if t.id not in placed]
    return [*running, *scored, *sorted(rest, key=lambda t: -t.id)]


def shown_score(trial: Trial, objective: Objective) -> float | None:
    """The trial's value; while it runs, the best of the epochs that it has reported."""
    if trial.state is State.FAILED:
        return None
    values = [h["value"] for h in trial.history if "value" in h and math.isfinite(h["value"])]
    if trial.folds and trial.value is not None:
        return trial.value
    if trial.state is State.RUNNING and values:
        return min(values, key=objective.sort_key)
    return trial.value


def clip(ordered: Sequence[Trial], rows: int) -> list[Trial]:
    """The first ``rows``, of which the last is kept for the latest failure where there is one."""
    if len(ordered) <= rows:
        return list(ordered)
    failed = [t for t in ordered if t.state is State.FAILED]
    if not failed or failed[0] in ordered[:rows] or rows < 3:
        return list(ordered[:rows])
    return [*ordered[: rows - 1], failed[0]]


def trial_table(
    screen: Screen,
    trials: Sequence[Trial],
    objective: Objective,
    best: Trial | None,
    names: Sequence[str],
    seconds: Mapping[int, float] | None = None,
) -> list[Text]:
    """Rows for ``trials`` in their order; a star stands before ``best``.

    Args:
        names: Parameters that may have a column, the most telling first.
        seconds: Time of running trials so far, by id.
    """
    seconds = seconds or {}
    cells = screen.text
    marks = [("★" if best is not None and t.id == best.id else " ") + f"{t.id:>5}" for t in trials]
    base = [
        Column(" trial", [cells(m, "bold" if m.startswith("★") else "") for m in marks]),
        Column(
            "state",
            [cells(("▶ " if t.state is State.RUNNING else "") + t.state.value, STYLES[t.state]) for t in trials]
            or [cells(" " * 9)],
            "left",
        ),
        Column(" score", [cells(score(shown_score(t, objective))) for t in trials]),
    ]
    epochs = Column("epochs", [cells(f"{t.epochs}/{t.budget}") for t in trials])
    time = Column("  time", [cells(short_duration(seconds.get(t.id, t.seconds))) for t in trials])
    params = [Column(n, [_value(screen, t, n) for t in trials]) for n in names]
    note = Column("note", [cells(note_of(t, best, objective)) for t in trials], "left", least=NOTE_CELLS)
    base[1] = Column(
        "state", [c.copy().append(" " * (9 - c.cell_len)) if c.cell_len < 9 else c for c in base[1].cells], "left"
    )
    for columns in _choices(screen, [*base, epochs], time, params, note):
        if fits(screen, columns):
            return draw(screen, columns)
    return draw(screen, base)


def _value(screen: Screen, trial: Trial, name: str) -> Text:
    return screen.text(value_text(trial.params[name]) if name in trial.params else "-")


def _choices(
    screen: Screen, base: list[Column], time: Column, params: list[Column], note: Column
) -> list[list[Column]]:
    """Sets of columns, the widest first: far parameters leave, then the note, then parameters, time, epochs."""
    n = len(params)
    choices = []
    for kept in range(n, min(n, WITH_NOTE) - 1, -1):
        choices.append([*base, time, *params[:kept], *_more(screen, n - kept, note), note])
    for kept in range(n, -1, -1):
        choices.append([*base, time, *params[:kept], *_more(screen, n - kept if kept else 0, time)])
    return [*choices, [*base, time], base, base[:-1]]


def _more(screen: Screen, left: int, like: Column) -> list[Column]:
    return [Column(f"+{left} more", [screen.text("") for _ in like.cells], "left")] if left else []
