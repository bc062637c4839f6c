"""Paired cluster bootstrap: how far each accuracy, and each difference to a reference, may be chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
_CELLS = 2_000_000  # numbers held at once by one chunk of resamples


@dataclass(frozen=True)
class Intervals:
    """95 % percentile intervals; fractions, one entry a column of ``correct``.

    Attributes:
        accuracy: (m,) float64, of all rows (not of resamples).
        low: (m,) float64, 2.5 % percentile of the accuracy alone.
        high: (m,) float64, 97.5 % percentile.
        difference: (m,) float64, accuracy minus that of the reference, on the same rows.
        difference_low: (m,) float64.
        difference_high: (m,) float64.
        standard_error: (m,) float64, standard deviation of the resampled difference; 0 for the reference.
    """

    accuracy: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    difference: npt.NDArray[np.float64]
    difference_low: npt.NDArray[np.float64]
    difference_high: npt.NDArray[np.float64]
    standard_error: npt.NDArray[np.float64]


def paired_bootstrap(
    correct: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.integer],
    *,
    reference: int = 0,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Intervals:
    """Resample clusters of twin pictures with replacement; the same resamples serve every column.

    Percentile intervals: Efron, Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 7, 1979; Efron
    and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13. Whole clusters are drawn (Field and Welsh,
    Bootstrapping clustered data, JRSS B 69, 2007), since copies of one picture are right or wrong together. The ends
    are resampled values (the lower one rounded down, the upper one up), never a point between two of them, so an
    interval excludes 0 only if at least 97.5 % of the resamples do.

    Two limits: it says nothing about other training runs, only about other pictures; and with few differing rows a
    percentile interval is too short, which ``verdict`` takes into account.

    Args:
        correct: (n, m) bool, right or wrong, a column a contender; n at least 1.
        groups: (n,) int, cluster numbers, any values; all different means that no row has a twin.
        reference: Column that differences are taken against.
        seed: Of the resamples; the same seed gives the same intervals.
        resamples: At least 1.

    Raises:
        ValueError: Shapes that do not fit, no rows, or an unknown reference.
    """
    correct, groups = np.asarray(correct), np.asarray(groups)
    if correct.ndim != 2 or len(correct) == 0 or groups.shape != (len(correct),):
        raise ValueError(f"correct {correct.shape} and groups {groups.shape} where (n, m) and (n,), n > 0, are needed")
    if not 0 <= reference < correct.shape[1]:
        raise ValueError(f"reference {reference} where 0 to {correct.shape[1] - 1} is legal")
    if resamples < 1:
        raise ValueError(f"resamples: {resamples} where at least 1 is needed")
    _, cluster = np.unique(groups, return_inverse=True)
    size = np.bincount(cluster).astype(np.float64)
    right = np.stack([np.bincount(cluster, weights=column) for column in correct.T], axis=1).astype(np.float64)
    drawn_right, drawn_size = _draw(right, size, seed, resamples)
    alone = drawn_right / drawn_size[:, None]
    # Whole numbers are subtracted before the division: equal counts give exactly 0.
    paired = (drawn_right - drawn_right[:, [reference]]) / drawn_size[:, None]
    hits = right.sum(axis=0)
    return Intervals(
        accuracy=hits / len(correct),
        low=np.quantile(alone, 0.025, axis=0, method="lower"),
        high=np.quantile(alone, 0.975, axis=0, method="higher"),
        difference=(hits - hits[reference]) / len(correct),
        difference_low=np.quantile(paired, 0.025, axis=0, method="lower"),
        difference_high=np.quantile(paired, 0.975, axis=0, method="higher"),
        standard_error=np.std(paired, axis=0),
    )


def _draw(
    right: npt.NDArray[np.float64], size: npt.NDArray[np.float64], seed: int, resamples: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sums over drawn clusters: right answers (resamples, m) and rows (resamples,)."""
    clusters = len(size)
    chunk = max(1, _CELLS // clusters)
    rng = np.random.default_rng(seed)
    sums = np.empty((resamples, right.shape[1]))
    rows = np.empty(resamples)
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        drawn = rng.integers(0, clusters, size=(k, clusters))
        drawn += np.arange(k)[:, None] * clusters
        times = np.bincount(drawn.ravel(), minlength=k * clusters).reshape(k, clusters).astype(np.float64)
        sums[start : start + k] = times @ right
        rows[start : start + k] = times @ size
    return sums, rows
