"""Training the models of a stack: what is kept, what is left, and who is late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fertune.searching import Observer
from fertune.stacking import pieces as module
from fertune.stacking.pieces import StackHalted, Trainer
from fertune.store import Journal
from fertune.trial import (
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    PredictJob,
    Rows,
    TrainResult,
)
from tests.stacking.scripted import leave_models, piece


class Scripted:
    """Trains at once, but for jobs of ``late``, which end only after they are asked about for the n-th time."""

    slots = 2

    def __init__(self, *, fail: set[str] | None = None, late: dict[str, int] | None = None) -> None:
        self.fail, self.late = fail or set(), late or {}
        self.jobs: list[Any] = []
        self.trained: list[str] = []

    def submit(self, job: Any) -> None:
        self.jobs.append(job)

    def stop(self, job_id: str) -> None:
        return

    def events(self, timeout: float) -> Iterator[Event]:
        for job in list(self.jobs):
            if self.late.get(job.id, 0) > 0:
                self.late[job.id] -= 1
                time.sleep(0.01)
                continue
            self.jobs.remove(job)
            if job.id in self.fail:
                yield Failed(job.id, Failure(FailureKind.NAN_LOSS, "scripted"))
            elif isinstance(job, PredictJob):
                Path(job.out).write_bytes(b"")
                yield Finished(job.id, None)
            else:
                self.trained.append(job.id)
                leave_models(job)
                yield Finished(job.id, TrainResult(0.5, 1, 1, 1.0, 1, "stopped" if job.id in self.late else "budget"))

    def close(self) -> None:
        return


def trainer(root: Path, executor: Scripted, **options: Any) -> Trainer:
    options = {"deadline": None, "stop_requested": lambda: False, **options}
    return Trainer(executor, Journal(root / "journal.jsonl"), Observer(), **options)


def test_nothing_is_trained_twice_and_what_lost_its_file_is(tmp_path: Path) -> None:
    plan = [piece(tmp_path, m, f) for m in ("a", "b") for f in range(3)]
    trainer(tmp_path, Scripted()).train(plan)
    again = Scripted()
    (plan[4].folder / "held_out.npz").unlink()
    trainer(tmp_path, again).train(plan)
    assert again.trained == ["b/1"]


def test_a_configuration_with_a_failed_fold_is_not_trained_further(tmp_path: Path) -> None:
    plan = [piece(tmp_path, m, f) for m in ("a", "b") for f in range(6)]
    executor = Scripted(fail={"a/0"})
    made = trainer(tmp_path, executor)
    made.train(plan)
    assert sum(x.startswith("a/") for x in executor.trained) < 5
    assert sum(x.startswith("b/") for x in executor.trained) == 6
    assert made.runs[("a", 0)].failure is not None


def test_one_that_is_late_to_stop_does_not_disturb_the_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on real faces: a training ended minutes after it was told to, in the middle of reading the test rows."""
    monkeypatch.setattr(module, "STOP_PATIENCE", 0.05)
    executor = Scripted(late={"a/0": 40})
    made = trainer(tmp_path, executor, deadline=time.monotonic() + 0.1)
    made.train([piece(tmp_path, "a", 0)])
    assert made.runs[("a", 0)].state == "running", "it was never told of"
    jobs = [PredictJob(f"p{i}", "", "", Rows(), "", str(tmp_path / f"p{i}.npz")) for i in range(60)]
    seconds = made.predict(jobs)
    assert set(seconds) == {j.id for j in jobs} and "a/0" in executor.trained


def test_an_interrupt_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StackHalted):
        trainer(tmp_path, Scripted(late={"a/0": 10**9}), stop_requested=lambda: True).train([piece(tmp_path, "a", 0)])
