"""One worker process as the coordinator sees it: the process, the line to it, and its last sign of life."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import IO

import psutil

from fertune.execution import guard
from fertune.execution.slots import Slot
from fertune.execution.wire import LONGEST_MESSAGE, Message
from fertune.trial import Failure, FailureKind, Job

PATIENCE = 2.0
"""Seconds between the end of a line and the end of its process, where both end."""

Inbox = queue.SimpleQueue[tuple["Child", Message]]


class Guard:
    """The process that ends the workers when this one is gone; see ``fertune.execution.guard``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        if os.name == "posix":
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(guard.__file__)], stdin=subprocess.PIPE, start_new_session=True
            )

    def watch(self, pid: int) -> None:
        """End the group of this process, should this coordinator die."""
        self._say(b"+%d\n" % pid)

    def forget(self, pid: int) -> None:
        """It is gone."""
        self._say(b"-%d\n" % pid)

    def _say(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with self._lock, contextlib.suppress(OSError, ValueError):  # it was killed, or closed: nobody guards then
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def close(self) -> None:
        """Let it end; it kills what is still watched."""
        if self._process is not None and self._process.stdin is not None:
            with self._lock, contextlib.suppress(OSError):  # it was killed: what it did not read is lost with it
                self._process.stdin.close()
            self._process.wait()


class Child:
    """One process and the line to it; three threads wait for what it says, for its end, and to send.

    Messages of the child go to ``inbox``, and of the threads ``("garbage", cause)``, after which nothing more comes of
    the line, ``("closed",)``, its line ended although it lives, and, as the last one, ``("ended",)``.

    Args:
        slot: Its place.
        runner: Dotted name of the module that does the jobs.
        environment: Of the process.
        log: File to which all goes that is printed in it.

    Attributes:
        ready: Whether it takes jobs.
        job: What it does.
        started: Whether it said that it took ``job``.
        since: ``time.monotonic()`` at which it took its job, or became idle.
        heard: ``time.monotonic()`` of its last sign of life.
        resident, own: Bytes at that time; ``own`` without the pages that it shares or maps.
        jobs: How many it has done.
        computed: (``time.monotonic()``, seconds of processor time) of its first unheard moment; None while it is heard.
    """

    def __init__(
        self, slot: Slot, runner: str, environment: Mapping[str, str], log: Path, inbox: Inbox, guard: Guard
    ) -> None:
        self.slot, self.log = slot, log
        self.job: Job | None = None
        self.ready = self.started = self.gone = False
        self.since = self.heard = time.monotonic()
        self.resident = self.own = self.jobs = 0
        self.computed: tuple[float, float] | None = None
        self._inbox, self._guard = inbox, guard
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._over = threading.Event()
        key = secrets.token_bytes(16)
        listener = Listener(authkey=key)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = _spawn(environment, output)
        guard.watch(self.process.pid)
        package = str(Path(__file__).resolve().parents[2])
        start = {"address": listener.address, "key": key.hex(), "runner": runner, "path": [*sys.path, package]}
        if self.process.stdin is None:
            raise RuntimeError("a pipe was asked for")
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:  # dead at once: ``ended`` says so
            pipe.write(json.dumps(start).encode() + b"\n")
        self._reader = threading.Thread(target=self._accept, args=(listener, key), daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, args=(listener.address, key), daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether it can be given a job."""
        return self.ready and self.job is None

    def _accept(self, listener: Listener, key: bytes) -> None:
        try:
            connection = listener.accept()
        except Exception:  # whatever called was not a worker that knows the key
            return
        finally:
            listener.close()
        threading.Thread(target=self._write, args=(connection,), daemon=True).start()
        self._read(connection)
        self._outbox.put(None)

    def _read(self, connection: Connection) -> None:
        while True:
            try:
                data = connection.recv_bytes(LONGEST_MESSAGE)
            except (EOFError, ConnectionError):
                if not self._over.wait(PATIENCE):
                    self._inbox.put((self, ("closed",)))
                return
            except OSError as error:
                self._inbox.put((self, ("garbage", str(error))))
                return
            try:
                message = ForkingPickler.loads(data)
            except Exception as error:  # bytes from elsewhere can raise anything
                self._inbox.put((self, ("garbage", f"{type(error).__name__}: {error}")))
                return
            self.heard, self.computed = time.monotonic(), None
            self._inbox.put((self, message))

    def _write(self, connection: Connection) -> None:
        while (data := self._outbox.get()) is not None:
            try:
                connection.send_bytes(data)
            except OSError:  # it is gone, which ``_wait`` sees
                break
        connection.close()

    def _wait(self, address: str, key: bytes) -> None:
        self.process.wait()
        self._over.set()
        self._guard.forget(self.process.pid)
        if self._reader.is_alive():
            with contextlib.suppress(Exception):  # where nobody has called yet, this ends the waiting for it
                Client(address, authkey=key).close()
        self._reader.join(PATIENCE)
        self._inbox.put((self, ("ended",)))

    def send(self, *message: object) -> None:
        """Say something; never waits, and a child that is gone is told of by ``inbox``.

        Raises:
            Exception: The message cannot be pickled.
        """
        self._outbox.put(bytes(ForkingPickler.dumps(message)))

    def give(self, job: Job) -> None:
        """Let it do a job."""
        self.send("job", job)
        self.job, self.started, self.since = job, False, time.monotonic()

    def take_back(self) -> None:
        """Its job has ended."""
        self.job, self.since = None, time.monotonic()
        self.jobs += 1

    def computes(self) -> bool:
        """Whether it used the processor since this was first asked after it was last heard."""
        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:
            return False
        now = (time.monotonic(), times.user + times.system)
        if self.computed is None:
            self.computed = now
            return True
        return bool(now[1] - self.computed[1] > 0.05 * (now[0] - self.computed[0]))

    def last_words(self) -> str:
        """The end of its log, one line."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
                lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:300] if lines else ""

    def death(self) -> Failure:
        """Why its process, which has ended, did."""
        code = self.process.wait()
        if code == -9:
            return Failure(
                FailureKind.OUT_OF_MEMORY, "the worker was killed (signal 9), as the kernel does when memory ends"
            )
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Failure(FailureKind.CRASHED, f"the worker ended with {how}: {self.last_words()}")

    def kill(self) -> None:
        """End it and whatever it started."""
        self.gone = True
        if os.name == "posix":
            with contextlib.suppress(OSError):  # the group is gone already
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._outbox.put(None)


def _spawn(environment: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "fertune.execution.worker"],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        start_new_session=True,
    )
