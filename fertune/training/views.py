"""The models of one training that share all weights: on full pictures, on small ones, and the one that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fertune.models.looks import Looks
from fertune.models.sides import at_side, side_of
from fertune.training.compiling import compile_as
from fertune.training.recipe import Recipe


@dataclass(frozen=True)
class Views:
    """Attributes:
    full: Is compiled.
    small: Sees pictures made smaller; None where all of the training is on full ones.
    small_cost: Seconds of a step on small pictures over one on full ones, by their pixels; None without small ones.
    looks: How the model that is kept looks at a picture.
    """

    full: Any
    small: Any
    small_cost: float | None
    looks: Looks

    @classmethod
    def of(cls, model: Any, recipe: Recipe, shape: tuple[int, int, int]) -> Views:
        """Of a compiled model that takes pictures of ``shape``.

        Raises:
            ConfigError: A training cannot begin on small pictures with this model.
            ValueError: Small pictures are too small for it.
        """
        small, cost = None, None
        side = side_of(model, shape)
        if 0 < recipe.small_side < side and recipe.small_until > 0.0:
            small, cost = at_side(model, recipe.small_side), (recipe.small_side / side) ** 2
            compile_as(small, model)
        shift = recipe.shift_at_prediction
        looks = Looks(recipe.flip_at_prediction, down=round(shift * shape[0]), across=round(shift * shape[1]))
        return cls(model, small, cost, looks)

    def final(self, small: bool) -> Any:
        """The model that is kept: it sees pictures at the size at which its best epoch was trained and measured."""
        return self.looks.over(self.at(small))

    @property
    def trained(self) -> list[Any]:
        """Those that gradients go through."""
        return [self.full] if self.small is None else [self.full, self.small]

    def at(self, small: bool) -> Any:
        """The one that a stretch is trained with, and by which it is watched."""
        return self.small if small else self.full
