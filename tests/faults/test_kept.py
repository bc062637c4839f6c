"""What lies on disk while a search goes on: models of the best three, states of live rungs and of what runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pretended
import pytest

from fertune.api import sitting
from fertune.store.checkpoints import Checkpoints
from fertune.trial import FailureKind, State


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[set[int], set[int], set[int]]]:
    """At each end of a stretch: trials with a model, with a state, and those whose state something needs."""
    found: list[tuple[set[int], set[int], set[int]]] = []
    ended = sitting.Sitting._ended

    def looked(self: Any, searcher: Any, search: Any, trial: Any) -> None:
        ended(self, searcher, search, trial)
        lying = {name: {int(p.parts[-2 - up]) for p in tmp_path.glob(f"run/trials/*/{name}")} for name, up in
                 (("model.keras", 0), ("state/state.npz", 1))}  # fmt: skip
        running = set(self._checkpoints._open)
        found.append((lying["model.keras"] - running, lying["state/state.npz"], (self._alive or set()) | running))

    monkeypatch.setattr(sitting.Sitting, "_ended", looked)
    return found


@pytest.mark.parametrize("workers", [1, 3])
def test_hyperband_keeps_the_states_of_live_rungs_alone(tmp_path: Path, seen: Any, workers: int) -> None:
    pretended.search(tmp_path / "run", tuner="hyperband", workers=workers)
    assert max(len(states) for _, states, _ in seen) >= 2, "there were live rungs"
    for models, states, needed in seen:
        assert len(models) <= 3 and states <= needed
    assert len(pretended.files(tmp_path / "run")) == 6, "three models with their probabilities"


def test_a_hundred_trials_leave_three_models(tmp_path: Path, seen: Any) -> None:
    run = pretended.search(tmp_path / "run", trials=100, workers=4, max_epochs=2)
    assert len(run.record.trials) == len(seen) == 100
    assert all(len(models) <= 3 and states <= needed for models, states, needed in seen)
    best = [str(t.id) for t in run.record.leaderboard[:3]]
    assert {p.split("/")[0] for p in pretended.files(run.path)} == set(best)
    assert sorted(p.name for p in (run.path / "trials").iterdir()) == sorted(best)


def test_nothing_is_kept_twice(tmp_path: Path) -> None:
    """A search that is resumed again and again counts what it finds."""
    for trials in (5, 10, 15):
        run = pretended.search(tmp_path / "run", trials=trials, max_epochs=2)
        assert {p.split("/")[0] for p in pretended.files(run.path)} == {str(t.id) for t in run.record.leaderboard[:3]}


def test_a_trial_that_ran_out_of_memory_at_first_leaves_no_more_than_another(tmp_path: Path) -> None:
    run = pretended.search(
        tmp_path / "run", trials=8, fate=lambda job: None if job.alone else FailureKind.OUT_OF_MEMORY
    )
    assert all(t.state is State.COMPLETED for t in run.record.trials)
    assert {p.split("/")[0] for p in pretended.files(run.path)} == {str(t.id) for t in run.record.leaderboard[:3]}


def test_a_promoted_trial_without_its_state_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended.search(tmp_path / "quiet", tuner="hyperband")
    began = Checkpoints.began
    monkeypatch.setattr(Checkpoints, "began", lambda self, trial, weights=None: began(self, trial, weights) and False)
    pretended.search(tmp_path / "run", tuner="hyperband")
    assert pretended.reading(tmp_path / "run") == pretended.reading(tmp_path / "quiet")
