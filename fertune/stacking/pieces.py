"""Training the models of a stack, piece by piece: one configuration on one fold or one bag.

Each finished piece is in the journal and on disk before the next is asked for; a resumed stack trains none twice.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fertune.searching import Observer
from fertune.store import FoldRun, Journal
from fertune.store.checkpoints import STATE, STATE_EVERY, resumable
from fertune.store.records import fold_runs
from fertune.store.trials import failure_json
from fertune.trial import (
    Event,
    Executor,
    Failed,
    Failure,
    FailureKind,
    Finished,
    PredictJob,
    Reported,
    Started,
    TrainJob,
    TrainResult,
)

MARGIN = 0.95
"""Part of its time that a piece gets: trainings end on whole epochs, and are a little late."""
STOP_PATIENCE = 20.0
"""Seconds that trainings get to end when they are told to; nobody waits longer."""


@dataclass(frozen=True)
class Piece:
    """One model to be trained.

    Attributes:
        member: Name of the configuration or variant.
        fold: From 0.
        kind: ``fold`` or ``bag``.
    """

    member: str
    fold: int
    kind: str
    job: TrainJob

    @property
    def folder(self) -> Path:
        return Path(self.job.out)

    @property
    def on_disk(self) -> bool:
        return (self.folder / "model.keras").exists() and (self.folder / "held_out.npz").exists()


class StackHalted(Exception):
    """The user interrupted; not an error, caught by the stack."""


class Trainer:
    """Runs pieces and predictions on an executor and writes down what came of each.

    Args:
        deadline: ``time.monotonic()`` after which no training goes on.
        stop_requested: Asked between events.
        divide: Give each piece its part of the time that is left (``TrainJob.seconds``), so that all come to their end.
    """

    def __init__(
        self,
        executor: Executor,
        journal: Journal,
        observer: Observer,
        *,
        deadline: float | None,
        stop_requested: Callable[[], bool],
        divide: bool = False,
    ) -> None:
        self._executor, self._journal, self._observer = executor, journal, observer
        self._deadline, self._stop_requested, self._divide = deadline, stop_requested, divide
        self._pieces: dict[str, Piece] = {}
        self._running: set[str] = set()
        self._cut = False

    @property
    def runs(self) -> dict[tuple[str, int], FoldRun]:
        """What is known of each piece."""
        return {(r.member, r.fold): r for r in fold_runs(self._journal.lines)}

    def train(self, pieces: Sequence[Piece], later: int = 0) -> None:
        """Train what is not trained yet, in order; ends early at the deadline.

        A configuration of which one fold failed is not trained on its other folds: it cannot be complete any more.

        Args:
            later: Pieces that will come after these, before the same deadline.

        Raises:
            StackHalted: The user interrupts; finished pieces are kept.
        """
        known = self.runs
        done = {
            (p.member, p.fold)
            for p in pieces
            if (r := known.get((p.member, p.fold))) and r.state == "completed" and p.on_disk
        }
        todo = [p for p in pieces if (p.member, p.fold) not in done]
        self._pieces = {p.job.id: p for p in todo}
        broken = {p.member for p in pieces if (r := known.get((p.member, p.fold))) and r.state == "failed"}
        todo = [p for p in todo if p.member not in broken]
        begun, whole = 0, len(todo) + later
        while todo or self._running:
            todo = [p for p in todo if p.member not in broken]
            while todo and len(self._running) < self._executor.slots and not self._over():
                piece = self._timed(todo.pop(0), begun, whole)
                begun += 1
                self._journal.write("fold", member=piece.member, fold=piece.fold, kind=piece.kind)
                self._pieces[piece.job.id] = piece
                self._running.add(piece.job.id)
                self._executor.submit(_going_on(piece))
            for event in self._executor.events(0.2):
                broken |= self._handle(event)
            self._observer.tick()
            if self._over():
                if self._stop_requested():
                    self._observer.said("stopping, a few seconds")
                self._halt()
                if self._stop_requested():
                    raise StackHalted
                return

    def _timed(self, piece: Piece, number: int, whole: int) -> Piece:
        """The piece with its part of the time until the deadline, where it is the ``number``-th of ``whole`` pieces.

        They run in rounds of as many as there are workers; what one round leaves is divided among those after it.
        """
        if not self._divide or self._deadline is None:
            return piece
        slots = self._executor.slots
        rounds = max(-(-whole // slots) - number // slots, 1)
        seconds = max(MARGIN * (self._deadline - time.monotonic()) / rounds, 0.1)
        return replace(piece, job=replace(piece.job, seconds=seconds))

    def _over(self) -> bool:
        return self._stop_requested() or (self._deadline is not None and time.monotonic() > self._deadline)

    def _halt(self) -> None:
        self._cut = True
        for job_id in list(self._running):
            self._executor.stop(job_id)
        until = time.monotonic() + STOP_PATIENCE
        while self._running and time.monotonic() < until:
            for event in self._executor.events(0.2):
                self._handle(event)
        self._running.clear()
        self._cut = False

    def _handle(self, event: Event) -> set[str]:
        """Write an event down; returns the configuration that it breaks, if any."""
        piece = self._pieces.get(event.job_id)
        if piece is None or event.job_id not in self._running:
            return set()
        if isinstance(event, Started):
            self._journal.write(
                "fold_started", lasting=False, member=piece.member, fold=piece.fold, worker=event.worker
            )
            self._observer.fold_started(piece.member, piece.fold, piece.kind)
            return set()
        if isinstance(event, Reported):
            self._journal.write(
                "fold_epoch",
                lasting=False,
                member=piece.member,
                fold=piece.fold,
                step=event.step,
                value=event.value,
                logs=event.logs,
            )
            self._observer.fold_epoch(piece.member, piece.fold, piece.kind, {"epoch": event.step, **event.logs})
            return set()
        self._running.discard(event.job_id)
        if isinstance(event, Failed):
            if event.failure.kind is FailureKind.OUT_OF_MEMORY and not piece.job.alone and not self._cut:
                again = replace(piece, job=replace(piece.job, alone=True))
                self._pieces[again.job.id] = again
                self._journal.write("fold", member=piece.member, fold=piece.fold, kind=piece.kind)
                self._running.add(again.job.id)
                self._executor.submit(_going_on(again))
                return set()
            return self._told(piece, "failed", failure=event.failure)
        result: TrainResult | None = event.result
        if self._cut and (result is None or result.ended_by in ("stopped", "pruned")):
            return self._told(piece, "stopped")
        if result is None or not math.isfinite(result.value):
            return self._told(piece, "failed", failure=Failure(FailureKind.CRASHED, "the job ended without a value"))
        return self._told(piece, "completed", result=result)

    def _told(
        self, piece: Piece, outcome: str, *, result: TrainResult | None = None, failure: Failure | None = None
    ) -> set[str]:
        fields: dict[str, Any] = {}
        if result is not None:
            fields = {
                "value": result.value,
                "best_epoch": result.best_epoch,
                "epochs": result.epochs,
                "seconds": result.seconds,
                "parameters": result.parameters,
            }
        if failure is not None:
            fields["failure"] = failure_json(failure)
        self._journal.write("fold_told", member=piece.member, fold=piece.fold, outcome=outcome, **fields)
        if outcome != "stopped":
            shutil.rmtree(piece.folder / STATE, ignore_errors=True)
            self._observer.fold_ended(self.runs[(piece.member, piece.fold)])
        return {piece.member} if failure is not None else set()

    def predict(self, jobs: Iterable[PredictJob]) -> dict[str, float]:
        """Run prediction jobs whose output is not there yet.

        Returns:
            Wall seconds of each job that ran, by its id.

        Raises:
            StackHalted: The user interrupts.
            RuntimeError: A kept model cannot predict: a bug, or a damaged file.
        """
        todo = [job for job in jobs if not Path(job.out).exists()]
        running: dict[str, float] = {}
        seconds: dict[str, float] = {}
        while todo or running:
            while todo and len(running) < self._executor.slots:
                job = todo.pop(0)
                running[job.id] = time.monotonic()
                self._executor.submit(job)
            for event in self._executor.events(0.2):
                if event.job_id not in running:
                    continue  # a training that was told to stop and took its time: nobody waits for it any more
                if isinstance(event, Failed):
                    raise RuntimeError(f"{event.job_id}: {event.failure.message}\n{event.failure.trace}")
                if isinstance(event, Finished):
                    seconds[event.job_id] = time.monotonic() - running.pop(event.job_id)
            self._observer.tick()
            if self._stop_requested():
                raise StackHalted
        return seconds


def _going_on(piece: Piece) -> TrainJob:
    """The job of a piece, from its last full state where it was cut off."""
    return replace(piece.job, resume=resumable(piece.folder), told=0, checkpoint=STATE_EVERY)
