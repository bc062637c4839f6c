"""Several looks at one picture, whose mean is the prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers


@dataclass(frozen=True)
class Looks:
    """The looks that are taken at a picture, the one at the picture as it is among them.

    Attributes:
        mirror: Each look is also taken at the mirror image.
        down, across: Pixels by which four further looks are shifted, one to each corner; what comes in at the edge is
            what lies next to it, mirrored. 0 and 0: there are no such looks.
    """

    mirror: bool
    down: int
    across: int

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Top and left edge of each shifted look, in the picture made wider by ``down`` and ``across`` on each side."""
        if not (self.down or self.across):
            return []
        return sorted({(top, left) for top in (0, 2 * self.down) for left in (0, 2 * self.across)})

    @property
    def count(self) -> int:
        """Predictions of the model inside that one of ``over`` costs."""
        return (1 + len(self.corners)) * (2 if self.mirror else 1)

    def over(self, model: Any) -> Any:
        """A model that gives the mean of what ``model`` says of each look; it only predicts."""
        if self.count == 1:
            return model
        down, across = self.down, self.across
        pictures = keras.Input(model.input.shape[1:], name="pictures")
        looks = [pictures]
        if self.corners:
            wide = keras.ops.pad(pictures, [(0, 0), (down, down), (across, across), (0, 0)], mode="symmetric")
            looks += [
                layers.Cropping2D(((top, 2 * down - top), (left, 2 * across - left)))(wide)
                for top, left in self.corners
            ]
        if self.mirror:
            looks += [keras.ops.flip(look, axis=2) for look in looks]
        said = [model(look) for look in looks]
        return keras.Model(pictures, layers.Average(name="proba", dtype="float32")(said), name=f"looking_{model.name}")
