"""A runner whose jobs do what their ``script`` says, for tests of executors; workers import it by its name."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fertune.trial import Failure, FailureKind, TrainResult


@dataclass(frozen=True)
class ScriptedJob:
    """A job of ``epochs`` epochs; in each it does what ``script`` says.

    Attributes:
        script: ``ok``; ``raise`` (a MemoryError); ``kill`` (itself), ``exit``; ``wait`` (until told to stop);
            ``noise`` (prints a lot); ``garbage`` (writes it on every socket it has, the coordinator's line too);
            ``hang up`` (closes these); ``frozen`` (a native call that holds Python's lock and does nothing); ``busy``
            (one that computes, for about ``seconds``); ``asleep`` (a native call that lets others in); ``stopped`` (by
            SIGSTOP); ``grow`` (by ``seconds`` times 100 MB, and waits); ``child`` (starts a process that sleeps, writes
            its number to ``path`` and waits); ``map`` (opens the data set in the folder ``path``, reads all of it and
            keeps it open).
        alone: As of ``TrainJob``.
        seconds: Of an epoch of ``ok``; see above for others.
    """

    id: str
    script: str = "ok"
    epochs: int = 2
    alone: bool = False
    seconds: float = 0.0
    path: str = ""


def _kill(job: ScriptedJob, context: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(job: ScriptedJob, context: Any) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _exit(job: ScriptedJob, context: Any) -> None:
    os._exit(7)


def _raise(job: ScriptedJob, context: Any) -> None:
    raise MemoryError("scripted")


def _noise(job: ScriptedJob, context: Any) -> None:
    print("\x00\xff garbage " * 1000, flush=True)


def _wait(job: ScriptedJob, context: Any) -> None:
    while not context.stopping():
        time.sleep(0.01)


def _sockets() -> list[int]:
    return [fd for fd in range(3, 64) if _is_socket(fd)]


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _garbage(job: ScriptedJob, context: Any) -> None:
    for fd in _sockets():
        os.write(fd, b"no message at all " * 50)
    _wait(job, context)


def _hang_up(job: ScriptedJob, context: Any) -> None:
    import socket

    for fd in _sockets():
        socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_WR)
    while True:
        time.sleep(1)


def _frozen(job: ScriptedJob, context: Any) -> None:
    ctypes.PyDLL(None).sleep(1000)


def _asleep(job: ScriptedJob, context: Any) -> None:
    ctypes.CDLL(None).sleep(1000)


def _busy(job: ScriptedJob, context: Any) -> None:
    until = time.monotonic() + job.seconds
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    while time.monotonic() < until:
        sum(range(10**7))
    sys.setswitchinterval(before)


def _grow(job: ScriptedJob, context: Any) -> None:
    held = b"x" * int(job.seconds * 100e6)
    _wait(job, context)
    del held


def _child(job: ScriptedJob, context: Any) -> None:
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    with open(job.path, "w", encoding="ascii") as file:
        file.write(str(started.pid))
    _wait(job, context)


_mapped: list[object] = []


def _map(job: ScriptedJob, context: Any) -> None:
    from fertune.data import ImageDataset  # here, since workers that only run other scripts start sooner without it

    dataset = ImageDataset.open(job.path)
    for begin in range(0, len(dataset), 1000):
        int(dataset.images[begin : begin + 1000].sum())
    _mapped.append(dataset)
    time.sleep(job.seconds)


_SCRIPTS: dict[str, Callable[[ScriptedJob, Any], None]] = {
    "ok": lambda job, context: time.sleep(job.seconds),
    "raise": _raise, "kill": _kill, "exit": _exit, "wait": _wait, "noise": _noise, "garbage": _garbage,
    "hang up": _hang_up, "frozen": _frozen, "busy": _busy, "asleep": _asleep, "stopped": _stop, "grow": _grow,
    "child": _child, "map": _map,
}  # fmt: skip


def run(job: ScriptedJob, context: Any) -> TrainResult:
    """Do what the script says; each report tells the process (``pid``) and its number of threads (``threads``)."""
    ended_by = "budget"
    step = 0
    own = {"pid": float(os.getpid()), "threads": float(os.environ.get("OMP_NUM_THREADS", "0"))}
    for step in range(1, job.epochs + 1):
        _SCRIPTS[job.script](job, context)
        if context.stopping():
            ended_by = "stopped"
            break
        if not context.report(step, step / 10, {"loss": 1.0 / step, **own}):
            ended_by = "pruned"
            break
    return TrainResult(value=step / 10, best_epoch=step, epochs=step, seconds=0.0, parameters=1, ended_by=ended_by)


def classify(error: BaseException) -> Failure:
    """A MemoryError is out of memory, all else crashed."""
    kind = FailureKind.OUT_OF_MEMORY if isinstance(error, MemoryError) else FailureKind.CRASHED
    return Failure(kind, f"{type(error).__name__}: {error}")
