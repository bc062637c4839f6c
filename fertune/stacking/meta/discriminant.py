"""Linear discriminant analysis over the members' probabilities: closed form, no steps, seconds at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fertune.space import Choice, Float, Space
from fertune.stacking.meta.arrays import ArrayClassifier, Arrays, Standard, both, load_arrays, need, softmax
from fertune.stacking.meta.features import FEATURES, column_names, columns
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.trial import Value


@dataclass(frozen=True, eq=False)
class Linear:
    """Softmax of a linear function of standardised columns.

    Attributes:
        coef: (classes, columns) float64.
        intercept: (classes,) float64.
    """

    standard: Standard
    coef: Doubles
    intercept: Doubles

    def predict_proba(self, table: Doubles) -> Doubles:
        return softmax(self.standard(table) @ self.coef.T + self.intercept)

    def arrays(self) -> Arrays:
        return {**self.standard.arrays(), "coef": self.coef, "intercept": self.intercept}

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Linear:
        coef, intercept = arrays["coef"], arrays["intercept"]
        need(coef.shape == (classes, columns) and intercept.shape == (classes,), f"coefficients {coef.shape}")
        return cls(Standard.from_arrays(arrays, columns), coef, intercept)


class FittedDiscriminant(ArrayClassifier):
    """Its model is ``Linear``."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """``values`` (classes, features): coefficients of standardised columns; classes never seen are left out."""
        known = class_names(classes, self.shape[1])
        return self.only_class(known) or {
            "kind": "coefficients",
            "features": column_names(names, classes, self.shape),
            "classes": [known[k] for k in self.seen],
            "values": self.model.coef.tolist(),
        }


@dataclass
class _Shrunk:
    """The covariance of one class as scikit-learn's ``shrinkage=`` has it, which warns of a class with a single row."""

    shrinkage: float
    covariance_: Doubles = field(default_factory=lambda: np.zeros((0, 0)))

    def fit(self, table: Doubles) -> None:
        from sklearn.covariance import shrunk_covariance

        apart = table - table.mean(axis=0)
        self.covariance_ = shrunk_covariance(apart.T @ apart / len(table), self.shrinkage)


@dataclass(frozen=True)
class Discriminant:
    """Fisher 1936, with one covariance for all classes, shrunk towards a multiple of the identity: the columns of a
    member sum to 1 (or nearly so, as logarithms), so the covariance alone could not be inverted.

    ``shrinkage``: 0 (as measured) to 1 (no covariance at all).
    """

    name: str = "lda"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"shrinkage": 0.01, "features": "log"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [Float("shrinkage", 1e-4, 1.0, log=True), Choice("features", FEATURES)],
            model="meta",
            summary="linear discriminant analysis over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedDiscriminant:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        from fertune.stacking.meta.threads import limited

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape, seen = (proba.shape[1], proba.shape[2]), np.unique(labels)
        if len(seen) == 1:
            return FittedDiscriminant(self.name, None, seen, shape, chosen["features"])
        table = columns(proba, chosen["features"])
        standard = Standard.of(table)
        if len(labels) <= len(seen):  # one row a class: nothing varies inside a class
            coef, intercept = np.zeros((len(seen), table.shape[1])), np.zeros(len(seen))
        else:
            with limited(threads):
                covariance = _Shrunk(float(chosen["shrinkage"]))
                model = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=covariance)
                model.fit(standard(table), labels)
            coef, intercept = both(model.coef_, model.intercept_)
        return FittedDiscriminant(self.name, Linear(standard, coef, intercept), seen, shape, chosen["features"])

    def load(self, folder: str | Path) -> FittedDiscriminant:
        return FittedDiscriminant(self.name, *load_arrays(folder, self.name, Linear))
