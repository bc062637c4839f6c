"""Keras, when it is needed, and what to type where it is not installed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from fertune.errors import MissingPackage

HELP = (
    'pip install "fertune[cpu]"  (with a GPU: "fertune[gpu]"; '
    'without TensorFlow, on either: "fertune[jax]" and KERAS_BACKEND=jax)'
)


_JIT_ON_JAX = ("RandomRotation", "RandomTranslation", "RandomZoom")


def load_keras() -> ModuleType:
    """The ``keras`` module, on the backend that ``KERAS_BACKEND`` names (default: TensorFlow).

    Raises:
        MissingPackage: Keras or its backend is not installed; ``help`` is the install line.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras
    except ImportError as error:
        missing = (error.name or "keras").split(".")[0]
        raise MissingPackage(f"training and prediction need {missing}, which cannot be imported", help=HELP) from error
    return keras  # type: ignore[no-any-return, unused-ignore]


def backend() -> str:
    """``tensorflow``, ``jax`` or ``torch``."""
    return str(load_keras().backend.backend())


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[str]:
    """Models that are built inside compute in ``float32``, or in ``bfloat16`` with float32 weights; gives which it is.

    Args:
        precision: ``float32``, ``bfloat16``, or ``auto``: bfloat16 where it is fast, see ``has_bfloat16``.
    """
    keras = load_keras()
    chosen = ("bfloat16" if has_bfloat16() else "float32") if precision == "auto" else precision
    before = keras.config.dtype_policy()
    if chosen == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield chosen
    finally:
        keras.config.set_dtype_policy(before)


def has_bfloat16() -> bool:
    """Whether the device that trains has instructions for bfloat16; without them it is several times slower."""
    if backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            found = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability")
            return found is not None and tuple(found) >= (8, 0)
    elif backend() == "jax":
        import jax

        device = jax.devices()[0]
        if device.platform != "cpu":
            return device.platform == "tpu" or float(getattr(device, "compute_capability", 0)) >= 8.0
    return cpu_has_bfloat16()


def cpu_has_bfloat16() -> bool:
    """By the flags that Linux lists; False elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def jit(model: Any) -> bool | str:
    """What ``jit_compile`` should be for a model: XLA made TensorFlow four times slower on a CPU, so it is off there.

    Rotation, translation and zoom declare that they cannot be compiled. That is so with TensorFlow's XLA; on JAX they
    can, and without it a whole model would run operation by operation. So there the declaration is taken back.
    """
    if backend() == "jax":
        for layer in model._flatten_layers():
            if type(layer).__name__ in _JIT_ON_JAX:
                layer.supports_jit = True
    if backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    return "auto" if tf.config.list_physical_devices("GPU") else False
