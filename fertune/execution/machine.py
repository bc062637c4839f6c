"""What there is to share out: cores, memory, and what kind of machine it is, with what. Imports no backend."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path

import psutil

GROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use."""
PACKAGES = (
    "keras", "tensorflow", "tensorflow-cpu", "jax", "keras-tuner", "optuna", "cmaes", "torch", "scikit-learn",
    "xgboost", "xgboost-cpu", "numpy", "pandas",
)  # fmt: skip
"""What numbers depend on."""


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Package -> version, Python first; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def system() -> str:
    """``Linux x86_64``."""
    return f"{platform.system()} {platform.machine()}"


def cores() -> int:
    """Cores that this process may use: its affinity, and in a container its quota, rounded up."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    quota, _, period = _group("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        mine = min(mine, -(-int(quota) // int(period)))
    return max(1, mine)


def memory_total() -> int:
    """Bytes of memory: the machine's, or the container's where that is less."""
    total = int(psutil.virtual_memory().total)
    limit = _group("memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def memory_free() -> int:
    """Bytes that can be taken without swapping, by the same measure as ``memory_total``."""
    free = int(psutil.virtual_memory().available)
    limit, used = _group("memory.max"), _group("memory.current")
    if not (limit.isdigit() and used.isdigit()):
        return free
    files = next((int(line.split()[1]) for line in _group("memory.stat").splitlines() if line.startswith("file ")), 0)
    return max(0, min(free, int(limit) - int(used) + files))


def cpu_model() -> str:
    """The processor's name; the architecture where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def backend() -> str:
    """The Keras backend that a worker will use, by ``KERAS_BACKEND``: ``tensorflow``, ``jax`` or ``torch``."""
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


def _group(name: str) -> str:
    """A value of this process's control group (version 2), the whole machine's where it has none; else empty."""
    try:
        return (GROUP / name).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
