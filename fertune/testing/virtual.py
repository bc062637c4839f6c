"""An executor in virtual time: the real loop, with any number of workers, without models and without waiting."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fertune.trial import Event, Failed, Failure, Finished, Job, Reported, Started, TrainResult, WorkerStatus


def _second(job: Any, step: int) -> float:
    return 1.0


def _half(job: Any, step: int) -> float:
    return 0.5


def _stretch(job: Any) -> tuple[int, int]:
    return int(getattr(job, "first", 0)), int(getattr(job, "budget", 1))


def _never(job: Any) -> Failure | None:
    return None


@dataclass(slots=True, eq=False)
class _Run:
    """One job on one worker."""

    job: Any
    worker: int
    began: float
    step: int
    last: int
    best: float = float("nan")
    best_step: int = 0
    ended: bool = False
    reported: bool = False


class VirtualExecutor:
    """Jobs take virtual seconds: ``events`` moves the clock to whatever happens next and never waits.

    A job is any object with an ``id``; no runner does it, so ``ExecutorContract`` is not for this one. Everything is
    decided by functions of the job, so a run is the same each time. Workers are filled from the lowest number; what
    happens at the same instant comes in the order in which it was brought about. A job with ``alone`` true starts when
    nothing else runs, and nothing starts beside it. Whatever a function raises leaves the loop, which makes a
    coordinator that dies.

    Args:
        slots: Workers, any number.
        seconds: (job, step) -> virtual seconds that epoch ``step`` takes.
        value: (job, step) -> the objective after it.
        stretch: job -> (epochs trained before, epochs trained at the end); by default its ``first`` (else 0) and
            ``budget``.
        fails: job -> what it fails with at the end of its first epoch, or None; asked at that instant.
        better: (new, old) -> whether a value is better.
        logs: (job, step) -> what a report carries beside the value; by default nothing.

    Attributes:
        now: Virtual seconds since the beginning.
        busy: Virtual seconds that workers spent on jobs, all together; ``1 - busy / (slots * now)`` is the idle share.
        done: Jobs that ended.
    """

    def __init__(
        self,
        slots: int = 1,
        *,
        seconds: Callable[[Any, int], float] = _second,
        value: Callable[[Any, int], float] = _half,
        stretch: Callable[[Any], tuple[int, int]] = _stretch,
        fails: Callable[[Any], Failure | None] = _never,
        better: Callable[[float, float], bool] = lambda new, old: new > old,
        logs: Callable[[Any, int], dict[str, float]] = lambda job, step: {},
    ) -> None:
        self._slots = slots
        self._seconds, self._value, self._stretch, self._fails = seconds, value, stretch, fails
        self._better, self._logs = better, logs
        self._free = list(range(slots))
        self._queue: deque[Any] = deque()
        self._runs: dict[str, _Run] = {}
        self._heap: list[tuple[float, int, _Run, str]] = []
        self._told: deque[Event] = deque()
        self._order = 0
        self._alone = False
        self._asking: _Run | None = None
        self._go = True
        self.now = 0.0
        self.busy = 0.0
        self.done = 0

    @property
    def slots(self) -> int:
        return self._slots

    def submit(self, job: Job) -> None:
        self._queue.append(job)
        self._begin()

    def stop(self, job_id: str) -> None:
        run = self._runs.get(job_id)
        if run is not None and run is self._asking:
            self._go = False
        elif run is not None and not run.ended:
            run.ended = True
            self._at(self.now, run, "stopped")
        elif run is None:
            for job in [job for job in self._queue if job.id == job_id]:
                self._queue.remove(job)
                self._told.append(Finished(job_id, None))

    def events(self, timeout: float) -> Iterator[Event]:
        """The next thing that happens; nothing where nothing runs."""
        if self._told:
            yield self._told.popleft()
            return
        while self._heap:
            when, _, run, what = heapq.heappop(self._heap)
            if run.ended and what == "epoch":
                continue
            self.now = when
            yield from self._happen(run, what)
            return

    def _happen(self, run: _Run, what: str) -> Iterator[Event]:
        if what != "epoch":
            yield self._leave(run, Finished(run.job.id, self._result(run, what)))
            return
        if not run.reported:
            failure = self._fails(run.job)
            if failure is not None:
                yield self._leave(run, Failed(run.job.id, failure))
                return
        run.step += 1
        value = self._value(run.job, run.step)
        run.reported = True
        if not run.best_step or self._better(value, run.best):
            run.best, run.best_step = value, run.step
        self._asking, self._go = run, True
        try:
            yield Reported(run.job.id, run.step, value, self._logs(run.job, run.step))
        finally:
            self._asking = None
            self._next(run, self._go)

    def _next(self, run: _Run, go: bool) -> None:
        if not go or run.step >= run.last:
            run.ended = True
            self._at(self.now, run, "budget" if go else "pruned")
        else:
            self._at(self.now + self._seconds(run.job, run.step + 1), run, "epoch")

    def _result(self, run: _Run, ended_by: str) -> TrainResult:
        return TrainResult(run.best, run.best_step, run.step, self.now - run.began, 1, ended_by)

    def _leave(self, run: _Run, event: Event) -> Event:
        run.ended = True
        self.busy += self.now - run.began
        self.done += 1
        del self._runs[run.job.id]
        heapq.heappush(self._free, run.worker)
        self._alone = False
        self._begin()
        return event

    def _begin(self) -> None:
        while self._queue and self._free and not self._alone:
            alone = bool(getattr(self._queue[0], "alone", False))
            if alone and self._runs:
                return
            self._alone = alone
            job = self._queue.popleft()
            first, last = self._stretch(job)
            run = _Run(job, heapq.heappop(self._free), self.now, first, last)
            self._runs[job.id] = run
            self._told.append(Started(job.id, run.worker))
            if first < last:
                self._at(self.now + self._seconds(job, first + 1), run, "epoch")
            else:
                run.ended = True
                self._at(self.now, run, "budget")

    def _at(self, when: float, run: _Run, what: str) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, run, what))

    def status(self) -> list[WorkerStatus]:
        found = [WorkerStatus(number, ready=True) for number in range(self._slots)]
        for run in self._runs.values():
            found[run.worker] = WorkerStatus(run.worker, run.job.id, ready=True, since=run.began)
        return found

    def close(self) -> None:
        """Forget what runs."""
        self._queue.clear()
        self._heap.clear()
        self._told.clear()
        self._runs.clear()
