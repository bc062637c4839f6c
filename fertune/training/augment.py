"""Training pictures moved by whole pixels, as their batch is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.models.catalog import FAMILIES, complete
from fertune.trial import Value


@dataclass(frozen=True)
class Moves:
    """Mirroring and shifting; what leaves a picture on one side is filled up with its edge on the other.

    Attributes:
        flip: Mirror left and right, every second time.
        down, across: Most pixels, in both directions.
    """

    flip: bool
    down: int
    across: int

    @classmethod
    def of(cls, family: str, settings: Mapping[str, Value], shape: tuple[int, int, int]) -> Moves | None:
        """What the settings of a family of fertune's ask for; None for nothing, and for a model of somebody's own."""
        if family not in FAMILIES:
            return None
        known = complete(FAMILIES[family].settings, settings, where=f"model family {family}")
        if not known["augment"]:
            return None
        moves = cls(known["flip"], round(known["shift"] * shape[0]), round(known["shift"] * shape[1]))
        return moves if moves.flip or moves.down or moves.across else None

    def __call__(self, pictures: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
        """Each picture of (n, h, w, c) moved in its own way; the same for the same generator."""
        n, height, width = pictures.shape[:3]
        down = rng.integers(-self.down, self.down + 1, (n, 1))
        across = rng.integers(-self.across, self.across + 1, (n, 1))
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - across, 0, width - 1)
        if self.flip:
            columns = np.where(rng.random((n, 1)) < 0.5, columns[:, ::-1], columns)
        moved: npt.NDArray[Any] = pictures[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
        return moved
