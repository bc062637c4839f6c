"""The meta-learners as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from fertune.predictions import bad_rows, some
from fertune.sklearn.base import ProbabilityClassifier
from fertune.stacking.meta import named
from fertune.stacking.meta.arrays import Standard, softmax
from fertune.stacking.meta.learner import normalised
from fertune.trial import Value

EXPECTED_FAILED: dict[str, str] = {}
"""Checks of ``sklearn.utils.estimator_checks`` that it does not pass, each with its reason: none."""


class MetaClassifier(ProbabilityClassifier):
    """Learns what to make of the predictions of several models.

    Fit it on out-of-fold probabilities only (``cross_val_predict(..., method="predict_proba")``): what a model says of
    rows that it was trained on is too good, and the model that memorised most would be trusted most.

    Args:
        learner: ``mean``, ``greedy``, ``decision_tree``, ``logistic``, ``lda``, ``knn``, ``mlp``, ``svm``,
            ``extra_trees``, ``random_forest`` or ``xgboost``; or one of ``fertune.register_meta_learner``.
        n_models: How many models' probabilities stand side by side in a 2-D ``X``. None: ``X`` is 3-D, or a table of
            other numbers (scores, features): its columns are then standardised and read as log-odds against 0, so that
            the same learners can work on them; ``mean`` and ``greedy`` cannot.
        params: Of the learner; by default its own.
        random_state: Seed, RandomState or None.
        n_jobs: CPU threads of a fit; None is 1.

    Attributes:
        classes_: (k,) labels, sorted; the order in which a model's probabilities stand.
        n_features_in_: Columns of ``X``; models x classes where it was 3-D.
        fitted_: The learner, with ``explain()`` and ``save(folder)``.
    """

    def __init__(
        self,
        learner: str = "logistic",
        *,
        n_models: int | None = None,
        params: Mapping[str, Value] | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.learner = learner
        self.n_models = n_models
        self.params = params
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> MetaClassifier:
        """Fit to probabilities.

        Args:
            X: (n, models x classes), models one after another, or (n, models, classes); rows of a model sum to 1.
            y: (n,) labels; every class of the probabilities is there.

        Raises:
            ValueError: Shapes or values that are not legal.
            ConfigError: No such learner or parameter.
        """
        learner = named(self.learner)
        self._need_labels(y)
        table, blocks = self._read(X, reset=True)
        self.classes_, at = self._classes(y, len(table))
        self._standard = None
        if blocks is None:
            if learner.role == "average":
                raise ValueError(f"{self.learner} averages probabilities: give n_models, or a 3-D X")
            self._standard = Standard.of(table)
        elif blocks.shape[2] != len(self.classes_):
            raise ValueError(f"X has probabilities of {blocks.shape[2]} classes, y has {len(self.classes_)} classes")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        proba = self._blocks(table, blocks)
        self.fitted_ = learner.fit(dict(self.params or {}), proba, at, seed, threads=self.n_jobs or 1)
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, k) float64, rows sum to 1, columns as ``classes_``."""
        check_is_fitted(self, "fitted_")
        table, blocks = self._read(X, reset=False)
        return normalised(self.fitted_.predict_proba(self._blocks(table, blocks))[:, : len(self.classes_)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def _read(self, X: Any, *, reset: bool) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
        """``X`` as a table, and as (n, models, classes) where it is probabilities."""
        models = self.n_models
        if getattr(X, "ndim", 2) == 3:
            deep = check_array(X, allow_nd=True, dtype=np.float64)
            models, X = deep.shape[1], deep.reshape(len(deep), -1)
        table: npt.NDArray[np.float64] = validate_data(self, X, reset=reset, dtype=np.float64)
        if models is None:
            return table, None
        if models < 1 or table.shape[1] % models:
            raise ValueError(f"X has {table.shape[1]} columns, which are not {models} models of equally many classes")
        blocks = table.reshape(len(table), models, -1)
        for model in range(models):
            for what, bad in bad_rows(blocks[:, model]).items():
                if bad.any():
                    raise ValueError(f"X, model {model + 1}: {some(np.flatnonzero(bad))} {what}")
        return table, blocks

    def _blocks(
        self, table: npt.NDArray[np.float64], blocks: npt.NDArray[np.float64] | None
    ) -> npt.NDArray[np.float64]:
        """What the learner is given: as many columns a model as there are classes, at least."""
        if blocks is not None:
            return blocks
        if self._standard is None:
            raise ValueError("it was fitted on probabilities; X is something else")
        odds = np.concatenate([self._standard(table), np.zeros((len(table), 1))], axis=1)
        proba = softmax(odds)
        missing = max(0, len(self.classes_) - proba.shape[1])
        return np.pad(proba, ((0, 0), (0, missing)))[:, None]
