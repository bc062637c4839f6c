"""Keras, when it is needed, and what to type where it is not installed."""

from __future__ import annotations

import os
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
