"""What there is: versions, cores, memory, disks, GPUs. Imports no backend and takes well under a second."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fertune.data.cache import cache_root
from fertune.data.shelf import kept_data, total_bytes
from fertune.errors import DataError
from fertune.execution.gpus import Gpu, find_gpus
from fertune.execution.machine import (
    PACKAGES,
    backend,
    cores,
    cpu_model,
    memory_free,
    memory_total,
    system,
    versions,
)
from fertune.models.engine import cpu_has_bfloat16

OPTIONAL = {"tensorboard": "tensorboard", "ray": "ray", "cmaes": "cmaes", "torch": "gp", "pyarrow": "parquet"}
"""Distribution -> extra of fertune that brings it."""


@dataclass(frozen=True)
class Disk:
    """A folder that fertune writes to.

    Attributes:
        what: ``cache``, ``runs`` or ``temporary``.
        path: It, or the nearest folder above it that is there.
        free: Bytes; None where that cannot be asked.
        writable: Whether files can be made there.
    """

    what: str
    path: str
    free: int | None
    writable: bool


@dataclass(frozen=True)
class Facts:
    """What was found.

    Attributes:
        versions: Package -> version; what is not installed is left out.
        missing: Extras of fertune that are not installed.
        backend: By ``KERAS_BACKEND``, else tensorflow; see ``probe`` for what Keras made of it.
        system: ``Linux x86_64``.
        cpu: The processor's name.
        cores: That this process may use.
        machine_cores: That the machine has.
        bfloat16: Whether the processor has instructions for it.
        gpus: By ``nvidia-smi``.
        memory, memory_free: Bytes; the container's where that is less.
        disks: See ``Disk``.
        cache_bytes: Of all data sets in the cache; None where it cannot be read.
    """

    versions: dict[str, str]
    missing: list[str]
    backend: str
    system: str
    cpu: str
    cores: int
    machine_cores: int
    bfloat16: bool
    gpus: tuple[Gpu, ...]
    memory: int
    memory_free: int
    disks: tuple[Disk, ...]
    cache_bytes: int | None


def gather(runs: Path = Path("runs")) -> Facts:
    """Everything but what only the backend itself can say.

    Args:
        runs: Where runs will be written.
    """
    cache, cached = _cache()
    found = versions(("fertune", *PACKAGES, *OPTIONAL))
    return Facts(
        versions=found,
        missing=[extra for name, extra in OPTIONAL.items() if name not in found],
        backend=backend(),
        system=system(),
        cpu=cpu_model(),
        cores=cores(),
        machine_cores=os.cpu_count() or 1,
        bfloat16=cpu_has_bfloat16(),
        gpus=tuple(find_gpus()),
        memory=memory_total(),
        memory_free=memory_free(),
        disks=(cache, disk("runs", runs), disk("temporary", Path(tempfile.gettempdir()))),
        cache_bytes=cached,
    )


def _cache() -> tuple[Disk, int | None]:
    try:
        return disk("cache", cache_root()), total_bytes(kept_data())
    except DataError:
        given = os.environ.get("FERTUNE_CACHE") or "the user's cache folder"
        return Disk("cache", given, None, False), None


def disk(what: str, path: Path) -> Disk:
    """The disk on which ``path`` lies or will lie."""
    there = next((p for p in (path.absolute(), *path.absolute().parents) if p.exists()), Path("/"))
    try:
        free: int | None = shutil.disk_usage(there).free
    except OSError:
        free = None
    return Disk(what, str(there), free, _takes_files(there))


def _takes_files(folder: Path) -> bool:
    """Tried, since rights alone say nothing of a read-only mount."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def to_json(facts: Facts) -> dict[str, Any]:
    """Plain values."""
    return {
        **{k: v for k, v in vars(facts).items() if k not in ("gpus", "disks")},
        "gpus": [vars(gpu) for gpu in facts.gpus],
        "disks": [vars(disk) for disk in facts.disks],
    }
