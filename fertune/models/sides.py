"""Another model over the layers of one: pictures are made smaller at its front."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from fertune.errors import ConfigError


def side_of(model: Any, shape: tuple[int, int, int]) -> int:
    """The shorter side, in pixels, of what the first convolution sees, in a model that takes pictures of ``shape``."""
    resized = [(layer.height, layer.width) for layer in model.layers if isinstance(layer, layers.Resizing)]
    return int(min(resized[0] if resized else shape[:2]))


def at_side(model: Any, side: int) -> Any:
    """A model over the same layers, and so the same weights, that first brings its pictures to ``side`` x ``side``.

    It takes what ``model`` takes. With it a training may begin on small pictures, where a step costs less.

    Raises:
        ConfigError: The model is not one chain of layers, or the number of its weights hangs on the size of pictures.
    """
    chain = list(model.layers)
    if type(model).__name__ != "Functional" or any(isinstance(layer, layers.Flatten) for layer in chain):
        raise ConfigError(
            "small_side needs a net whose weights fit pictures of any size",
            help="a model of family conv with pooling: average; or small_side: 0",
        )
    pictures = keras.Input(model.input.shape[1:], name="pictures")
    x = layers.Resizing(side, side)(pictures)
    for layer in chain[1:]:
        x = x if isinstance(layer, layers.Resizing) else layer(x)
    return keras.Model(pictures, x, name=model.name)
