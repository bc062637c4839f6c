"""From the out-of-fold matrix to columns for a learner of tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fertune.stacking.meta.learner import Labels, Proba, class_names, model_names

FEATURES = ("log", "proba")
SMALLEST = 1e-6
"""Probabilities are clipped to this from below before the logarithm, so that one sure member does not drown others."""


def columns(proba: Proba, kind: str) -> npt.NDArray[np.float64]:
    """(n, models, classes) -> (n, models x classes) float64, model after model.

    Args:
        proba: Rows sum to 1.
        kind: ``proba`` as it is, or ``log``: natural logarithm, clipped at 1e-6.
    """
    flat = np.asarray(proba, dtype=np.float64).reshape(len(proba), -1)
    if kind == "proba":
        return flat
    if kind == "log":
        return np.asarray(np.log(np.clip(flat, SMALLEST, 1.0)))
    raise ValueError(f"features {kind!r} where {' or '.join(FEATURES)} is legal")


def column_names(names: Sequence[str] | None, classes: Sequence[str] | None, shape: tuple[int, int]) -> list[str]:
    """``"<model>: <class>"`` for each column."""
    return [f"{model}: {name}" for model in model_names(names, shape[0]) for name in class_names(classes, shape[1])]


def spread(proba: npt.NDArray[np.floating], seen: npt.NDArray[np.integer], n_classes: int) -> npt.NDArray[np.float64]:
    """Probabilities of the classes that a learner saw -> of all classes; the others get 0.

    Args:
        proba: (n, len(seen)) float.
        seen: (k,) int, classes in the order of columns.
    """
    full = np.zeros((len(proba), n_classes))
    full[:, seen] = proba
    return full


def dealt(labels: Labels, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """All rows in an order in which every beginning holds the classes as often as all rows do; each class is there
    from the start."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        place[own] = np.arange(len(own)) / len(own)
    return np.argsort(place, kind="stable")
