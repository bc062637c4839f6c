"""A runner whose jobs do what their ``script`` says, for tests of executors; workers import it by its name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

from fertune.trial import Failure, FailureKind, TrainResult


@dataclass(frozen=True)
class ScriptedJob:
    """``script``: ``ok``, ``raise``, ``kill``, ``exit``, ``wait`` (until told to stop) or ``noise`` (prints a lot)."""

    id: str
    script: str = "ok"
    epochs: int = 2


def run(job: ScriptedJob, context: Any) -> TrainResult:
    ended_by = "budget"
    step = 0
    for step in range(1, job.epochs + 1):
        if job.script == "raise":
            raise MemoryError("scripted")
        if job.script == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if job.script == "exit":
            os._exit(7)
        if job.script == "noise":
            print("\x00\xff garbage " * 1000, flush=True)
        while job.script == "wait" and not context.stopping():
            time.sleep(0.01)
        if context.stopping():
            ended_by = "stopped"
            break
        if not context.report(step, step / 10, {"loss": 1.0 / step}):
            ended_by = "pruned"
            break
    return TrainResult(value=step / 10, best_epoch=step, epochs=step, seconds=0.0, parameters=1, ended_by=ended_by)


def classify(error: BaseException) -> Failure:
    kind = FailureKind.OUT_OF_MEMORY if isinstance(error, MemoryError) else FailureKind.CRASHED
    return Failure(kind, f"{type(error).__name__}: {error}")
