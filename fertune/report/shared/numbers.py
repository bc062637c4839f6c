"""Counts and rates behind the figures about classes, from stored predictions alone. Pure numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fertune.evaluation import confusion

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
RESAMPLES = 1000


@dataclass(frozen=True)
class Predicted:
    """Labelled rows and what one model said of them.

    Attributes:
        rows: Row ids (n,).
        labels: True classes (n,), all >= 0.
        proba: (n, classes) float64, rows sum to 1.
    """

    rows: Ints
    labels: Ints
    proba: Floats

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def said(self) -> Ints:
        """The class with the highest probability; the lower number wins a tie."""
        return np.asarray(self.proba.argmax(axis=1), dtype=np.int64) if len(self) else np.zeros(0, np.int64)

    @property
    def accuracy(self) -> float:
        return float((self.said == self.labels).mean()) if len(self) else 0.0


def labelled(arrays: Mapping[str, NDArray[np.generic]] | None, column: int | None = None) -> Predicted | None:
    """Stored predictions without rows that have no label; None where there are none.

    Args:
        arrays: ``row``, ``labels``, ``proba`` (n, classes), or (n, models, classes) with ``column`` naming one.
    """
    if arrays is None or not {"row", "labels", "proba"} <= set(arrays):
        return None
    labels = np.asarray(arrays["labels"], dtype=np.int64)
    proba = np.asarray(arrays["proba"], dtype=np.float64)
    if column is not None:
        proba = proba[:, column]
    keep = labels >= 0
    if not keep.any():
        return None
    return Predicted(np.asarray(arrays["row"], dtype=np.int64)[keep], labels[keep], proba[keep])


def confused(p: Predicted, classes: int) -> Ints:
    """Counts (true, predicted)."""
    return confusion(p.said, p.labels, classes)


def shares(counts: Ints) -> Floats:
    """Each row divided by its sum; rows without pictures are NaN, never 0."""
    totals = counts.sum(axis=1, keepdims=True).astype(np.float64)
    out: Floats = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    return out


def _f1(labels: Ints, said: Ints, weights: Ints, classes: int) -> Floats:
    """F1 (resamples, classes) of weighted rows: weights (resamples, n)."""
    out = np.full((len(weights), classes), np.nan)
    for k in range(classes):
        true, named = labels == k, said == k
        both = weights[:, true | named].sum(axis=1) + weights[:, true & named].sum(axis=1)
        hit = weights[:, true & named].sum(axis=1)
        if true.any():  # a class without rows has no F1, whatever is called it
            np.divide(2 * hit, both, out=out[:, k], where=both > 0)
    return out


@dataclass(frozen=True)
class Interval:
    """Per class: the 95 % interval of F1, of one model or of a difference."""

    low: Floats
    high: Floats


def f1_intervals(
    single: Predicted, other: Predicted | None, classes: int
) -> tuple[Interval, Interval | None, Interval | None]:
    """95 % percentile bootstrap over rows, the same rows for both: (single, other, other - single).

    Rows with equal (label, answer, answer) are interchangeable, so a multinomial over these groups is the bootstrap.
    Seeded: the same run gives the same numbers.
    """
    a, b = single.said, other.said if other is not None else single.said
    keys, counts = np.unique(np.stack([single.labels, a, b]), axis=1, return_counts=True)
    rng = np.random.default_rng(0)
    weights = rng.multinomial(int(counts.sum()), counts / counts.sum(), size=RESAMPLES)
    f_a = _f1(keys[0], keys[1], weights, classes)
    f_b = _f1(keys[0], keys[2], weights, classes)

    def ends(values: Floats) -> Interval:
        low, high = np.full(classes, np.nan), np.full(classes, np.nan)
        for k in range(classes):
            fine = values[np.isfinite(values[:, k]), k]
            if len(fine) >= RESAMPLES // 2:
                low[k], high[k] = np.quantile(fine, [0.025, 0.975])
        return Interval(low, high)

    if other is None:
        return ends(f_a), None, None
    return ends(f_a), ends(f_b), ends(f_b - f_a)


def largest_confusions(counts: Ints, most: int) -> list[tuple[int, int, int]]:
    """(true, predicted, count) off the diagonal, most frequent first; only those that happened."""
    cells = [(int(counts[i, j]), i, j) for i in range(len(counts)) for j in range(len(counts)) if i != j]
    return [(i, j, n) for n, i, j in sorted(cells, key=lambda c: (-c[0], c[1], c[2]))[:most] if n]
