"""The child process: started once, kept warm, does one job after the other.

Started as ``python -m fertune.execution.worker`` rather than by ``multiprocessing``, so that a script or notebook
without an ``if __name__ == "__main__"`` guard is never imported a second time. The first line of its standard input is
JSON: address, key, runner module, ``sys.path``. It ends when the coordinator does: the reading thread sees the line
close, and where it cannot, the coordinator's guard does.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
from multiprocessing.connection import Client, Connection
from pathlib import Path

import psutil

from fertune.execution.wire import BEAT, Asking, Message, Runner
from fertune.trial import Failed, Finished, Job

MORE_LIKELY = "500"
"""Added to the kernel's score (to 1000) of whom to kill when memory ends: a worker can be replaced."""


class _Line:
    """The connection, for several threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()

    def send(self, *message: object) -> None:
        with self._lock:
            self.connection.send(message)


class _Worker:
    def __init__(self, line: _Line) -> None:
        self._line = line
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._context: Asking | None = None
        self._me = psutil.Process()

    def listen(self) -> None:
        """Begin to hear and to beat, each in a thread of its own: a stop must arrive while a batch is trained."""
        for target in (self._read, self._beat):
            threading.Thread(target=target, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                message: Message = self._line.connection.recv()
            except (EOFError, OSError):
                _end()  # the coordinator is gone: nothing that goes on here could be told to anybody
            match message:
                case ("job", job):
                    self._context = Asking(job.id, lambda event: self._line.send("reported", event))
                    self._jobs.put(job)
                case ("go", answer):
                    if self._context is not None:
                        self._context.answers.put(answer)
                case ("stop", job_id):
                    if self._context is not None and self._context.job_id == job_id:
                        self._context.stop.set()
                case ("exit",):
                    self._jobs.put(None)

    def _beat(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # the coordinator is gone: ``_read`` sees it and ends all
                self._line.send("beat", *self._memory())
            time.sleep(BEAT)

    def _memory(self) -> tuple[int, int]:
        """Resident bytes, and those of them that are neither shared nor mapped from a file."""
        info = self._me.memory_info()
        return int(info.rss), int(info.rss - getattr(info, "shared", 0))

    def serve(self, runner: Runner) -> None:
        warm = getattr(runner, "warm", None)
        if warm is not None:
            with contextlib.suppress(Exception):  # the first job meets it again, and tells it as its own failure
                warm()
        self._line.send("ready", os.getpid())
        while (job := self._jobs.get()) is not None:
            context = self._context
            if context is None:
                raise RuntimeError("a job arrived without its context")
            self._line.send("started", job.id)
            try:
                result = runner.run(job, context)
            except BaseException as error:  # whatever a user's model or a library raises is this trial's failure
                self._line.send("failed", Failed(job.id, runner.classify(error)), *self._memory())
            else:
                self._line.send("finished", Finished(job.id, result), *self._memory())


def _end() -> None:
    """End this process and whatever it started."""
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(3)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # no Linux, or not allowed: then the kernel chooses as it likes
        Path("/proc/self/oom_score_adj").write_text(MORE_LIKELY, "ascii")
    start = json.loads(sys.stdin.readline())
    sys.path[:] = [*start["path"], *(p for p in sys.path if p not in start["path"])]
    worker = _Worker(_Line(Client(start["address"], authkey=bytes.fromhex(start["key"]))))
    worker.listen()
    worker.serve(importlib.import_module(start["runner"]))


if __name__ == "__main__":
    main()
