"""Models that a user's own function builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cloudpickle
import keras
import numpy as np

from fertune.trial import Value


def build_custom(build: bytes, settings: Mapping[str, Value], input_shape: tuple[int, int, int], n_classes: int) -> Any:
    """Call the user's function and check what it returns.

    Args:
        build: cloudpickled ``build(params, input_shape, n_classes)``; ``params`` are plain values.
        settings: Passed on as they are.

    Raises:
        ValueError: It returned no Keras model, one of another output shape, one whose outputs are not probabilities, or
            one with a Lambda layer, which could not be loaded again safely.
    """
    model = cloudpickle.loads(build)(dict(settings), input_shape, n_classes)
    if not isinstance(model, keras.Model):
        raise ValueError(f"build() returned {type(model).__name__}; it must return a keras.Model")
    bright = np.random.default_rng(0).integers(0, 256, (2, *input_shape), dtype=np.uint8)
    probe = np.concatenate([bright, bright // 64])  # on bright ones alone a sigmoid may be 0 or 1 everywhere
    proba = np.asarray(keras.ops.convert_to_numpy(model(probe, training=False)), np.float64)
    if proba.shape != (len(probe), n_classes):
        raise ValueError(
            f"build() returned a model with outputs of shape {proba.shape[1:]}; there are {n_classes} classes, "
            f"so it must be ({n_classes},)"
        )
    sums = proba.sum(axis=1)
    worst = sums[np.abs(sums - 1).argmax()]
    if np.isfinite(proba).all() and (proba.min() < -1e-3 or abs(worst - 1) > 1e-2):
        raise ValueError(
            f"the outputs of the model are not probabilities: they sum to {worst:.3g}, not to 1; "
            'end it with Dense(n_classes, activation="softmax")'
        )
    lambdas = [layer.name for layer in model._flatten_layers() if isinstance(layer, keras.layers.Lambda)]
    if lambdas:
        raise ValueError(
            f"layer {lambdas[0]!r} is a Lambda: its Python code would have to be kept as pickle; "
            "use keras.ops or a layer class of keras.layers instead"
        )
    return model
