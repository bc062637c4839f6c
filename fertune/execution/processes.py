"""Jobs in warm child processes on this machine, each with its share of the cores."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from fertune.errors import FertuneError
from fertune.execution.child import Child, Guard, Inbox
from fertune.execution.environment import worker_environment
from fertune.execution.limits import STUBBORN, Limits, fair_memory
from fertune.execution.machine import cores, memory_free, memory_total
from fertune.execution.slots import Slot, share_out, whole_machine
from fertune.execution.wire import Message
from fertune.trial import (
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Job,
    PredictJob,
    Reported,
    Started,
    WorkerStatus,
)

LOOK = 0.5
"""Seconds between two looks at the limits."""

AWAY = 10.0
"""Seconds between two looks after which this process itself was not there (stopped, or its machine asleep)."""

LOST_STARTS = 3
"""So many workers that end one after the other before they can take a job, while no other can, are no accident."""

ROOM = 2 * 2**30
"""Free bytes with which the wide worker is started while others still work."""


class WorkerError(FertuneError):
    """A worker process could not be started at all."""

    exit_code = 1


class ProcessExecutor:
    """Runs jobs in ``workers`` spawned processes, started when there is something for them to do, and kept warm.

    A job that ends its process (out of memory, a crash in native code), passes a limit or falls silent is Failed; a new
    worker takes the next one. A job with ``alone`` true waits until nothing else runs and then has all cores, in a wide
    worker of its own, whose start (the import of a backend) is begun while the others still work; these stay as they
    are meanwhile, unless memory is short or a GPU is needed.

    Args:
        workers: How many.
        threads: Cores each may use; by default the machine's are shared out among them.
        runner: Dotted name of the module that does the jobs (``run`` and ``classify``).
        log_dir: Where ``worker-<n>.log`` go: what libraries print in the children.
        memory_limit: Bytes of each; by default 60 % of the machine's memory divided among them.
        limits: All limits; by default those of ``Limits``, and ``memory_limit``.
        slots: Places of the workers, in the stead of ``workers`` and ``threads``.
        hide_gpus: No worker is to see a GPU.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        threads: int | None = None,
        runner: str = "fertune.training.runner",
        log_dir: Path,
        memory_limit: int | None = None,
        limits: Limits | None = None,
        slots: Sequence[Slot] | None = None,
        hide_gpus: bool = False,
    ) -> None:
        self._places = list(slots) if slots is not None else share_out(workers, cores(), threads=threads)
        self._wide = whole_machine(self._places, max(cores(), self._places[0].threads))
        self.workers = len(self._places)
        self.threads = self._places[0].threads
        self._runner, self._log_dir, self._hide_gpus = runner, log_dir, hide_gpus
        self._limits = limits or Limits(memory_limit or fair_memory(self.workers))
        self._queue: deque[Job] = deque()
        self._told: deque[Event] = deque()
        self._inbox: Inbox = queue.SimpleQueue()
        self._children: dict[int, Child] = {}
        self._answering: str | None = None
        self._go = True
        self._lost_starts = self._lost_wide = 0
        self._looked = time.monotonic()
        self._guard = Guard()
        self._start(self._places[0])

    def _start(self, slot: Slot) -> Child:
        environment = worker_environment(slot, hide_gpus=self._hide_gpus)
        log = self._log_dir / f"worker-{slot.number}.log"
        child = Child(slot, self._runner, environment, log, self._inbox, self._guard)
        self._children[slot.number] = child
        return child

    @property
    def slots(self) -> int:
        return self.workers

    def status(self) -> list[WorkerStatus]:
        found = []
        for slot in [*self._places, self._wide] if self._wide.number in self._children else self._places:
            child = self._children.get(slot.number)
            if child is None:
                found.append(WorkerStatus(slot.number, threads=slot.threads, device=slot.device))
            else:
                job = child.job.id if child.job else None
                found.append(
                    WorkerStatus(slot.number, job, child.ready, child.since, child.resident, slot.threads, slot.device,
                                 child.jobs)
                )  # fmt: skip
        return found

    def submit(self, job: Job) -> None:
        self._queue.append(job)
        self._hand_out()

    def stop(self, job_id: str) -> None:
        if job_id == self._answering:
            self._go = False
            return
        for child in self._children.values():
            if child.job is not None and child.job.id == job_id:
                child.send("stop", job_id)
        for job in [job for job in self._queue if job.id == job_id]:
            self._queue.remove(job)
            self._told.append(Finished(job.id, None))

    def close(self) -> None:
        for child in list(self._children.values()):
            self._end(child)
        self._queue.clear()
        self._guard.close()

    def events(self, timeout: float) -> Iterator[Event]:
        until = time.monotonic() + timeout
        while True:
            self._hand_out()
            while self._told:
                yield self._told.popleft()
                until = 0.0
            for event in self._look():
                yield event
                until = 0.0
            left = until - time.monotonic()
            if until == 0.0:
                return
            try:
                child, message = self._inbox.get(timeout=max(0.0, min(left, LOOK)))
            except queue.Empty:
                if left <= 0:
                    return
                continue
            if not child.gone:
                for event in self._hear(child, message):
                    yield event
                    until = 0.0

    def _hear(self, child: Child, message: Message) -> Iterator[Event]:
        """Understand one message; a job is ended by its last one."""
        job = child.job
        match message:
            case ("beat", int(resident), int(own)):
                child.resident, child.own = resident, own
                if job is not None and self._limits.too_much(own, self._share(child)):
                    yield from self._lose(child, _over_limit(own))
            case ("ready", int()):
                child.ready, child.since, self._lost_starts = True, time.monotonic(), 0
            case ("started", str(job_id)) if job is not None and job.id == job_id:
                yield self._began(child, job)
            case ("reported", Reported() as event) if job is not None and job.id == event.job_id:
                self._answering, self._go = event.job_id, True
                try:
                    yield event
                finally:
                    self._answering = None
                    child.send("go", self._go)
            case ("finished", Finished() as event, int(), int(own)) if job is not None and job.id == event.job_id:
                self._done(child, own)
                yield event
            case ("failed", Failed() as event, int(), int(own)) if job is not None and job.id == event.job_id:
                self._done(child, own, broken=event.failure.kind is FailureKind.OUT_OF_MEMORY)
                yield event
            case ("ended",):
                yield from self._lose(child, child.death())
            case ("closed",):
                yield from self._lose(child, Failure(FailureKind.CRASHED, "the worker closed its line and lived on"))
            case ("garbage", str(cause)):
                yield from self._lose(
                    child, Failure(FailureKind.CRASHED, f"the worker sent what is no message: {cause}")
                )
            case _:
                what = f"the worker sent what is no message: {str(message)[:100]}"
                yield from self._lose(child, Failure(FailureKind.CRASHED, what))

    def _began(self, child: Child, job: Job) -> Started:
        child.started, child.since = True, time.monotonic()
        return Started(job.id, child.slot.number)

    def _done(self, child: Child, own: int, *, broken: bool = False) -> None:
        """Its job ended by itself; the worker is replaced where it grew too large, or did enough."""
        child.take_back()
        if broken or own > self._limits.memory * self._share(child) or child.jobs >= self._limits.jobs:
            self._end(child)

    def _end(self, child: Child) -> None:
        child.kill()
        if self._children.get(child.slot.number) is child:
            del self._children[child.slot.number]

    def _lose(self, child: Child, failure: Failure) -> Iterator[Event]:
        """A worker is gone, or has to go: tell it of its job."""
        self._end(child)
        job, child.job = child.job, None
        if not child.ready:
            self._lost_starts += 1
            if child.slot is self._wide:
                yield from self._give_up_alone(failure)
            if self._lost_starts > LOST_STARTS and not any(other.ready for other in self._children.values()):
                raise WorkerError(
                    "worker processes end before they start",
                    details=[failure.message],
                    help=f"what they printed: {child.log}",
                )
        elif job is not None:
            if not child.started:
                yield self._began(child, job)
            yield Failed(job.id, failure)

    def _give_up_alone(self, failure: Failure) -> Iterator[Event]:
        """The wide worker was lost before it could take its job; after some times, so is the job."""
        self._lost_wide += 1
        if self._lost_wide >= LOST_STARTS and self._queue and getattr(self._queue[0], "alone", False):
            job = self._queue.popleft()
            self._lost_wide = 0
            yield Started(job.id, self._wide.number)
            yield Failed(job.id, failure)

    def _share(self, child: Child) -> float:
        """The factor of its memory limit: the wide worker has all workers' shares."""
        return float(self.workers) if child.slot is self._wide else 1.0

    def _look(self) -> Iterator[Event]:
        """Give up jobs that take too long, and workers that are silent."""
        now = time.monotonic()
        away = now - self._looked
        if away < LOOK:
            return
        self._looked = now
        for child in list(self._children.values()):
            if away > AWAY:
                child.heard += away
                child.since += away
            silent = now - child.heard
            limit = self._limits.job_seconds
            timed = limit is not None and child.started and not isinstance(child.job, (PredictJob, type(None)))
            if timed and limit is not None and now - child.since > limit:
                said = f"it was still training after {limit:g} s (--trial-timeout)"
                yield from self._lose(child, Failure(FailureKind.TIMED_OUT, said))
            elif silent > self._limits.silence / 2:
                busy = child.computes()
                if silent > self._limits.silence * (STUBBORN if busy else 1.0):
                    said = f"it stopped reporting: no sign of life for {silent:.0f} s"
                    yield from self._lose(child, Failure(FailureKind.TIMED_OUT, said))

    def _hand_out(self) -> None:
        while self._queue:
            job = self._queue[0]
            child = self._for_alone() if self.workers > 1 and getattr(job, "alone", False) else self._for_usual()
            if child is None:
                return
            child.give(self._queue.popleft())

    def _for_usual(self) -> Child | None:
        """A free worker; where there is none, one is started if there is a place for it."""
        wide = self._children.get(self._wide.number)
        if wide is not None:
            if wide.job is not None:
                return None
            if not any(getattr(job, "alone", False) for job in self._queue):
                self._end(wide)
        idle = [c for slot in self._places if (c := self._children.get(slot.number)) is not None and c.idle]
        if idle:
            return idle[0]
        waiting = sum(not getattr(job, "alone", False) for job in self._queue)
        starting = sum(not child.ready for child in self._children.values() if child is not wide)
        for slot in self._places:
            if starting < waiting and slot.number not in self._children:
                self._start(slot)
                starting += 1
        return None

    def _for_alone(self) -> Child | None:
        """The wide worker, when it is ready and nothing else runs; it is started before, where memory allows."""
        others = [child for child in self._children.values() if child.slot is not self._wide]
        wide = self._children.get(self._wide.number)
        busy = any(child.job is not None for child in others)
        if wide is None and (not busy or memory_free() > ROOM):
            wide = self._start(self._wide)
        if busy or wide is None or not wide.idle:
            return None
        if self._wide.gpu is not None or memory_free() < memory_total() / 2:
            for child in others:
                self._end(child)
        return wide


def _over_limit(own: int) -> Failure:
    return Failure(FailureKind.OUT_OF_MEMORY, f"the worker's memory grew to {own / 2**30:.1f} GB, over its limit")
