"""Cross-validated trials from the lines of a journal: the folds of one trial may be trained side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fertune.trial import Failure, FailureKind, Rung, State, Trial

CUT = "cut"
"""Outcome of a fold that was broken off because another one had ended its trial."""
_STATES = (("failed", State.FAILED), ("pruned", State.PRUNED))


def failure_of(stored: dict[str, Any] | None) -> Failure | None:
    """A failure as a journal keeps it."""
    if stored is None:
        return None
    return Failure(FailureKind(stored["kind"]), stored["message"], stored.get("trace", ""))


def fold_asked(old: Trial | None, line: dict[str, Any]) -> tuple[Trial, int]:
    """The trial with one more fold, and the number of that stretch in ``rungs``."""
    rung = Rung(line["budget"], line["tags"], share=line.get("share", 1.0), side=line.get("side"))
    if old is None:
        return Trial(line["trial"], line["params"], State.RUNNING, (rung,), started=line["time"]), 0
    return old.but(state=State.RUNNING, rungs=(*old.rungs, rung), ended=None, note=""), len(old.rungs)


def fold_retried(old: Trial, at: int) -> Trial:
    """A fold that was cut off starts anew."""
    old_rung = old.rungs[at]
    return _with(old, at, Rung(old_rung.budget, old_rung.tags, share=old_rung.share, side=old_rung.side))


def fold_epoch(old: Trial, at: int, line: dict[str, Any]) -> Trial:
    rung = old.rungs[at]
    row = {"epoch": line["step"], "value": line["value"], **line["logs"]}
    return _with(old, at, replace(rung, history=(*rung.history[: line["step"] - 1], row), epochs=line["step"]))


def fold_told(old: Trial, at: int, line: dict[str, Any]) -> Trial:
    outcome = line["outcome"]
    if outcome == "pruned" and any(r.outcome in ("pruned", "failed") for r in old.folds):
        outcome = CUT
    rung = replace(
        old.rungs[at],
        value=line.get("value"),
        epochs=line.get("epochs") or old.rungs[at].epochs,
        seconds=line.get("seconds") or 0.0,
        outcome=outcome,
        best_epoch=line.get("best_epoch"),
    )
    failure = failure_of(line.get("failure"))
    told = _with(old, at, rung)
    return told.but(
        parameters=line.get("parameters") or old.parameters,
        note=line.get("note") or old.note,
        ended=None if told.state is State.RUNNING else line["time"],
        failure=old.failure if failure is None else failure,
        values={name: v for name, v in (line.get("values") or {}).items() if v is not None},
    )


def folds_left(old: Trial) -> Trial:
    """What becomes of a trial between two folds when the run ends."""
    return old.but(state=State.STOPPED) if old.state is State.RUNNING and old.folds else old


def _with(old: Trial, at: int, rung: Rung) -> Trial:
    """The trial with another stretch ``at``, and what follows from it."""
    trial = old.but(rungs=(*old.rungs[:at], rung, *old.rungs[at + 1 :]))
    folds = trial.folds
    outcomes = [r.outcome for r in folds]
    state = State.RUNNING
    if "" not in outcomes:
        ends = [state for name, state in _STATES if name in outcomes]
        if ends:
            state = ends[0]
        elif "stopped" in outcomes:
            state = State.STOPPED
        elif len(folds) == rung.tags["of"]:
            state = State.COMPLETED
    shown = next((r for r in folds if r.history), folds[0])
    values = trial.fold_values
    mean = sum(values) / len(values) if values else None
    return trial.but(state=state, value=mean, history=shown.history, best_epoch=shown.best_epoch)
