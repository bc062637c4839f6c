"""Whether one model's losses lie above another's on the same rows: Wilcoxon's signed-rank test."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FEWEST = 20
"""Groups under which nothing is said: p is 1."""


def signed_rank(reference: npt.ArrayLike, other: npt.ArrayLike, groups: npt.ArrayLike) -> float:
    """One-sided p that losses of ``other`` are no higher than those of ``reference``; small where they are higher.

    Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1, 1945; pairs without a difference are
    left out, the distribution is the normal one with its correction for ties. Rows of one group (twins, one person)
    are no independent pairs: each group counts once, by the mean of its differences.

    Args:
        reference, other: (n,) losses of the same rows.
        groups: (n,) whole numbers.

    Raises:
        ValueError: Different shapes.
    """
    a, b, of = np.asarray(reference, np.float64), np.asarray(other, np.float64), np.asarray(groups)
    if a.shape != b.shape or a.shape != of.shape or a.ndim != 1:
        raise ValueError(f"shapes {a.shape}, {b.shape} and {of.shape} where three equal (n,) are needed")
    _, number = np.unique(of, return_inverse=True)
    size = np.bincount(number)
    difference = np.bincount(number, b - a) / size
    if len(size) < FEWEST or not np.any(difference):
        return 1.0
    from scipy.stats import norm, rankdata  # slow to import, wanted here only

    # by hand: `wilcoxon` calls its normal approximation `approx` in older releases of SciPy and `asymptotic` in newer
    differs = difference[difference != 0]
    ranks = rankdata(np.abs(differs))
    return float(norm.sf(np.sum(np.sign(differs) * ranks) / np.sqrt(np.sum(ranks**2))))
