"""A pruner beside cross-validation: it sees fold 0, and what it stops there gets no other fold."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from scripted import Killed

from fertune.config import SearchOptions
from fertune.searchers import make_searcher, restore
from fertune.searching import Search, read_progress
from fertune.searching.racing import FoldRacing
from fertune.space import Float, Int, Space
from fertune.store import Journal
from fertune.testing.virtual import VirtualExecutor
from fertune.trial import OBJECTIVES, State, Suggestion, Trial

ACCURACY = OBJECTIVES["val_accuracy"]
SPACE = Space("s", [Int("x", 0, 400), Float("rate", 1e-4, 1e-1, log=True)])
FOLDS, EPOCHS, TRIALS = 3, 9, 14


class Job:
    def __init__(self, trial: Trial, suggestion: Suggestion) -> None:
        self.id = f"{trial.id}-{suggestion.ticket}"
        self.x, self.fold = int(suggestion.params["x"]), suggestion.fold or 0
        self.budget, self.first = suggestion.budget, 0

    def value(self, step: int) -> float:
        return (self.x * 37 % 401) / 401 + self.fold / 1000 + step / 10_000


def play(path: Path, pruner: str, slots: int = 1, chance: random.Random | None = None) -> tuple[Search, Any]:
    journal = Journal(path / "journal.jsonl")
    journal.write("session", trials=TRIALS, workers=slots)
    progress = read_progress(journal.lines)
    inner = make_searcher("tpe", SPACE, objective=ACCURACY, seed=2, trials=TRIALS, max_epochs=EPOCHS, pruner=pruner)
    searcher = FoldRacing(inner, folds=FOLDS, slots=slots)
    restore(searcher, progress.calls)

    def value(job: Job, step: int) -> float:
        if chance is not None and chance.random() < 0.02:
            raise Killed
        return job.value(step)

    search = Search(
        searcher=searcher, executor=VirtualExecutor(slots, value=value), journal=journal, make_job=Job,
        objective=ACCURACY, progress=progress,
    )  # fmt: skip
    try:
        search.run()
    finally:
        journal.close()
    return search, inner


def trained(search: Search) -> list[tuple[Any, ...]]:
    return [
        (t.id, t.state, dict(t.params), t.value, [(r.tags["fold"], r.outcome, r.epochs) for r in t.folds])
        for t in search.trials.all()
    ]


def test_the_options_go_together() -> None:
    assert SearchOptions(tuner="tpe", cv=3, pruner="median").check().pruner == "median"


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("pruner", ["median", "hyperband", "asha"])
def test_what_is_pruned_on_fold_0_gets_no_other_fold(tmp_path: Path, pruner: str, slots: int) -> None:
    search, inner = play(tmp_path, pruner, slots)
    trials = search.trials.all()
    pruned = [t for t in trials if t.state is State.PRUNED]
    assert len(trials) == TRIALS and pruned and len(pruned) < TRIALS
    for t in trials:
        if t.state is State.PRUNED:
            assert [(r.tags["fold"], r.outcome) for r in t.folds] == [(0, "pruned")] and t.folds[0].epochs < EPOCHS
        else:
            assert t.state is State.COMPLETED and t.folds_done == FOLDS
    assert search.best is not None and search.best.state is State.COMPLETED
    for t, known in zip(trials, inner._study.trials, strict=True):
        assert known.state.name == ("PRUNED" if t in pruned else "COMPLETE")
        first = [Job(t, Suggestion(0, t.params, EPOCHS)).value(step) for step in range(1, t.folds[0].epochs + 1)]
        assert list(known.intermediate_values.values()) == first, "the pruner heard of another fold"


@pytest.mark.parametrize("pruner", ["median", "asha"])
def test_killed_at_random_instants_it_ends_as_if_undisturbed(tmp_path: Path, pruner: str) -> None:
    quiet, _ = play(tmp_path / "quiet", pruner)
    chance, kills = random.Random(5), 0
    while True:
        try:
            search, _ = play(tmp_path / "killed", pruner, chance=chance)
            break
        except Killed:
            kills += 1
    assert kills > 1, "this seed shall kill, or the test shows nothing"
    assert trained(search) == trained(quiet)
