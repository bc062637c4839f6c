"""Numbers that say how good probabilities are. numpy only; rows are pictures, columns are classes.

All functions take labels of rows that have one: 0 to classes-1; anything else is a ValueError, since a row without a
label must be left out by whoever knows why it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]

CLIP = 1e-7
"""Probability that ``log_loss`` puts under a smaller one: one sure mistake costs at most 16.1 nats."""


def predicted(proba: Floats) -> npt.NDArray[np.int64]:
    """The most probable class of each row, the first one on ties.

    Args:
        proba: (n, classes) float.

    Returns:
        (n,) int64.
    """
    return np.asarray(np.argmax(proba, axis=1), dtype=np.int64)


def accuracy(proba: Floats, labels: Ints) -> float:
    """Share of rows whose most probable class is their label, 0 to 1.

    Args:
        proba: (n, classes) float, n at least 1.
        labels: (n,) int.
    """
    labels = check_labels(labels, len(proba), proba.shape[1])
    return float(np.mean(predicted(proba) == labels))


def log_loss(proba: Floats, labels: Ints) -> float:
    """Mean of -ln(probability of the true class), in nats; 0 is best.

    Probabilities are clipped from below to 1e-7 (``CLIP``) and not rescaled after that: the sum of a row moves by at
    most classes x 1e-7.

    Args:
        proba: (n, classes) float, rows sum to 1, n at least 1.
        labels: (n,) int.
    """
    labels = check_labels(labels, len(proba), proba.shape[1])
    true = proba[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.mean(np.log(np.clip(true, CLIP, 1.0)))) + 0.0


def confusion(guess: Ints, labels: Ints, n_classes: int) -> npt.NDArray[np.int64]:
    """Counts of (true class, predicted class).

    Args:
        guess: (n,) int, predicted classes.
        labels: (n,) int.

    Returns:
        (n_classes, n_classes) int64, true down, predicted across; sums to n. A class without rows is a row of zeros.
    """
    labels = check_labels(labels, len(guess), n_classes)
    guess = check_labels(guess, len(guess), n_classes, what="predictions")
    return np.bincount(labels * n_classes + guess, minlength=n_classes**2).reshape(n_classes, n_classes)


@dataclass(frozen=True)
class ClassScores:
    """Scores class by class.

    Attributes:
        precision: (classes,) float64; NaN for a class that was never predicted.
        recall: (classes,) float64; NaN for a class without rows.
        f1: (classes,) float64; NaN for a class without rows, 0 for one with rows of which none was found.
        support: (classes,) int64, rows of the class.
    """

    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]
    support: npt.NDArray[np.int64]


def precision_recall_f1(matrix: Ints) -> ClassScores:
    """Precision, recall and F1 = 2 TP / (2 TP + FP + FN) of each class (van Rijsbergen, Information Retrieval, 1979).

    Args:
        matrix: (classes, classes) int, as ``confusion`` returns it.
    """
    hits = np.diag(matrix).astype(np.float64)
    support, guessed = matrix.sum(axis=1), matrix.sum(axis=0)
    return ClassScores(
        precision=_ratio(hits, guessed),
        recall=_ratio(hits, support),
        f1=np.where(support > 0, _ratio(2 * hits, support + guessed), np.nan),
        support=support.astype(np.int64),
    )


def macro_f1(proba: Floats, labels: Ints) -> float:
    """Plain mean of F1 over the classes that have rows in ``labels``, 0 to 1.

    A class that is absent from ``labels`` is left out of the mean, whether it was predicted or not. Predicting it
    still costs: those rows are missed by their own class. (scikit-learn counts such a class as 0 instead, so that the
    mean then depends on which wrong class was named.)

    Args:
        proba: (n, classes) float, n at least 1.
        labels: (n,) int.
    """
    scores = precision_recall_f1(confusion(predicted(proba), labels, proba.shape[1]))
    return float(np.mean(scores.f1[scores.support > 0]))


def _ratio(above: npt.NDArray[np.float64], below: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    ratio = np.full(len(above), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def check_labels(labels: Ints, n: int, n_classes: int, what: str = "labels") -> npt.NDArray[np.int64]:
    labels = np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"{what}: shape {labels.shape} where ({n},) is needed")
    if n == 0:
        raise ValueError(f"{what}: no rows; at least 1 is needed")
    if labels.dtype.kind not in "iu":
        raise ValueError(f"{what}: {labels.dtype} where whole numbers are needed")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"{what}: {labels.min()} to {labels.max()} where 0 to {n_classes - 1} is legal")
    return labels.astype(np.int64)
