"""What stands on the terminal when a search has ended, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.text import Text

from fertune.console.commands import Next, next_lines, shown_path, with_option, words
from fertune.console.screen import Screen
from fertune.console.text import count, duration, score, value_text
from fertune.console.trials import declared_names, parameter_names, trial_table
from fertune.errors import FertuneError
from fertune.trial import Failure, Objective, State, Trial

BEST_ROWS = 10
PARETO_ROWS = 8
PEERS = 3
"""At most so many other runs stand in the ``stack`` command."""


def search_summary(screen: Screen, record: Any) -> list[Text]:
    """Three sentences and the next commands. ``record`` is a ``SearchRecord``."""
    lines = screen.fold(screen.text(opening(record), "bold"), "  ")
    if record.status != "running" and record.reason and record.reason != "interrupted":
        lines += screen.fold(screen.text(f"Ended: {record.reason}"), "  ")
    lines += _best_lines(screen, record)
    return [*lines, *next_lines(screen, next_commands(record))]


def opening(record: Any) -> str:
    """``Search finished: 30 trials in 19 min 40 s (27 completed, 2 pruned, 1 failed: NaN loss)``."""
    n = len(record.trials)
    states = tally(record.trials)
    behind = f" in {duration(record.seconds)}" + (f" ({states})" if states else "")
    if record.status == "interrupted":
        return f"Interrupted after {count(n, 'trial')}{behind}"
    if record.status == "running":
        return f"Search running: {count(n, 'trial')} so far{behind}"
    return f"Search finished: {count(n, 'trial')}{behind}"


def tally(trials: Sequence[Trial]) -> str:
    """``27 completed, 2 pruned, 3 failed: 2 NaN loss, 1 out of memory``; empty for no trials."""
    states = Counter(t.state for t in trials)
    order = (State.COMPLETED, State.PRUNED, State.STOPPED, State.RUNNING, State.FAILED)
    parts = [f"{states[s]} {s.value}" for s in order if states[s]]
    kinds = Counter(t.failure.kind.value for t in trials if t.failure is not None)
    if kinds:
        parts[-1] += ": " + (
            next(iter(kinds)) if len(kinds) == 1 else ", ".join(f"{k} {kind}" for kind, k in kinds.most_common())
        )
    return ", ".join(parts)


def _best_lines(screen: Screen, record: Any) -> list[Text]:
    best: Trial | None = record.best
    if best is None:
        if any(t.failure is not None for t in record.trials):
            return [screen.text("No trial could be trained", "red"), *failure_lines(screen, failures_of(record.trials))]
        return []
    objective: Objective = record.objective
    scored = sum(t.measured_on == best.measured_on for t in record.leaderboard)
    folds, rows = (record.info.get("options") or {}).get("cv") or 0, record.score_rows
    on = f" on {count(rows, 'row')}" if rows else ""
    if folds and rows:
        on = f" on {count(rows, 'held-out row')} of {folds} folds"
    less = f", trained with {best.measured_on}".replace("with at", "at") if best.measured_on else ""
    extreme = "highest" if objective.direction == "max" else "lowest"
    only = f"the only one{on}" if folds else f"the only one{on}, its best epoch chosen there"
    chosen = f"the {extreme} of {scored}{on}" if scored > 1 else only
    sentence = f"Best search score {score(best.value)} {objective.name}, trial {best.id}{less}; optimistic: {chosen}"
    lines = screen.fold(screen.text(sentence, "bold"), "  ")
    names = [n for n in declared_names(record.info) if n in best.params]
    names += [n for n in best.params if n not in names]
    if names:
        text = " · ".join(f"{name} {value_text(best.params[name])}" for name in names)
        lines += screen.fold(screen.text("  " + text), "  ")
    return [*lines, *_pareto_lines(screen, record)]


def _pareto_lines(screen: Screen, record: Any) -> list[Text]:
    """Of two objectives: the trials that no other one beats in both, best value first."""
    second = record.second_objective
    if second is None or not record.pareto:
        return []
    by_id = {t.id: t for t in record.trials}
    front = [by_id[i] for i in record.pareto]
    unit = " ms a picture" if second.name == "latency" else f" {second.name}"
    shown = [
        f"trial {t.id}: {score(t.value)}, " + (f"{v:.3g}" if second.name == "latency" else f"{v:,.0f}") + unit
        for t in front[:PARETO_ROWS]
        for v in [t.values[second.name]]
    ]
    more = f" and {len(front) - PARETO_ROWS} more" if len(front) > PARETO_ROWS else ""
    head = f"{count(len(front), 'trial')} that no other beats in both {record.objective.name} and {second.name}: "
    return screen.fold(screen.text(head + " · ".join(shown) + more), "  ")


def failures_of(trials: Sequence[Trial]) -> list[tuple[str, Failure]]:
    """Where and why, for each failed trial."""
    return [(f"trial {t.id}", t.failure) for t in trials if t.failure is not None]


def failure_lines(screen: Screen, failures: Sequence[tuple[str, Failure]]) -> list[Text]:
    """Failures by class and cause, the most frequent first, each with the first place that had it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for where, failure in failures:
        groups.setdefault((failure.kind.value, failure.message), []).append(where)
    lines: list[Text] = []
    for (kind, message), places in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        first = places[0] if len(places) == 1 else f"first in {places[0]}"
        head = screen.text(f"  {len(places)} x ").append_text(screen.text(kind, "red"))
        lines += screen.fold(head.append_text(screen.text(f": {message} ({first})")), "      ")
    return lines


def next_commands(record: Any) -> list[Next]:
    """What to type next: look, stack, go on; after an interruption, going on stands first."""
    path = shown_path(record.folder)
    resume = words(str(record.info.get("resume") or f"fertune search --out {path} --resume"))
    if record.status == "running":
        return [(["fertune", "show", path], "look again")]
    on: list[Next] = []
    if record.status == "interrupted":
        on = [(resume, "go on")]
    commands: list[Next] = []
    if record.trials:
        commands.append((["fertune", "report", path, "-o", "report.html"], "look at every trial"))
    if record.best is not None:
        commands.append((["fertune", "stack", path, *peers(record)], "an honest estimate, and a stack"))
    if record.status == "interrupted":
        return [*on, *commands]
    goal = (record.info.get("options") or {}).get("trials")
    if isinstance(goal, int) and goal <= len(record.trials):
        commands.append((with_option(resume, "--trials", str(2 * goal)), "go on"))
    elif "time" in record.reason:
        commands.append((resume, "go on"))
    return commands


def peers(record: Any) -> list[str]:
    """Paths of other finished searches beside this one with the same data, the newest first."""
    from fertune.store.records import SearchRecord, open_record

    data = (record.info.get("data") or {}).get("fingerprint")
    found: list[tuple[float, str]] = []
    for path in record.folder.parent.glob("*/run.json"):
        if path.parent == record.folder:
            continue
        try:
            other = open_record(path.parent)
        except (FertuneError, OSError, ValueError, KeyError, TypeError):  # a damaged neighbour is none of ours to tell
            continue
        same = data is not None and (other.info.get("data") or {}).get("fingerprint") == data
        if same and isinstance(other, SearchRecord) and other.status == "finished" and other.best is not None:
            found.append((float(other.info.get("created") or 0.0), shown_path(other.folder)))
    return [path for _, path in sorted(found, reverse=True)[:PEERS]]


def search_details(screen: Screen, record: Any) -> list[Text]:
    """For ``fertune show``: the ten best rows, and failures by class."""
    lines: list[Text] = []
    running = [t for t in record.trials if t.state is State.RUNNING]
    rows = [*running, *(t for t in record.leaderboard[:BEST_ROWS] if t.state is not State.RUNNING)]
    if rows:
        names = parameter_names(record.trials, declared_names(record.info))
        lines += trial_table(screen, rows, record.objective, record.best, names)
    left = len(record.leaderboard) - BEST_ROWS
    if left > 0:
        lines.append(screen.text(f"{left:,} more: --json has them all"))
    failures = failure_lines(screen, failures_of(record.trials))
    if failures and record.best is not None:
        lines += [screen.text("Failures", "bold"), *failures]
    return lines
