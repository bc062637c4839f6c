"""A pruner beside cross-validation: it sees fold 0, and what it stops there gets no other fold."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from fertune.config import SearchOptions
from fertune.searchers import make_searcher
from fertune.searching import Search
from fertune.space import Float, Int, Space
from fertune.trial import State, Suggestion
from tests.racing.played import ACCURACY, FOLDS, Job, Line, play, play_on, trained

SPACE = Space("s", [Int("x", 0, 400), Float("rate", 1e-4, 1e-1, log=True)])
EPOCHS, TRIALS = 9, 14


def engine(pruner: str) -> Any:
    return make_searcher("tpe", SPACE, objective=ACCURACY, seed=2, trials=TRIALS, max_epochs=EPOCHS, pruner=pruner)


def test_the_options_go_together() -> None:
    assert SearchOptions(tuner="tpe", cv=3, pruner="median").check().pruner == "median"


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("pruner", ["median", "hyperband", "asha"])
def test_what_is_pruned_on_fold_0_gets_no_other_fold(tmp_path: Path, pruner: str, slots: int) -> None:
    inner = engine(pruner)
    search, _ = play(tmp_path, inner, trials=TRIALS, slots=slots)
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
    chance = random.Random(5)

    def killed() -> tuple[Search, list[Line]]:
        return play(tmp_path / "killed", engine(pruner), trials=TRIALS, chance=chance, likely=0.02)

    quiet, _ = play(tmp_path / "quiet", engine(pruner), trials=TRIALS)
    assert trained(play_on(killed)[0]) == trained(quiet)
