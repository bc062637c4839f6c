"""Searches whose training is pretended: the whole road of ``fertune.search`` with its real journal, locks and files,
but no process and no model. What an epoch gives depends on the one before, so it must go on from a true state."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import fertune
from fertune.api import sitting
from fertune.files import write_binary, write_npz
from fertune.searching import Observer
from fertune.space import Choice, Float, Int, Space
from fertune.store import open_record
from fertune.trial import Event, Failed, Failure, FailureKind, Finished, Reported, Started, TrainJob, TrainResult

SPACE = Space(
    "pretended",
    [Int("filters_1", 4, 200), Choice("filters_2", [8, 16]), Float("dropout", 0.0, 0.5)],
    fixed={"blocks": 1, "dense_units": 0, "pooling": "average"},
)
PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
LABELS = np.arange(40) % 2
MODEL = 1280
"""Bytes of a model."""


class PretendedExecutor:
    """Jobs go on by turns, an epoch each; the states that they leave are true ones.

    Args:
        slots: Jobs at once.
        pause: Seconds of an epoch.
        fate: What a job fails with, or None.
    """

    def __init__(
        self, slots: int, pause: float = 0.0, fate: Callable[[TrainJob], FailureKind | None] = lambda job: None
    ) -> None:
        self.slots, self._pause, self._fate = slots, pause, fate
        self._jobs: dict[str, tuple[TrainJob, Iterator[Event]]] = {}
        self._answers: dict[str, bool] = {}
        self._stopped: set[str] = set()

    def submit(self, job: TrainJob) -> None:
        self._jobs[job.id] = (job, self._work(job))

    def stop(self, job_id: str) -> None:
        self._stopped.add(job_id)

    def status(self) -> list[Any]:
        return []

    def close(self) -> None:
        self._jobs.clear()

    def events(self, timeout: float) -> Iterator[Event]:
        for job_id, (_, work) in list(self._jobs.items()):
            event = next(work)
            if isinstance(event, Finished | Failed):
                del self._jobs[job_id]
            yield event

    def _work(self, job: TrainJob) -> Iterator[Event]:
        yield Started(job.id)
        kind = self._fate(job)
        if kind is not None:
            yield Failed(job.id, Failure(kind, "pretended"))
            return
        out = Path(job.out)
        chain, history = "", []
        if job.resume is not None:
            stored = json.loads((Path(job.resume) / "state" / "state.npz").read_text())
            assert stored["settings"] == dict(job.settings) and stored["seed"] == job.seed, "the state of another job"
            chain, history = stored["chain"], stored["history"]
        ended_by = "budget"
        for row in history[job.told or 0 :]:
            yield Reported(job.id, row["epoch"], row["val_accuracy"], dict(row))
        while len(history) < job.budget:
            time.sleep(self._pause)
            chain = hashlib.sha256(f"{chain}{job.seed}{sorted(job.settings.items())}".encode()).hexdigest()
            value = int(chain[:8], 16) / 2**32
            history.append({"epoch": len(history) + 1, "loss": 1.0, "val_accuracy": value, "seconds": 0.1})
            if job.checkpoint is not None:
                self._save(job, chain, history)
            yield Reported(job.id, len(history), value, dict(history[-1]))
            if job.id in self._stopped:
                ended_by = "stopped"
                break
        if job.keep_state:
            self._save(job, chain, history)
        values = [row["val_accuracy"] for row in history]
        note = ""
        try:
            write_npz(out / "stop.npz", {"proba": np.array(values)})
            write_binary(out / "model.keras", lambda file: file.write(chain.encode() * (MODEL // 64)))
        except OSError as error:
            note = f"its model could not be kept: {error.strerror}"
        best = int(np.argmax(values))
        yield Finished(job.id, TrainResult(values[best], best + 1, len(history), 0.5, 100, ended_by, note=note))

    def _save(self, job: TrainJob, chain: str, history: list[dict[str, float]]) -> None:
        stored = {"chain": chain, "history": history, "settings": dict(job.settings), "seed": job.seed}
        with contextlib.suppress(OSError):  # a full disk costs the state, never the trial, as in real training
            write_binary(Path(job.out) / "state" / "state.npz", lambda file: file.write(json.dumps(stored).encode()))


class Killed(BaseException):
    """Stands for SIGKILL, as a job's fate: nothing of the coordinator runs after it."""


def killed_at(job_number: int) -> Callable[[TrainJob], None]:
    """A fate that kills when so many jobs have begun."""
    begun = iter(range(1, 10**6))

    def fate(job: TrainJob) -> None:
        if next(begun) == job_number:
            raise Killed

    return fate


def search(out: Path, *, workers: int = 1, pause: float = 0.0, fate: Any = lambda job: None, **options: Any) -> Any:
    """``fertune.search`` with pretended training; goes on where ``out`` is a run."""
    with mock.patch.object(sitting, "make_executor", lambda *args, **more: PretendedExecutor(workers, pause, fate)):
        return fertune.search(
            SPACE, (PICTURES, LABELS), out=out, resume=True,
            **{"max_epochs": 9, "tuner": "random", "observer": Observer(), **options},
        )  # fmt: skip


def reading(run: Path) -> list[tuple[Any, ...]]:
    """All that the journal says of each trial, apart from times."""
    record = open_record(run)
    assert isinstance(record, fertune.store.SearchRecord)
    return [
        (
            t.id, t.state.value, dict(t.params), t.value, t.best_epoch, t.note, t.history, t.parameters,
            [(r.budget, r.value, r.epochs, sorted(r.tags.items())) for r in t.rungs],
            t.failure.kind.value if t.failure else None,
        )
        for t in record.trials
    ]  # fmt: skip


def files(run: Path) -> list[str]:
    """What lies under ``trials``."""
    return sorted(str(p.relative_to(run / "trials")) for p in (run / "trials").rglob("*") if p.is_file())
