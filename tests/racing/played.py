"""Folds of scripted trainings in virtual time: played with the real loop, killed at random instants, and resumed."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fertune.searchers import restore
from fertune.searching import Search, read_progress
from fertune.searching.loop import Weigh
from fertune.searching.racing import FoldRacing
from fertune.store import Journal
from fertune.testing.virtual import VirtualExecutor
from fertune.trial import OBJECTIVES, Failure, Searcher, Suggestion, Trial
from tests.searching.scripted import Killed

ACCURACY = OBJECTIVES["val_accuracy"]
FOLDS = 3
Line = dict[str, Any]


def worth(params: Any, fold: int) -> float:
    """The held-out value of a configuration on a fold."""
    return (int(params["x"]) * 37 % 401) / 401 + fold / 1000


class Job:
    """A fold of a configuration; its value rises a little with each epoch."""

    first = 0

    def __init__(self, trial: Trial, suggestion: Suggestion) -> None:
        self.id = f"{trial.id}-{suggestion.ticket}"
        self.params, self.fold, self.budget = dict(suggestion.params), suggestion.fold or 0, suggestion.budget

    def value(self, step: int) -> float:
        return worth(self.params, self.fold) + step / 10_000


def play(
    path: Path,
    inner: Searcher,
    *,
    trials: int,
    slots: int = 1,
    chance: random.Random | None = None,
    likely: float = 0.08,
    weigh: Weigh = lambda trial, suggestion, result: result,
    fails: Callable[[Job], Failure | None] = lambda job: None,
    **script: Any,
) -> tuple[Search, list[Line]]:
    """Begin a search of three folds in a folder, or go on with it; returns it and the lines of its journal.

    Args:
        inner: A fresh engine.
        chance: Decides in each epoch whether the coordinator is killed; None leaves it alive.
        likely: How often it is killed then, 0 to 1.
        script: More of ``VirtualExecutor``.

    Raises:
        Killed: By ``chance``.
    """

    def survive() -> None:
        if chance is not None and chance.random() < likely:
            raise Killed

    def value(job: Job, step: int) -> float:
        survive()
        return job.value(step)

    def failing(job: Job) -> Failure | None:
        survive()
        return fails(job)

    with closing(Journal(path / "journal.jsonl")) as journal:
        journal.write("session", trials=trials, workers=slots)
        progress = read_progress(journal.lines)
        searcher = FoldRacing(inner, folds=FOLDS, slots=slots)
        restore(searcher, progress.calls)
        search = Search(
            searcher=searcher,
            executor=VirtualExecutor(slots, value=value, fails=failing, **script),
            journal=journal,
            make_job=Job,
            objective=ACCURACY,
            progress=progress,
            weigh=weigh,
        )
        search.run()
    return search, journal.lines


def play_on(again: Callable[[], tuple[Search, list[Line]]]) -> tuple[Search, list[Line]]:
    """Play until no kill ends it; fails where none came, or too many."""
    for kills in range(300):
        try:
            ended = again()
        except Killed:
            continue
        assert kills > 1, "this seed shall kill, or the test shows nothing"
        return ended
    pytest.fail("never finished")


def trained(search: Search) -> list[tuple[Any, ...]]:
    """What became of each trial and its folds."""
    return [
        (t.id, t.state, dict(t.params), t.value, [(r.tags["fold"], r.outcome, r.value, r.epochs) for r in t.folds])
        for t in search.trials.all()
    ]
