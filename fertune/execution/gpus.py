"""The NVIDIA GPUs of this machine, found without importing a backend, and the choice among them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distributions

from fertune.config import AUTO
from fertune.errors import ConfigError
from fertune.execution.machine import backend

PATIENCE = 20.0
"""Seconds that ``nvidia-smi`` may take; the first call after a boot is slow."""

QUERY = ("nvidia-smi", "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        id: As ``CUDA_VISIBLE_DEVICES`` takes it: its number, or a UUID that the environment named.
        name: Of the model; may be empty.
        memory: MiB; 0 where unknown.
    """

    id: str
    name: str = ""
    memory: int = 0


def find_gpus(environment: Mapping[str, str] = os.environ) -> list[Gpu]:
    """All GPUs that this process may use: what ``nvidia-smi`` lists, cut to ``CUDA_VISIBLE_DEVICES`` where it is set.

    Empty where there is no driver.
    """
    listed = list(_listed(environment.get("PATH")))
    allowed = environment.get("CUDA_VISIBLE_DEVICES")
    if allowed is None or not listed:
        return listed
    by_id = {gpu.id: gpu for gpu in listed}
    found = []
    for name in (part.strip() for part in allowed.split(",")):
        if not name or name.startswith("-") or (name.isdigit() and name not in by_id):
            break  # CUDA too stops at the first that it does not know
        found.append(by_id.get(name, Gpu(name)))
    return found


@lru_cache
def _listed(path: str | None) -> tuple[Gpu, ...]:
    """What the driver's program lists; asked once in a process, as it takes up to seconds."""
    program = shutil.which(QUERY[0], path=path)
    if program is None:
        return ()
    try:
        done = subprocess.run([program, *QUERY[1:]], capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    found = []
    for line in done.stdout.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) >= 3 and parts[0].isdigit():
            found.append(Gpu(parts[0], ",".join(parts[1:-1]), int(parts[-1]) if parts[-1].isdigit() else 0))
    return tuple(found)


def backend_uses_gpus() -> bool:
    """Whether the installed backend was built for NVIDIA GPUs, by the names of what is installed."""
    names = {(d.metadata["Name"] or "").lower().replace("_", "-") for d in distributions()}
    if backend() == "jax":
        return any(name.startswith("jax-cuda") for name in names)
    return backend() in names  # the CPU build is another distribution, tensorflow-cpu


def choose_gpus(wanted: str, found: Sequence[Gpu] | None = None) -> list[Gpu]:
    """The GPUs that ``--gpus`` names.

    Args:
        wanted: ``auto``, ``none``, or numbers with commas.
        found: What there is; by default looked for.

    Raises:
        ConfigError: A number that this machine does not have.
    """
    if wanted == "none":
        return []
    if wanted == AUTO:
        if found is None:
            found = find_gpus()
            return found if found and backend_uses_gpus() else []
        return list(found)
    there = {gpu.id: gpu for gpu in (find_gpus() if found is None else found)}
    asked = list(dict.fromkeys(wanted.split(",")))
    missing = [name for name in asked if name not in there]
    if missing:
        have = f"it has {', '.join(there)}" if there else "it has none that can be seen"
        raise ConfigError(
            f"--gpus {wanted}: this machine has no GPU {', '.join(missing)}; {have}",
            help="--gpus auto, or --gpus none    # nvidia-smi lists them",
        )
    return [there[name] for name in asked]
