"""The child process: started once, kept warm, does one job after the other.

Started as ``python -m fertune.execution.worker`` rather than by ``multiprocessing``, so that a script or notebook
without an ``if __name__ == "__main__"`` guard is never imported a second time. The first line of its standard input is
JSON: address, key, runner module, ``sys.path``. It ends when the coordinator does: the reading thread sees the pipe
close.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Client, Connection

import psutil

from fertune.execution.wire import Message, Runner
from fertune.trial import Failed, Finished, Job, Reported


class _Context:
    """One job's line to the coordinator."""

    def __init__(self, connection: Connection, job_id: str) -> None:
        self._connection = connection
        self.job_id = job_id
        self.answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.stop = threading.Event()

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        self._connection.send(("reported", Reported(self.job_id, step, value, logs)))
        return self.answers.get()

    def stopping(self) -> bool:
        return self.stop.is_set()


class _Worker:
    def __init__(self, connection: Connection, runner: Runner) -> None:
        self._connection = connection
        self._runner = runner
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._context: _Context | None = None

    def _read(self) -> None:
        """Runs in a thread: a stop must arrive while a batch is being trained."""
        while True:
            try:
                message: Message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(3)  # the coordinator is gone: nothing that goes on here could be told to anybody
            match message:
                case ("job", job):
                    self._context = _Context(self._connection, job.id)
                    self._jobs.put(job)
                case ("go", answer):
                    if self._context is not None:
                        self._context.answers.put(answer)
                case ("stop", job_id):
                    if self._context is not None and self._context.job_id == job_id:
                        self._context.stop.set()
                case ("exit",):
                    self._jobs.put(None)

    def serve(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        self._connection.send(("ready", os.getpid()))
        me = psutil.Process()
        while (job := self._jobs.get()) is not None:
            context = self._context
            if context is None:
                raise RuntimeError("a job arrived without its context")
            try:
                result = self._runner.run(job, context)
            except BaseException as error:  # whatever a user's model or a library raises is this trial's failure
                self._connection.send(("failed", Failed(job.id, self._runner.classify(error))))
            else:
                self._connection.send(("finished", Finished(job.id, result), me.memory_info().rss))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(sys.stdin.readline())
    sys.path[:] = [*start["path"], *(p for p in sys.path if p not in start["path"])]
    connection = Client(start["address"], authkey=bytes.fromhex(start["key"]))
    runner = importlib.import_module(start["runner"])
    _Worker(connection, runner).serve()


if __name__ == "__main__":
    main()
