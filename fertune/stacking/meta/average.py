"""Weighted averages of probabilities: the value that mean and greedy selection both fit to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fertune.errors import RunError
from fertune.stacking.meta.learner import (
    Doubles,
    Proba,
    check_shape,
    model_names,
    normalised,
    read_state,
    write_state,
)


@dataclass(frozen=True)
class WeightedAverage:
    """Attributes:
    learner: Name of the meta-learner that chose the weights.
    weights: One a model, at least 0, sum 1.
    n_classes: Of the probabilities.
    """

    learner: str
    weights: tuple[float, ...]
    n_classes: int

    def predict_proba(self, proba: Proba) -> Doubles:
        """(n, models, classes) float -> (n, classes) float64, rows sum to 1."""
        check_shape(proba, (len(self.weights), self.n_classes))
        return normalised(np.einsum("nmc,m->nc", proba, np.array(self.weights), dtype=np.float64))

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """``{"kind": "weights", "weights": {model: weight}}``."""
        keys = model_names(names, len(self.weights))
        return {"kind": "weights", "weights": dict(zip(keys, self.weights, strict=True))}

    def save(self, folder: str | Path) -> None:
        """Write ``learner.json``."""
        write_state(folder, self.learner, (len(self.weights), self.n_classes), {"weights": list(self.weights)})


def load_average(folder: str | Path, learner: str) -> WeightedAverage:
    """Read the weights.

    Raises:
        RunError: Missing or damaged.
    """
    state = read_state(folder, learner)
    weights = state.get("weights")
    sound = (
        isinstance(weights, list)
        and len(weights) == state["models"]
        and all(isinstance(w, int | float) and not isinstance(w, bool) and 0 <= w <= 1 for w in weights)
        and abs(sum(weights) - 1) < 1e-6
    )
    if not sound or not isinstance(weights, list):
        raise RunError(f"{folder}: the weights are not {state['models']} numbers from 0 to 1 that sum to 1")
    return WeightedAverage(learner, tuple(float(w) for w in weights), state["classes"])
