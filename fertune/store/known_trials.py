"""Trials of an earlier run that a search was begun with: how they stand in its journal, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fertune.trial import Rung, State, Trial


def known_json(trial: Trial, run: str) -> dict[str, Any]:
    """What a journal keeps of a finished trial of the run ``run``; ``trial.id`` is its number there."""
    return {
        "origin": {"run": run, "trial": trial.id},
        "params": dict(trial.params),
        "value": trial.value,
        **({"values": dict(trial.values)} if trial.values else {}),
        "best_epoch": trial.best_epoch,
        "parameters": trial.parameters,
        "rungs": [asdict(rung) for rung in trial.rungs],
        "history": list(trial.history),
    }


def known_trials(line: Mapping[str, Any]) -> list[Trial]:
    """The trials of a line ``known``, by their numbers in this run."""
    return [_known(trial, line["time"]) for trial in line["trials"]]


def _known(stored: Mapping[str, Any], time: float) -> Trial:
    return Trial(
        id=stored["trial"],
        params=stored["params"],
        state=State.COMPLETED,
        rungs=tuple(replace(Rung(**r), history=tuple(r["history"])) for r in stored["rungs"]),
        history=tuple(stored["history"]),
        value=stored["value"],
        best_epoch=stored["best_epoch"],
        parameters=stored["parameters"],
        started=time,
        ended=time,
        note=f"known from {stored['origin']['run']} {stored['origin']['trial']}",
        values=stored.get("values") or {},
    )


def goal_of(trials: int | None, lines: Iterable[Mapping[str, Any]]) -> int | None:
    """Trials that a search will have: those that were asked for, and those that it began with.

    Args:
        trials: As asked for; None where the engine decides.
        lines: Of its journal.
    """
    return None if trials is None else trials + sum(len(x["trials"]) for x in lines if x["event"] == "known")


def known_line(trials: Sequence[tuple[Trial, str]]) -> list[dict[str, Any]]:
    """``trials`` of a line ``known``, numbered from 0: each with the name of the run that it comes from."""
    return [{"trial": i, **known_json(trial, run)} for i, (trial, run) in enumerate(trials)]
