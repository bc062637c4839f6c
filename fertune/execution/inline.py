"""Jobs in this process, one at a time: for meta-learners, which are small, and for tests."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator

from fertune.execution.wire import Asking, Runner
from fertune.trial import Event, Failed, Finished, Job, Reported, Started, WorkerStatus


class InlineExecutor:
    """Runs jobs in a thread of this process, in the order of ``submit``.

    Args:
        runner: Does the jobs (``run`` and ``classify``).
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._queue: deque[Job] = deque()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._context: Asking | None = None
        self._answering = False
        self._go = True
        self._since, self._jobs = time.monotonic(), 0

    @property
    def slots(self) -> int:
        return 1

    def status(self) -> list[WorkerStatus]:
        job_id = self._context.job_id if self._context else None
        return [WorkerStatus(0, job_id, ready=True, since=self._since, jobs=self._jobs)]

    def submit(self, job: Job) -> None:
        self._queue.append(job)
        self._begin()

    def stop(self, job_id: str) -> None:
        if self._context is not None and self._context.job_id == job_id:
            if self._answering:
                self._go = False
            else:
                self._context.stop.set()
            return
        for job in [job for job in self._queue if job.id == job_id]:
            self._queue.remove(job)
            self._events.put(Finished(job.id, None))

    def _begin(self) -> None:
        if self._context is None and self._queue:
            job = self._queue.popleft()
            self._context, self._since = Asking(job.id, self._events.put), time.monotonic()
            self._events.put(Started(job.id))
            threading.Thread(target=self._work, args=(job, self._context), daemon=True).start()

    def _work(self, job: Job, context: Asking) -> None:
        try:
            result = self._runner.run(job, context)
        except BaseException as error:  # as in a child: whatever a job raises is that job's failure
            self._events.put(Failed(job.id, self._runner.classify(error)))
        else:
            self._events.put(Finished(job.id, result))

    def events(self, timeout: float) -> Iterator[Event]:
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            return
        context = self._context
        if context is None or event.job_id != context.job_id:
            yield event
            return
        if isinstance(event, Reported):
            self._answering, self._go = True, True
            yield event
            self._answering = False
            context.answers.put(self._go)
            return
        if isinstance(event, Started):
            yield event
            return
        self._context, self._since = None, time.monotonic()
        self._jobs += 1
        self._begin()
        yield event

    def close(self) -> None:
        """End what runs as soon as it asks; its thread is a daemon."""
        self._queue.clear()
        if self._context is not None:
            self._context.stop.set()
            self._context.answers.put(False)
