"""The conv family: a plain convolutional net (LeCun et al., 1998) with batch norm and dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers


def build_conv(settings: Mapping[str, Any], input_shape: tuple[int, int, int], n_classes: int) -> Any:
    """Rescaling, augmentation, blocks of [convolution, batch norm, activation] and pooling, head.

    Args:
        settings: All settings of the family, complete and checked.
        input_shape: (height, width, channels).
        n_classes: Width of the softmax.

    Returns:
        A functional, uncompiled ``keras.Model``; input (n, h, w, c) of 0 to 255, output float32 (n, n_classes).

    Raises:
        ValueError: A block would halve a map that is only one pixel high or wide.
    """
    check_pooling(int(settings["blocks"]), input_shape)
    pictures = keras.Input(input_shape, name="pictures")
    x = layers.Rescaling(1 / 255)(pictures)
    for layer in augmentation(settings):
        x = layer(x)
    for block in range(1, settings["blocks"] + 1):
        for conv in range(1, settings["convs"] + 1):
            x = _convolution(settings, block)(x)
            if settings["batch_norm"]:
                x = layers.BatchNormalization(momentum=settings["norm_momentum"])(x)
            # Both activations never fall, so the largest of four stays the largest: pooling first is the same function
            # for a quarter of the work.
            if conv == settings["convs"]:
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
    height, width, _ = input_shape
    for block in range(1, blocks + 1):
        if min(height, width) < 2:
            raise ValueError(
                f"block {block} pools a {height}x{width} map "
                f"({input_shape[0]}x{input_shape[1]} input, halved in each block)"
            )
        height, width = height // 2, width // 2


def augmentation(settings: Mapping[str, Any]) -> list[Any]:
    """Layers that change training pictures and let others pass; none unless ``augment``."""
    if not settings["augment"]:
        return []
    made: list[Any] = []
    if settings["flip"]:
        made.append(layers.RandomFlip("horizontal"))
    if settings["rotation"]:
        made.append(layers.RandomRotation(settings["rotation"], fill_mode="nearest"))
    if settings["shift"]:
        made.append(layers.RandomTranslation(settings["shift"], settings["shift"], fill_mode="nearest"))
    if settings["zoom"]:
        made.append(layers.RandomZoom(settings["zoom"], fill_mode="nearest"))
    return made


def _convolution(settings: Mapping[str, Any], block: int) -> Any:
    return layers.Conv2D(
        settings[f"filters_{block}"],
        settings[f"kernel_{block}"],
        padding="same",
        use_bias=not settings["batch_norm"],
        kernel_regularizer=keras.regularizers.L2(settings["l2"]) if settings["l2"] else None,
    )


def _activation(settings: Mapping[str, Any]) -> Any:
    if settings["activation"] == "leaky_relu":
        return layers.LeakyReLU(negative_slope=settings["negative_slope"])
    return layers.ReLU()
