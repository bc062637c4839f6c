"""From options to an executor."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from fertune.config import AUTO, Where
from fertune.errors import MissingPackage
from fertune.execution.gpus import Gpu, choose_gpus
from fertune.execution.limits import Limits, fair_memory
from fertune.execution.machine import cores, memory_free
from fertune.execution.processes import ProcessExecutor
from fertune.execution.ray_start import check_address
from fertune.execution.slots import Slot, share_out
from fertune.execution.split import Split, remembered
from fertune.trial import Executor

WORKERS_VARIABLE = "FERTUNE_WORKERS"
"""Environment variable: how many workers ``auto`` means."""

MOST = 16
"""Workers that ``auto`` starts at most where nothing was measured."""

WORKER_MEMORY = 3 * 2**29
"""Bytes that a worker of a usual net takes, its backend included; ``auto`` starts no more than fit."""


def make_executor(where: Where, *, log_dir: Path, most: int | None = None) -> Executor:
    """An executor as the options of a run want it.

    Args:
        where: See ``Where``.
        log_dir: Where workers write what libraries print.
        most: Jobs that there can be at once; no more workers than that are started. None: no such limit.

    Raises:
        ConfigError: A GPU that is not there, or more workers than the GPUs take.
        MissingPackage: Ray is wanted and not installed.
    """
    if where.executor == "ray":
        check_where(where)
        from fertune.execution.ray import RayExecutor

        return RayExecutor(where, log_dir=log_dir, most=most)
    slots = local_slots(where, most)
    return ProcessExecutor(
        slots=slots,
        log_dir=log_dir,
        limits=Limits(fair_memory(len(slots)), job_seconds=where.trial_timeout),
        hide_gpus=where.gpus == "none",
    )


def local_slots(where: Where, most: int | None = None) -> list[Slot]:
    """The places of the workers on this machine.

    Raises:
        ConfigError: A GPU that is not there, or more workers than the GPUs take.
    """
    gpus = choose_gpus(where.gpus)
    split = (
        automatic_workers(gpus, per_gpu=where.per_gpu)
        if where.workers == AUTO
        else Split(int(where.workers), threads=0)
    )
    workers = max(1, min(split.workers, most or split.workers))
    threads = split.threads if workers == split.workers and split.threads else None
    return share_out(workers, cores(), gpus, per_gpu=where.per_gpu, threads=threads)


def check_where(where: Where) -> None:
    """What can be known before a run is begun.

    Raises:
        MissingPackage: Ray is wanted and not installed.
        ConfigError: Nothing answers at its address; or a GPU that is not there, or more workers than the GPUs take.
    """
    if where.executor != "ray":
        local_slots(where)
        return
    if importlib.util.find_spec("ray") is None:
        raise MissingPackage("--executor ray needs Ray, which is not installed", help='pip install "fertune[ray]"')
    check_address(where)


def automatic_workers(gpus: Sequence[Gpu] = (), *, per_gpu: int = 1) -> Split:
    """What ``--workers auto`` means: ``$FERTUNE_WORKERS``; else as many as the GPUs take; else what was measured here
    once and remembered; else one for every core up to four, then one for every two cores, ``MOST`` at most. Never more
    than memory holds. (Small nets do not keep many cores busy: ``benchmarks/packing.py`` tells what several gain
    over one with all cores. Each further one makes every trial slower and a searcher know less when it is asked.)

    Returns:
        Workers, and threads of each; 0 threads: the cores are shared out.
    """
    told = os.environ.get(WORKERS_VARIABLE, "")
    if told.isdigit() and int(told):
        return Split(int(told), threads=0)
    if gpus:
        return Split(len(gpus) * per_gpu, threads=0)
    room = max(1, memory_free() // WORKER_MEMORY)
    known = remembered(gpus) or Split(min(cores(), max(4, cores() // 2), MOST), threads=0)
    return known if known.workers <= room else Split(room, threads=0)
