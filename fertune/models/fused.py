"""Batch normalisation by one operation of TensorFlow's, while a model is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import keras

from fertune.models.engine import backend


@contextlib.contextmanager
def fused_normalisation(*models: Any) -> Iterator[None]:
    """Inside, training steps that are traced normalise batches with ``tf.compat.v1.nn.fused_batch_norm``.

    Keras 3 composes batch normalisation of moments, a multiplication and an addition, each with a pass over the whole
    map and with a gradient of its own: with it a small convolutional net takes 1.3 times as long on a CPU. What is
    computed is the same, moving variance included (the fused operation gives the variance over n-1 rows, Keras keeps
    that over n). Layers are Keras' own again afterwards: nothing of this reaches a file.

    Layers that it cannot stand in for (other axes than the last of four, no gamma or beta, renormalisation, several
    devices, a user's own class) and other backends are left as they are.
    """
    swapped = [layer for model in models for layer in model._flatten_layers() if _is_plain(layer)]
    try:
        for layer in swapped:
            object.__setattr__(layer, "__class__", _fused_class())
        yield
    finally:
        for layer in swapped:
            object.__setattr__(layer, "__class__", keras.layers.BatchNormalization)


def _is_plain(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and backend() == "tensorflow"
        and layer.built
        and layer.input_spec.ndim == 4
        and layer.axis in (-1, 3)
        and layer.center
        and layer.scale
        and layer.epsilon > 1.001e-5
        and not layer.synchronized
        and not getattr(layer, "renorm", False)
        and layer.compute_dtype in ("float32", "bfloat16")
    )


@cache
def _fused_class() -> type:
    import tensorflow as tf

    class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            if not training or not self.trainable or mask is not None:
                return super().call(inputs, training=training, mask=mask)
            inputs = tf.cast(inputs, self.compute_dtype)
            gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
            outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs, gamma, beta, epsilon=self.epsilon, is_training=True
            )
            rows = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
            variance *= (rows - 1.0) / rows
            kept = self.momentum
            self.moving_mean.assign(self.moving_mean * kept + mean * (1.0 - kept))
            self.moving_variance.assign(self.moving_variance * kept + variance * (1.0 - kept))
            return outputs

    return FusedBatchNormalization
