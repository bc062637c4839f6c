"""How many workers suit this machine: measured by training a small LeakyReLU net in real workers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from fertune.data import ImageDataset, open_dataset
from fertune.data.cache import forget
from fertune.errors import FertuneError
from fertune.execution import ProcessExecutor
from fertune.execution.gpus import choose_gpus
from fertune.execution.machine import cores, memory_free
from fertune.execution.make import WORKER_MEMORY
from fertune.execution.slots import share_out
from fertune.trial import Failed, Objective, Reported, Rows, TrainJob, Value

DATA = "builtin:faces?n=2400&size=48&seed=48103"
"""Drawn for this and forgotten afterwards."""
NET: dict[str, Value] = {
    "blocks": 3, "convs": 2, "filters_1": 24, "filters_2": 48, "filters_3": 64, "activation": "leaky_relu",
    "batch_norm": True, "dense_units": 64, "pooling": "average", "batch_size": 64, "early_stopping_patience": 0,
}  # fmt: skip
SECONDS = 5.0
"""For which each split trains after its first epoch."""
START_SECONDS = 90.0
"""That workers may take to their first epoch."""
MANY = 100_000
"""Epochs asked for; the job is stopped long before."""
BUSY = 0.3
"""Share of the cores at work for others above which a measurement is worth nothing."""


@dataclass(frozen=True)
class Measured:
    """One split.

    Attributes:
        workers, threads: Workers, and cores for each.
        images_a_second: Trained by all of them together; 0 where it failed.
        problem: Why it failed, else empty.
    """

    workers: int
    threads: int
    images_a_second: float
    problem: str = ""


def splits(cores: int, memory: int) -> list[tuple[int, int]]:
    """(workers, threads) worth a try: 1, 2, 4, ... workers and one a core, as far as memory holds."""
    counts = sorted({*(2**k for k in range(cores.bit_length()) if 2**k <= cores), cores})
    fit = [n for n in counts if n == 1 or n * WORKER_MEMORY <= memory]
    return [(n, cores // n) for n in fit]


def busy(seconds: float = 0.5) -> float:
    """Share of this process' cores that others keep at work, 0 to 1."""
    loads = psutil.cpu_percent(interval=seconds, percpu=True)
    mine = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else range(len(loads))
    of_mine = [loads[i] for i in mine if i < len(loads)]
    return sum(of_mine) / (100 * len(of_mine)) if of_mine else 0.0


def measure(
    *,
    tried: Sequence[tuple[int, int]] | None = None,
    seconds: float = SECONDS,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[Measured]:
    """Images a second of each split on the processor, in the order of workers.

    Args:
        tried: (workers, threads); by default ``splits`` of this machine.
        seconds: For which each trains.
        progress: Told what is measured, and how many of how many are done.
    """
    todo = list(tried) if tried is not None else splits(cores(), memory_free())
    dataset = open_dataset(DATA)
    found = []
    try:
        for done, (workers, threads) in enumerate(todo):
            progress(f"measuring {workers} x {threads} threads", done, len(todo))
            found.append(_one(dataset, workers, threads, seconds))
        progress("measuring", len(todo), len(todo))
    finally:
        forget(dataset)
    return found


def _one(dataset: ImageDataset, workers: int, threads: int, seconds: float) -> Measured:
    with tempfile.TemporaryDirectory(prefix="fertune-doctor-") as folder:
        executor = ProcessExecutor(
            slots=share_out(workers, workers * threads, choose_gpus("none"), threads=threads),
            log_dir=Path(folder),
            hide_gpus=True,
        )
        try:
            return Measured(workers, threads, _rate(executor, dataset, workers, seconds, Path(folder)))
        except (FertuneError, _Failed) as error:
            return Measured(workers, threads, 0.0, str(error).splitlines()[0][:300])
        finally:
            executor.close()


class _Failed(Exception):
    """A worker could not train."""


def _rate(executor: ProcessExecutor, dataset: ImageDataset, workers: int, seconds: float, folder: Path) -> float:
    """Images a second while all workers train, their first epoch (which builds and traces the net) left out."""
    rows = len(dataset.positions("train"))
    for n in range(workers):
        executor.submit(
            TrainJob(
                id=f"doctor-{n}",
                data=str(dataset.folder),
                fingerprint=dataset.fingerprint,
                fit=Rows(splits=("train",)),
                stop=Rows(splits=("validation",)),
                family="conv",
                settings=NET,
                budget=MANY,
                objective=Objective("val_accuracy", "max"),
                seed=n,
                out=str(folder / str(n)),
            )
        )
    warm: dict[str, float] = {}
    ends: dict[str, list[float]] = {}
    begun = time.monotonic()
    until = begun + START_SECONDS
    while time.monotonic() < until:
        for event in executor.events(0.2):
            now = time.monotonic()
            if isinstance(event, Failed):
                raise _Failed(event.failure.message)
            if not isinstance(event, Reported):
                continue
            if event.job_id not in warm:
                warm[event.job_id] = now
                if len(warm) == workers:
                    until = now + seconds
            else:
                ends.setdefault(event.job_id, [warm[event.job_id]]).append(now)
        if len(warm) == workers and len(ends) < workers:  # an epoch of a slow machine may be longer than all this
            until = max(until, min(time.monotonic() + 1.0, begun + 2 * START_SECONDS))
    if len(ends) < workers:
        raise _Failed(f"{workers - len(ends)} of {workers} workers trained no second epoch in time")
    last = max(warm.values())
    return sum(_images(times, last, rows) for times in ends.values())


def _images(times: Sequence[float], last: float, rows: int) -> float:
    """Images a second of one worker, from the last end of an epoch before all were at work."""
    start = max([i for i, t in enumerate(times) if t <= last], default=0)
    start = min(start, len(times) - 2)
    return rows * (len(times) - 1 - start) / (times[-1] - times[start])
