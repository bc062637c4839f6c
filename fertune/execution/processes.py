"""Jobs in warm child processes on this machine, each with its share of the cores."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path

import psutil

from fertune.errors import FertuneError
from fertune.trial import Event, Failed, Failure, FailureKind, Finished, Job, Reported, Started, WorkerStatus

THREAD_VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerError(FertuneError):
    """A worker process could not be started at all."""

    exit_code = 1


def worker_environment(threads: int) -> dict[str, str]:
    """The environment of a worker that may use ``threads`` cores."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1", "TF_NUM_INTEROP_THREADS": "1"}
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    environment.pop("FERTUNE_COORDINATOR", None)
    return environment


class _Child:
    """One process and the pipe to it."""

    def __init__(self, number: int, runner: str, environment: Mapping[str, str], log: Path) -> None:
        self.number = number
        self.log = log
        self.job: Job | None = None
        self.connection: Connection | None = None
        self._lock = threading.Lock()
        key = secrets.token_bytes(16)
        listener = Listener(authkey=key)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fertune.execution.worker"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        package = str(Path(__file__).resolve().parents[2])
        start = {"address": listener.address, "key": key.hex(), "runner": runner, "path": [*sys.path, package]}
        if self.process.stdin is None:
            raise RuntimeError("a pipe was asked for")
        try:
            self.process.stdin.write(json.dumps(start).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:  # it died at once; ``alive`` tells
            pass
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: Listener) -> None:
        try:
            self.connection = listener.accept()
        except OSError:  # the child went before it called
            return
        finally:
            listener.close()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, *message: object) -> None:
        """Say something; a child that is gone is found by ``events``, not here."""
        if self.connection is None:
            return
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def last_words(self) -> str:
        """The end of its log, one line."""
        try:
            lines = self.log.read_text("utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.connection is not None:
            self.connection.close()


def _death(child: _Child) -> Failure:
    code = child.process.wait()
    if code == -9:
        return Failure(
            FailureKind.OUT_OF_MEMORY, "the worker was killed (signal 9), as the kernel does when memory ends"
        )
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return Failure(FailureKind.CRASHED, f"the worker ended with {how}: {child.last_words()}")


class ProcessExecutor:
    """Runs jobs in ``workers`` spawned processes, started at once and kept warm.

    A job that ends its process (out of memory, a crash in native code) is Failed; a new worker takes the next one. A
    worker whose resident memory after a job is above ``memory_limit`` is replaced before the next.

    Args:
        workers: How many.
        threads: Cores each may use; by default the machine's cores divided among them.
        runner: Dotted name of the module that does the jobs (``run`` and ``classify``).
        log_dir: Where ``worker-<n>.log`` go: what libraries print in the children.
        memory_limit: Bytes; by default 60 % of the machine's memory divided among the workers.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        threads: int | None = None,
        runner: str = "fertune.training.runner",
        log_dir: Path,
        memory_limit: int | None = None,
    ) -> None:
        self.workers = workers
        self.threads = threads or max(1, cores() // workers)
        self._runner = runner
        self._log_dir = log_dir
        self._limit = memory_limit or int(0.6 * psutil.virtual_memory().total / workers)
        self._queue: deque[Job] = deque()
        self._dropped: list[Job] = []
        self._begun: list[Started] = []
        self._answering: str | None = None
        self._go = True
        self._lost_starts = 0
        self._children = [self._start(n) for n in range(workers)]

    def _start(self, number: int) -> _Child:
        return _Child(number, self._runner, worker_environment(self.threads), self._log_dir / f"worker-{number}.log")

    @property
    def slots(self) -> int:
        return self.workers

    def status(self) -> list[WorkerStatus]:
        return [
            WorkerStatus(c.number, c.job.id if c.job else None, c.connection is not None, threads=self.threads)
            for c in self._children
        ]

    def submit(self, job: Job) -> None:
        self._queue.append(job)
        self._hand_out()

    def stop(self, job_id: str) -> None:
        if job_id == self._answering:
            self._go = False
            return
        for child in self._children:
            if child.job is not None and child.job.id == job_id:
                child.send("stop", job_id)
        for job in [job for job in self._queue if job.id == job_id]:
            self._queue.remove(job)
            self._dropped.append(job)

    def _hand_out(self) -> None:
        for child in self._children:
            if self._queue and child.job is None and child.connection is not None and child.alive:
                child.job = self._queue.popleft()
                child.send("job", child.job)
                self._begun.append(Started(child.job.id, child.number))

    def _replace(self, child: _Child) -> None:
        child.kill()
        self._children[self._children.index(child)] = self._start(child.number)

    def _bury(self, child: _Child) -> Iterator[Event]:
        """A child is gone: tell it of its job, and start another."""
        failure = _death(child)
        job, started = child.job, child.connection is not None
        if not started:
            self._lost_starts += 1
            if self._lost_starts > 3:
                raise WorkerError(
                    "worker processes end before they start",
                    details=[failure.message],
                    help=f"what they printed: {child.log}",
                )
        self._replace(child)
        if job is not None:
            yield Failed(job.id, failure)

    def events(self, timeout: float) -> Iterator[Event]:
        self._hand_out()
        while self._begun:
            yield self._begun.pop(0)
        while self._dropped:
            yield Finished(self._dropped.pop().id, None)
        connections = [c.connection for c in self._children if c.connection is not None]
        pause = min(timeout, 0.1)  # a death or a new worker is seen this soon
        ready: list[object] = []
        if connections:
            ready = list(wait(connections, pause))
        else:
            time.sleep(pause)
        for child in list(self._children):
            if child.connection in ready:
                yield from self._hear(child)
            elif not child.alive:
                yield from self._bury(child)
        self._hand_out()

    def _hear(self, child: _Child) -> Iterator[Event]:
        if child.connection is None:
            return
        try:
            message = child.connection.recv()
        except (EOFError, OSError):
            yield from self._bury(child)
            return
        match message:
            case ("reported", Reported() as event):
                self._answering, self._go = event.job_id, True
                yield event
                self._answering = None
                child.send("go", self._go)
            case ("finished", Finished() as event, memory):
                child.job = None
                if memory > self._limit:
                    self._replace(child)
                yield event
            case ("failed", Failed() as event):
                child.job = None
                yield event

    def close(self) -> None:
        for child in self._children:
            child.kill()
        self._children = []


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
