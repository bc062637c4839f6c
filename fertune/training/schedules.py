"""The two rules that watch a run, as small values whose state can be kept: they go on where an earlier stretch ended.

Keras's own callbacks of these names wipe themselves whenever training begins, so a continued trial would forget.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fertune.trial import Objective

PLATEAU_DELTA = 1e-4
"""A fall of val_loss by less than this is standing still, as in Keras's ReduceLROnPlateau."""


@dataclass
class Plateau:
    """Lowers the learning rate when ``val_loss`` stands still (Keras's ReduceLROnPlateau, without a cooldown).

    Attributes:
        patience: Epochs without a new best before the rate is lowered; 0 never lowers it.
        factor: New rate over old.
        minimum: The rate never falls below this.
        best, wait: Its state.
    """

    patience: int
    factor: float
    minimum: float
    best: float = math.inf
    wait: int = 0

    def after(self, val_loss: float, rate: float) -> float | None:
        """The new learning rate after an epoch, or None to leave it."""
        if self.patience == 0:
            return None
        if val_loss < self.best - PLATEAU_DELTA:
            self.best, self.wait = val_loss, 0
            return None
        self.wait += 1
        if self.wait < self.patience:
            return None
        self.wait = 0
        return max(rate * self.factor, self.minimum) if rate > self.minimum else None

    def forget(self) -> None:
        """Watch as from the first epoch on; a rate that was lowered stays so."""
        self.best, self.wait = math.inf, 0


@dataclass
class EarlyStopping:
    """Ends a run when the objective stands still (Prechelt, Early stopping - but when?, 1998).

    Attributes:
        objective: What is watched, and its direction.
        patience: Epochs without a new best before the run ends; 0 never ends it.
        min_delta: A smaller gain is standing still.
        best, wait: Its state.
    """

    objective: Objective
    patience: int
    min_delta: float
    best: float | None = None
    wait: int = 0

    def after(self, value: float) -> bool:
        """Whether the run ends after this epoch."""
        if self.patience == 0:
            return False
        step = self.min_delta if self.objective.direction == "max" else -self.min_delta
        if self.best is None or self.objective.better(value - step, self.best):
            self.best, self.wait = value, 0
            return False
        self.wait += 1
        return self.wait >= self.patience

    def forget(self) -> None:
        """Watch as from the first epoch on."""
        self.best, self.wait = None, 0
