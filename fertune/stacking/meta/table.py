"""What decision tree and logistic regression share once fitted: a scikit-learn classifier over columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fertune.errors import RunError
from fertune.stacking.meta.features import FEATURES, columns, spread
from fertune.stacking.meta.learner import Doubles, Proba, check_shape, normalised, read_state, write_state
from fertune.stacking.meta.skops_files import load_model, save_model

MODEL = "model.skops"


class TableClassifier:
    """A fitted scikit-learn classifier with the columns it wants.

    Attributes:
        learner: Name of the meta-learner.
        model: The classifier; None where the training rows had one class only, which is then always the answer.
        seen: (k,) int64, classes in the order of its columns.
        shape: (models, classes).
        features: ``log`` or ``proba``.
    """

    def __init__(self, learner: str, model: Any, seen: Any, shape: tuple[int, int], features: str) -> None:
        self.learner = learner
        self.model = model
        self.seen = np.asarray(seen, dtype=np.int64)
        self.shape = shape
        self.features = features

    def predict_proba(self, proba: Proba) -> Doubles:
        """(n, models, classes) float -> (n, classes) float64, rows sum to 1; a class never seen gets 0."""
        check_shape(proba, self.shape)
        if self.model is None:
            return spread(np.ones((len(proba), 1)), self.seen, self.shape[1])
        table = columns(proba, self.features)
        return normalised(spread(self.answers(table), self.seen, self.shape[1]))

    def answers(self, table: Doubles) -> Doubles:
        """(n, columns) float64 -> (n, classes seen) float64."""
        return np.asarray(self.model.predict_proba(table))

    def save(self, folder: str | Path) -> None:
        """Write ``learner.json`` and ``model.skops``."""
        folder = write_state(folder, self.learner, self.shape, {"features": self.features, "seen": self.seen.tolist()})
        if self.model is not None:
            save_model(self.model, folder / MODEL)


def load_state(folder: str | Path, learner: str) -> tuple[list[int], tuple[int, int], str]:
    """Seen classes, shape and features, from ``learner.json``.

    Raises:
        RunError: Missing or damaged.
    """
    state = read_state(folder, learner)
    shape = (state["models"], state["classes"])
    features, seen = state.get("features"), state.get("seen")
    if features not in FEATURES or not isinstance(seen, list) or not _distinct(seen, shape[1]):
        raise RunError(f"{folder}: features {features!r} and classes {seen!r} do not describe a {learner}")
    return seen, shape, features


def load_parts(folder: str | Path, learner: str, kind: type[Any]) -> tuple[Any, list[int], tuple[int, int], str]:
    """Model, seen classes, shape and features: what ``TableClassifier`` takes.

    Raises:
        RunError: Missing, damaged, or not allowed.
    """
    seen, shape, features = load_state(folder, learner)
    model = None if len(seen) == 1 else load_model(Path(folder) / MODEL, kind)
    if model is not None and (model.n_features_in_ != shape[0] * shape[1] or len(model.classes_) != len(seen)):
        raise RunError(f"{folder}: the model does not fit {shape[0]} models of {shape[1]} classes")
    return model, seen, shape, features


def _distinct(seen: list[Any], n_classes: int) -> bool:
    sound = all(isinstance(k, int) and 0 <= k < n_classes for k in seen)
    return sound and len(seen) > 0 and len(set(seen)) == len(seen)
