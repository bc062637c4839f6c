"""A runner whose jobs meet what ``filters_1`` of their settings stands for; workers import it by its name."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from fertune.files import write_binary
from fertune.training.failures import NanLoss, classify
from fertune.trial import TrainJob, TrainResult

FATES = ("good", "killed", "killed once", "no memory", "hangs", "prints garbage", "nan", "cannot be built", "callback")
FIRST = 10

__all__ = ["FATES", "FIRST", "classify", "run"]


def fate_of(settings: Any) -> str:
    return FATES[int(settings["filters_1"]) - FIRST]


def run(job: TrainJob, context: Any) -> TrainResult:
    fate = fate_of(job.settings)
    if fate == "cannot be built":
        raise ValueError("Negative dimension size caused by subtracting 2 from 1")
    if fate == "no memory":
        limits = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (2**33, limits[1]))
        try:
            np.ones(2**36)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limits)
    state = Path(job.out) / "state" / "state.npz"
    history = json.loads(state.read_text()) if job.resume is not None else []
    for row in history[job.told or 0 :]:
        context.report(row["epoch"], row["val_accuracy"], row)
    while len(history) < job.budget:
        epoch = len(history) + 1
        if fate == "hangs" and epoch == 2:
            time.sleep(3600)
        if fate == "prints garbage":
            os.write(1, b"\x00\xff garbage \x1b[2J" * 5000)
        if fate == "nan" and epoch == 3:
            raise NanLoss("NaN", 3, 0.1)
        if fate == "callback" and epoch == 2:
            raise KeyError("raised in a callback")
        history.append({"epoch": epoch, "val_accuracy": epoch / 10, "loss": 1.0})
        write_binary(state, lambda file: file.write(json.dumps(history).encode()))
        if fate == "killed" or (fate == "killed once" and epoch == 3 and job.resume is None):
            os.kill(os.getpid(), signal.SIGKILL)
        context.report(epoch, epoch / 10, history[-1])
    write_binary(Path(job.out) / "model.keras", lambda file: file.write(b"model"))
    return TrainResult(job.budget / 10, job.budget, job.budget, 0.1, 10, "budget")
