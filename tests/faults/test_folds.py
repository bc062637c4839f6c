"""A fold of a stack that was cut off goes on from its last state; none is kept once the fold is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fertune.searching import Observer
from fertune.stacking.pieces import Trainer
from fertune.store import Journal
from fertune.trial import (
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Reported,
    TrainJob,
    TrainResult,
)
from tests.stacking.scripted import leave_models, piece


class Folds:
    """Two epochs a job; the first runs out of memory once, after it has written a state."""

    slots = 1

    def __init__(self) -> None:
        self.jobs: list[TrainJob] = []
        self.seen: list[tuple[str, bool, bool]] = []

    def submit(self, job: TrainJob) -> None:
        self.jobs.append(job)

    def stop(self, job_id: str) -> None:
        return

    def events(self, timeout: float) -> Iterator[Event]:
        while self.jobs:
            job = self.jobs.pop(0)
            self.seen.append((job.id, job.resume is not None, job.alone))
            out = Path(job.out)
            (out / "state").mkdir(parents=True, exist_ok=True)
            (out / "state" / "state.npz").write_bytes(b"x")
            yield Reported(job.id, 1, 0.5, {"loss": 1.0})
            if len(self.seen) == 1:
                yield Failed(job.id, Failure(FailureKind.OUT_OF_MEMORY, ""))
                continue
            yield Reported(job.id, 2, 0.6, {"loss": 0.9})
            leave_models(job)
            yield Finished(job.id, TrainResult(0.6, 2, 2, 1.0, 1, "budget"))


def test_a_fold_goes_on_from_its_state_and_leaves_none(tmp_path: Path) -> None:
    executor: Any = Folds()
    (tmp_path / "a" / "1" / "state").mkdir(parents=True)
    (tmp_path / "a" / "1" / "state" / "state.npz").write_bytes(b"of a killed sitting")
    made = Trainer(
        executor, Journal(tmp_path / "journal.jsonl"), Observer(), deadline=None, stop_requested=lambda: False
    )
    made.train([piece(tmp_path, "a", fold, budget=2) for fold in (0, 1)])
    assert executor.seen == [("a/0", False, False), ("a/0", True, True), ("a/1", True, False)]
    assert not list(tmp_path.rglob("state.npz"))
    assert [[row["epoch"] for row in run.history] for run in made.runs.values()] == [[1, 2], [1, 2]]
    assert [run.state for run in made.runs.values()] == ["completed"] * 2
