"""What both estimators share: labels as scikit-learn wants them checked, and a label from probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d


class ProbabilityClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose ``predict`` follows from its ``predict_proba``.

    Attributes:
        classes_: (k,) labels, sorted.
    """

    classes_: npt.NDArray[Any]

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, k) float64, rows sum to 1, columns as ``classes_``."""
        raise NotImplementedError

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """(n,) the most probable label of each row; the first of equal ones."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _need_labels(self, y: Any) -> None:
        """Raise ValueError where there is no ``y``."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")

    @staticmethod
    def _classes(y: npt.ArrayLike, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
        """Labels, sorted, each once; and int64 (n,), which of them each row has.

        Raises:
            ValueError: They are no classes, or not ``rows`` of them.
        """
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        if len(labels) != rows:
            raise ValueError(f"inconsistent numbers of samples: X has {rows} rows, y has {len(labels)}")
        classes, at = np.unique(labels, return_inverse=True)
        return classes, at.astype(np.int64)
