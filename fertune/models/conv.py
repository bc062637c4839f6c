"""The conv family: a plain convolutional net (LeCun et al., 1998) with batch norm and dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from fertune.models.feasible import at_side, pooling_fault


def build_conv(settings: Mapping[str, Any], input_shape: tuple[int, int, int], n_classes: int) -> Any:
    """Resizing, rescaling, augmentation, blocks of [convolution, batch norm, activation] and pooling, head.

    Args:
        settings: All settings of the family, complete and checked.
        input_shape: (height, width, channels).
        n_classes: Width of the softmax.

    Returns:
        A functional, uncompiled ``keras.Model``; input (n, h, w, c) of 0 to 255, output float32 (n, n_classes).

    Raises:
        ValueError: A block would halve a map that is only one pixel high or wide.
    """
    early = settings["pool_after"] == "first"
    seen = at_side(settings, input_shape)
    check_pooling(int(settings["blocks"]), seen)
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.Resizing(*seen[:2])(pictures) if settings["input_side"] else pictures
    x = layers.Rescaling(1 / 255)(x)
    for layer in augmentation(settings):
        x = layer(x)
    for block in range(1, settings["blocks"] + 1):
        convs = settings[f"convs_{block}"] or settings["convs"]
        for conv in range(1, convs + 1):
            x = _convolution(settings, block)(x)
            if early and conv == 1:
                x = layers.MaxPooling2D()(x)
            if settings["batch_norm"]:
                x = layers.BatchNormalization(momentum=settings["norm_momentum"])(x)
            # Both activations never fall, so the largest of four stays the largest: pooling first is the same function
            # for a quarter of the work.
            if not early and conv == convs:
                x = layers.MaxPooling2D()(x)
            x = _activation(settings)(x)
        if settings["dropout"]:
            x = layers.Dropout(settings["dropout"])(x)
    x = layers.GlobalAveragePooling2D()(x) if settings["pooling"] == "average" else layers.Flatten()(x)
    if settings["dense_units"]:
        x = _activation(settings)(layers.Dense(settings["dense_units"])(x))
    if settings["head_dropout"]:
        x = layers.Dropout(settings["head_dropout"])(x)
    proba = layers.Dense(n_classes, activation="softmax", dtype="float32", name="proba")(x)
    return keras.Model(pictures, proba, name="conv")


def check_pooling(blocks: int, input_shape: tuple[int, int, int]) -> None:
    fault = pooling_fault(blocks, input_shape)
    if fault is not None:
        raise ValueError(fault)


def augmentation(settings: Mapping[str, Any]) -> list[Any]:
    """Layers that change training pictures and let others pass; none unless ``augment``.

    ``flip`` and ``shift`` move whole pixels: the pictures of a batch come with them done (``augmented`` in training).
    """
    if not settings["augment"]:
        return []
    made: list[Any] = []
    if settings["rotation"]:
        made.append(layers.RandomRotation(settings["rotation"], fill_mode="nearest"))
    if settings["zoom"]:
        made.append(layers.RandomZoom(settings["zoom"], fill_mode="nearest"))
    return made


def _convolution(settings: Mapping[str, Any], block: int) -> Any:
    return layers.Conv2D(
        settings[f"filters_{block}"],
        settings[f"kernel_{block}"],
        padding="same",
        use_bias=settings["conv_bias"] or not settings["batch_norm"],
        kernel_regularizer=keras.regularizers.L2(settings["l2"]) if settings["l2"] else None,
    )


def _activation(settings: Mapping[str, Any]) -> Any:
    if settings["activation"] == "leaky_relu":
        return layers.LeakyReLU(negative_slope=settings["negative_slope"])
    return layers.ReLU()
