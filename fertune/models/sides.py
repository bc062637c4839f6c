"""Other models over the layers of one: pictures made smaller at its front, and several looks at one picture."""

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


def with_looks(model: Any, *, mirror: bool, down: int = 0, across: int = 0) -> Any:
    """A model that gives the mean of what ``model`` says of several looks at a picture; it only predicts.

    Args:
        mirror: Each look is also taken at the mirror image.
        down, across: Pixels by which four further looks are shifted, one to each corner; what comes in at the edge is
            what lies next to it, mirrored. 0 and 0: there are no such looks.
    """
    if not (mirror or down or across):
        return model
    pictures = keras.Input(model.input.shape[1:], name="pictures")
    looks = [pictures]
    if down or across:
        wide = keras.ops.pad(pictures, [(0, 0), (down, down), (across, across), (0, 0)], mode="symmetric")
        corners = sorted({(top, left) for top in (0, 2 * down) for left in (0, 2 * across)})
        looks += [layers.Cropping2D(((top, 2 * down - top), (left, 2 * across - left)))(wide) for top, left in corners]
    if mirror:
        looks += [keras.ops.flip(look, axis=2) for look in looks]
    said = [model(look) for look in looks]
    return keras.Model(pictures, layers.Average(name="proba", dtype="float32")(said), name=f"looking_{model.name}")


def looks(*, mirror: bool, down: int = 0, across: int = 0) -> int:
    """Predictions of the model inside that one of ``with_looks`` costs."""
    return (1 + (2 if down else 1) * (2 if across else 1) * bool(down or across)) * (2 if mirror else 1)
