"""What a job knows after some epochs, apart from the variables of model and optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.training.recipe import Recipe
from fertune.training.schedules import EarlyStopping, Plateau
from fertune.trial import Objective


@dataclass
class Progress:
    """The record of a run so far.

    Attributes:
        epoch: Epochs trained in all.
        history: One dict an epoch, as ``Trial.history`` describes it.
        best_value, best_epoch: The objective at its best, and where (the earliest such epoch); epoch 0 is none yet.
        best_small: That epoch was trained, and measured, on small pictures.
        best_weights: Of that epoch, in the order of ``model.weights``.
        best_proba: float32 (stop rows, classes) of that epoch.
        position: Part of the schedule that lies behind, 0 to 1.
        spent: Wall seconds of all stretches, up to the end of the last epoch.
        speeds: Seconds of the last epoch on ``small`` and on ``full`` pictures, and of predicting one ``row``.
        stopped_early: It ended by its own rule: no later stretch trains further.
    """

    objective: Objective
    plateau: Plateau
    stopping: EarlyStopping
    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best_value: float = float("nan")
    best_epoch: int = 0
    best_small: bool = False
    best_weights: list[npt.NDArray[Any]] = field(default_factory=list)
    best_proba: npt.NDArray[np.float32] | None = None
    position: float = 0.0
    spent: float = 0.0
    speeds: dict[str, float] = field(default_factory=dict)
    stopped_early: bool = False

    @classmethod
    def fresh(cls, objective: Objective, recipe: Recipe) -> Progress:
        return cls(
            objective,
            Plateau(recipe.reduce_lr_patience, recipe.reduce_lr_factor, recipe.reduce_lr_min),
            EarlyStopping(objective, recipe.early_stopping_patience, recipe.early_stopping_min_delta),
        )

    def watch_at(self, small: bool) -> None:
        """A whole epoch on small pictures, or on full ones, is about to be held against the earlier ones.

        With the first one on full pictures, what was reached on small ones binds no longer: neither as the best, nor
        in the two rules. Until it is whole, the best epoch on small ones is the one to keep.
        """
        if self.best_small and not small:
            self.best_value, self.best_epoch, self.best_small = float("nan"), 0, False
            self.plateau.forget()
            self.stopping.forget()

    def improves(self, value: float) -> bool:
        """Whether an epoch with this value is the best so far."""
        return self.best_epoch == 0 or self.objective.better(value, self.best_value)

    def to_json(self) -> dict[str, Any]:
        """All but the arrays; floats survive to the bit (JSON writes the shortest text that reads back the same)."""
        return {
            "epoch": self.epoch, "history": self.history, "best_value": self.best_value, "best_epoch": self.best_epoch,
            "stopped_early": self.stopped_early, "position": self.position, "spent": self.spent, "speeds": self.speeds,
            "best_small": self.best_small,
            "plateau": {"best": self.plateau.best, "wait": self.plateau.wait},
            "early_stopping": {"best": self.stopping.best, "wait": self.stopping.wait},
        }  # fmt: skip

    def restore(self, stored: dict[str, Any]) -> None:
        """Take over what ``to_json`` wrote."""
        for name in ("epoch", "history", "best_value", "best_epoch", "stopped_early"):
            setattr(self, name, stored[name])
        for name in ("position", "spent", "speeds", "best_small"):
            setattr(self, name, stored.get(name, getattr(self, name)))
        self.plateau.best, self.plateau.wait = stored["plateau"]["best"], stored["plateau"]["wait"]
        self.stopping.best, self.stopping.wait = stored["early_stopping"]["best"], stored["early_stopping"]["wait"]
