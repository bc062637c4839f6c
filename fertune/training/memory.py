"""Giving back what a job took, so that a worker can do hundreds."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

GPU_MEMORY = "FERTUNE_GPU_MEMORY"
"""Environment variable that an executor sets: MiB of a GPU which this process shares with others."""

JAX_GROWTH = 300 * 2**20
"""Bytes that a process may grow by before JAX's compiled code is dropped."""


@contextlib.contextmanager
def forgetting() -> Iterator[None]:
    """Drop what the models built inside leave behind in this process: graphs, compiled functions, global names."""
    before = set(_gradients())
    try:
        yield
    finally:
        keras = sys.modules.get("keras")
        if keras is not None:
            keras.utils.clear_session(free_memory=False)
        table = _gradients()
        for name in set(table) - before:
            if name.startswith("CustomGradient-"):
                del table[name]
        gc.collect()
        _trim_jax()


def settle() -> None:
    """Let the garbage collector pass over what is loaded by now: libraries, which stay. It then takes 10 times less.

    Called before each job and done once in a process.
    """
    if not gc.get_freeze_count():
        gc.collect()
        gc.freeze()


def limit_gpu() -> None:
    """Tell TensorFlow its part of a shared GPU (``GPU_MEMORY``) before it is used; JAX reads its own variables."""
    limit, tf = os.environ.pop(GPU_MEMORY, ""), sys.modules.get("tensorflow")
    if tf is None or not limit.isdigit():
        return
    for gpu in tf.config.list_physical_devices("GPU"):
        part = tf.config.LogicalDeviceConfiguration(memory_limit=int(limit))
        tf.config.set_logical_device_configuration(gpu, [part])


_after_first_job: list[int] = []


def _trim_jax() -> None:
    """JAX keeps 20 MB of compiled code a model. Dropping it slows the next job down, so it is done when it is much."""
    jax = sys.modules.get("jax")
    if jax is None:
        return
    now = resident()
    if not _after_first_job:
        _after_first_job.append(now)
    elif now - _after_first_job[0] > JAX_GROWTH:
        jax.clear_caches()
        gc.collect()


def _gradients() -> dict[str, Any]:
    """TensorFlow's table of gradients of its graphs; empty where there is none.

    Each traced training step adds two entries (of the sum of gradients over replicas), which hold the whole graph and
    are never removed: 7 MB a model, which was nearly all that a worker grew by. Names are used once, so dropping those
    of a model that is gone changes nothing. The table is private: where a later TensorFlow moves it, workers grow
    again, and a slow test says so.
    """
    ops = sys.modules.get("tensorflow.python.framework.ops")
    table = getattr(getattr(ops, "gradient_registry", None), "_registry", None)
    return table if isinstance(table, dict) else {}


def resident() -> int:
    """Resident bytes of this process."""
    import psutil

    return int(psutil.Process(os.getpid()).memory_info().rss)
