"""What a search optimises: a name, and the direction that goes with it; or two of them, quality and cost."""

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
        """The first objective of ``val_accuracy`` or of ``val_accuracy,parameters``."""
        return objectives(name)[0]


OBJECTIVES: dict[str, Objective] = {
    "val_accuracy": Objective("val_accuracy", "max"),
    "val_loss": Objective("val_loss", "min"),
    "val_macro_f1": Objective("val_macro_f1", "max"),
}

SECOND_OBJECTIVES: dict[str, Objective] = {
    "parameters": Objective("parameters", "min"),
    "latency": Objective("latency", "min"),
}
"""Costs of a trained model: its weights, and milliseconds a picture (median of repeated predictions of one batch)."""


def objectives(text: str) -> tuple[Objective, Objective | None]:
    """Of ``"val_accuracy"`` or ``"val_accuracy,latency"``.

    Raises:
        ConfigError: A name is not known, or stands in the wrong place.
    """
    first, *rest = (part.strip() for part in text.split(","))
    if first not in OBJECTIVES:
        turned = "; the cost stands second, as in val_accuracy," + first if first in SECOND_OBJECTIVES else ""
        near = turned or did_you_mean(first, OBJECTIVES)
        raise ConfigError(f"no objective named {first!r}; legal: {', '.join(OBJECTIVES)}{near}")
    if not rest:
        return OBJECTIVES[first], None
    legal = [f"{first},{name}" for name in SECOND_OBJECTIVES]
    if len(rest) > 1 or rest[0] not in SECOND_OBJECTIVES:
        near = did_you_mean(text.replace(" ", ""), legal)
        raise ConfigError(f"no pair of objectives {text!r}; legal beside {first!r}: {', '.join(legal)}{near}")
    return OBJECTIVES[first], SECOND_OBJECTIVES[rest[0]]
