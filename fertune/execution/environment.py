"""The environment of a worker: how many threads its libraries start, and which GPU they see."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fertune.execution.slots import Slot

THREADS = (
    "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "NPROC",
)  # fmt: skip
"""Variables that take the number of cores; ``NPROC`` is what XLA's processor client, and so JAX, goes by."""

GPU_MEMORY = "FERTUNE_GPU_MEMORY"
"""MiB of its GPU that a worker may take; unset: as much as it comes to need."""

HEADROOM = 0.92
"""Of a shared GPU's memory that is handed out; the rest is for the driver's own part of each process."""


def worker_environment(slot: Slot, *, hide_gpus: bool = False, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of the worker at a place.

    A GPU's memory is taken as it is needed, never all at once; where several workers share one, each has its part at
    most: JAX goes by its variables, TensorFlow is told by the worker (``GPU_MEMORY``).

    Args:
        slot: Its place.
        hide_gpus: No library is to see a GPU.
        base: What it is built on.
    """
    made = {**base, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1", "TF_NUM_INTEROP_THREADS": "1"}
    made.update(dict.fromkeys(THREADS, str(slot.threads)))
    made.pop(GPU_MEMORY, None)
    if slot.gpu is not None:
        made |= {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": slot.gpu.id,
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        }
        if slot.share < 1:
            made["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{HEADROOM * slot.share:.3f}"
            if slot.gpu.memory:
                made[GPU_MEMORY] = str(int(HEADROOM * slot.share * slot.gpu.memory))
    elif hide_gpus:
        made |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    return made
