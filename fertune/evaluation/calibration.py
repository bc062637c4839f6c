"""Do 80 % mean 80 %? Bins of equal count over the confidence of the predicted class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fertune.evaluation.metrics import Floats, Ints, check_labels, predicted


@dataclass(frozen=True)
class Reliability:
    """One entry a bin, ascending in confidence.

    Attributes:
        count: (bins,) int64, rows in the bin, each at least 1.
        confidence: (bins,) float64, mean probability of the predicted class.
        accuracy: (bins,) float64, share of right rows.
    """

    count: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error: sum over bins of count/n |accuracy - confidence| (Guo et al. 2017, eq. 3)."""
        share = self.count / self.count.sum()
        return float(np.sum(share * np.abs(self.accuracy - self.confidence)))

    @property
    def overconfidence(self) -> float:
        """Mean confidence minus accuracy; above 0 is overconfident."""
        share = self.count / self.count.sum()
        return float(np.sum(share * (self.confidence - self.accuracy)))


def reliability(proba: Floats, labels: Ints, bins: int = 15) -> Reliability:
    """Rows sorted by confidence and cut into bins of equal count (Nguyen and O'Connor 2015).

    Rows of equal confidence stay in one bin, so that the answer does not depend on the order of rows; ties therefore
    make fewer, uneven bins, and there are never more bins than rows.

    Args:
        proba: (n, classes) float, n at least 1.
        labels: (n,) int.
        bins: At least 1.
    """
    labels = check_labels(labels, len(proba), proba.shape[1])
    if bins < 1:
        raise ValueError(f"bins: {bins} where at least 1 is needed")
    right = predicted(proba) == labels
    confidence = np.max(proba, axis=1).astype(np.float64)
    order = np.argsort(confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    n = len(labels)
    edges = np.round(np.linspace(0, n, min(bins, n) + 1)[1:-1]).astype(np.int64)
    edges = np.searchsorted(confidence, confidence[edges], side="left")
    starts = np.unique(np.concatenate([[0], edges])).astype(np.int64)
    count = np.diff(np.append(starts, n))
    return Reliability(
        count=count,
        confidence=np.add.reduceat(confidence, starts) / count,
        accuracy=np.add.reduceat(right.astype(np.float64), starts) / count,
    )


def ece(proba: Floats, labels: Ints, bins: int = 15) -> float:
    """Expected calibration error with bins of equal count, 0 to 1; see ``reliability``.

    Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017, equation 3 (there with bins of
    equal width).

    Args:
        proba: (n, classes) float, n at least 1.
        labels: (n,) int.
    """
    return reliability(proba, labels, bins).ece
