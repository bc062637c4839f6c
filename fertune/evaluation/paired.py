"""Two classifiers on the same rows: the exact test of McNemar, and Holm's correction over a table of such tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class McNemar(NamedTuple):
    """Attributes:
    gained: Rows that the other got right and the reference wrong.
    lost: Rows that the reference got right and the other wrong.
    p: Two-sided exact p; 1 where nothing was gained or lost.
    """

    gained: int
    lost: int
    p: float


def mcnemar(reference: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> McNemar:
    """Exact McNemar test by the binomial distribution.

    McNemar, Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika
    12, 1947; exact form: of gained + lost rows, each is a gain with probability 1/2 under 'no difference'. It takes
    rows as independent, which twins are not: the interval of the bootstrap is the one that knows clusters.

    Args:
        reference: (n,) bool, whether the reference is right.
        other: (n,) bool, on the same rows.

    Raises:
        ValueError: Different shapes.
    """
    reference, other = np.asarray(reference, dtype=bool), np.asarray(other, dtype=bool)
    if reference.shape != other.shape or reference.ndim != 1:
        raise ValueError(f"shapes {reference.shape} and {other.shape} where two equal (n,) are needed")
    gained = int(np.sum(other & ~reference))
    lost = int(np.sum(reference & ~other))
    return McNemar(gained, lost, exact_p(gained, lost))


def exact_p(gained: int, lost: int) -> float:
    """P(at most min(gained, lost) heads of gained + lost fair coins), doubled, at most 1."""
    if gained + lost == 0:
        return 1.0
    from scipy.special import bdtr  # binomial distribution function; slow to import, wanted here only

    return min(1.0, 2.0 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction; keeps the order of its input.

    Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979: the k-th
    smallest of m is multiplied by m - k + 1, never below an earlier one, never above 1.

    Raises:
        ValueError: A value outside 0 to 1.
    """
    if any(not 0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values {list(p_values)} where 0 to 1 is legal")
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for k, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - k) * p_values[index]))
        adjusted[index] = largest
    return adjusted
