"""Giving back what a job took."""

from __future__ import annotations

import gc
import os
import sys


def forget() -> None:
    """Drop compiled functions, graphs and global names of the models of this process. Safe where keras never loaded."""
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.utils.clear_session(free_memory=False)
    jax = sys.modules.get("jax")
    if jax is not None:
        jax.clear_caches()
    gc.collect()


def resident() -> int:
    """Resident bytes of this process."""
    import psutil

    return int(psutil.Process(os.getpid()).memory_info().rss)
