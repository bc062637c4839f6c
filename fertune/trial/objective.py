"""What a search optimises: a name, and the direction that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fertune.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class Objective:
    """A quantity measured after each epoch on the rows that may be watched.

    Attributes:
        name: Key in the logs of an epoch, e.g. ``val_accuracy``.
        direction: ``"max"`` or ``"min"``.
    """

    name: str
    direction: Literal["max", "min"]

    @property
    def worst(self) -> float:
        return float("-inf") if self.direction == "max" else float("inf")

    def better(self, a: float, b: float) -> bool:
        """Whether ``a`` is strictly better than ``b``."""
        return a > b if self.direction == "max" else a < b

    def sort_key(self, value: float) -> float:
        """Ascending order of this key is best first."""
        return -value if self.direction == "max" else value

    @classmethod
    def named(cls, name: str) -> Objective:
        if name not in OBJECTIVES:
            raise ConfigError(
                f"no objective named {name!r}; legal: {', '.join(OBJECTIVES)}{did_you_mean(name, OBJECTIVES)}"
            )
        return OBJECTIVES[name]


OBJECTIVES: dict[str, Objective] = {
    "val_accuracy": Objective("val_accuracy", "max"),
    "val_loss": Objective("val_loss", "min"),
    "val_macro_f1": Objective("val_macro_f1", "max"),
}
