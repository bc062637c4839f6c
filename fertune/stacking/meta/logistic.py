"""Multinomial logistic regression over the members' log-probabilities, standardised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fertune.space import Choice, Float, Space
from fertune.stacking.meta.arrays import both, softmax
from fertune.stacking.meta.features import FEATURES, column_names, columns
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.stacking.meta.table import TableClassifier, load_parts
from fertune.trial import Value

MAX_ITER = 100
TOLERANCE = 1e-3


class FittedLogistic(TableClassifier):
    """A pipeline of StandardScaler and LogisticRegression."""

    def answers(self, table: Doubles) -> Doubles:
        """By their arrays alone: what one scikit-learn fitted then predicts beside another version of it."""
        scaler, linear = self.model[0], self.model[-1]
        weights, intercept = both(linear.coef_, linear.intercept_)
        return softmax(((table - scaler.mean_) / scaler.scale_) @ weights.T + intercept)

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """``values`` (classes, features): coefficients of standardised columns; classes never seen are left out."""
        known = class_names(classes, self.shape[1])
        if self.model is None:
            return {"kind": "none", "reason": f"all rows were of class {known[self.seen[0]]}"}
        values, _ = both(self.model[-1].coef_, self.model[-1].intercept_)
        return {
            "kind": "coefficients",
            "features": column_names(names, classes, self.shape),
            "classes": [known[k] for k in self.seen],
            "values": values.tolist(),
        }


@dataclass(frozen=True)
class Logistic:
    """Penalised by ``1 / (2 C)`` times the squared coefficients; L-BFGS stops at a gradient of 1e-3 or 100 steps.

    ``features``: ``log`` (log-probabilities: then a weighted geometric mean of the members is one of its solutions) or
    ``proba``.
    """

    name: str = "logistic"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"C": 0.01, "features": "log"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [Float("C", 1e-5, 10.0, log=True), Choice("features", FEATURES)],
            model="meta",
            summary="logistic regression over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedLogistic:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from fertune.stacking.meta.threads import limited

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape = (proba.shape[1], proba.shape[2])
        seen = np.unique(labels)
        if len(seen) == 1:
            return FittedLogistic(self.name, None, seen, shape, chosen["features"])
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=float(chosen["C"]), max_iter=MAX_ITER, tol=TOLERANCE)
        )
        with limited(threads):
            model.fit(columns(proba, chosen["features"]), labels)
        return FittedLogistic(self.name, model, seen, shape, chosen["features"])

    def load(self, folder: str | Path) -> FittedLogistic:
        from sklearn.pipeline import Pipeline

        return FittedLogistic(self.name, *load_parts(folder, self.name, Pipeline))
