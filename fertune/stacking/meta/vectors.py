"""A support vector machine over the members' probabilities, with probabilities of its own that it has earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.space import Choice, Float, Space
from fertune.stacking.meta.arrays import ArrayClassifier, Arrays, Standard, both, load_arrays, need, softmax
from fertune.stacking.meta.features import FEATURES, columns, dealt
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.trial import Value

MOST_ROWS = 2500
"""Rows that a machine is fitted on; its time grows with their square. 2,500 of 28,709 cost about half a point of
accuracy on a matrix that was drawn at random, and make a fit a hundred times quicker."""
CROSS = 3
AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Machine:
    """One machine for each pair of classes, with a Gaussian kernel.

    Attributes:
        vectors: (v, columns) float64, those of the first class first.
        counts: (classes,) int64, how many vectors are of each class.
        dual: (classes - 1, v) float64: weights of a vector against each other class, in their order.
        offset: (pairs,) float64, in the order 0-1, 0-2, ..., 1-2, ...
        gamma: Of exp(-gamma times squared distance).
    """

    vectors: Doubles
    counts: npt.NDArray[np.int64]
    dual: Doubles
    offset: Doubles
    gamma: float

    @classmethod
    def fit(cls, table: Doubles, labels: Labels, cost: float, gamma: float, seed: int) -> Machine:
        from sklearn.svm import SVC

        model = SVC(C=cost, gamma=gamma, random_state=seed % 2**32).fit(table, labels)
        dual, offset = np.asarray(model.dual_coef_), np.asarray(model.intercept_)
        if len(model.classes_) == 2:  # of two classes scikit-learn turns the signs round
            dual, offset = -dual, -offset
        return cls(model.support_vectors_, model.n_support_.astype(np.int64), dual, offset, gamma)

    def scores(self, table: Doubles) -> Doubles:
        """(n, columns) -> (n, classes): the mean of what a class's machines say for it, against each other class."""
        return np.concatenate(
            [self._scores(table[begin : begin + AT_ONCE]) for begin in range(0, max(1, len(table)), AT_ONCE)]
        )

    def _scores(self, table: Doubles) -> Doubles:
        squares = (table**2).sum(axis=1)[:, None] + (self.vectors**2).sum(axis=1) - 2 * table @ self.vectors.T
        kernel = np.exp(-self.gamma * np.maximum(squares, 0.0))
        ends = np.cumsum(self.counts)
        parts = [
            kernel[:, end - n : end] @ self.dual[:, end - n : end].T for n, end in zip(self.counts, ends, strict=True)
        ]
        k = len(self.counts)
        total = np.zeros((len(table), k))
        for pair, (one, other) in enumerate(combinations(range(k), 2)):
            decided = parts[one][:, other - 1] + parts[other][:, one] + self.offset[pair]
            total[:, one] += decided
            total[:, other] -= decided
        return total / max(1, k - 1)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A machine, and the softmax of a linear function of its scores.

    Attributes:
        coef, intercept: (classes, classes), (classes,) float64.
        fitted_on, of: Rows that the machine saw, and that there were.
    """

    standard: Standard
    machine: Machine
    coef: Doubles
    intercept: Doubles
    fitted_on: int
    of: int

    def predict_proba(self, table: Doubles) -> Doubles:
        return softmax(self.machine.scores(self.standard(table)) @ self.coef.T + self.intercept)

    def arrays(self) -> Arrays:
        machine = {name: getattr(self.machine, name) for name in ("vectors", "counts", "dual", "offset")}
        return {
            **self.standard.arrays(),
            **machine,
            "gamma": np.array(self.machine.gamma),
            "coef": self.coef,
            "intercept": self.intercept,
            "rows": np.array([self.fitted_on, self.of]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Calibrated:
        vectors, counts, dual, offset = (arrays[name] for name in ("vectors", "counts", "dual", "offset"))
        coef, intercept, rows = arrays["coef"], arrays["intercept"], arrays["rows"]
        need(vectors.ndim == 2 and vectors.shape[1] == columns, f"vectors {vectors.shape}")
        need(counts.shape == (classes,) and counts.dtype.kind == "i" and counts.min() >= 0, "counts of other classes")
        need(counts.sum() == len(vectors) and dual.shape == (classes - 1, len(vectors)), "weights of other vectors")
        need(offset.shape == (classes * (classes - 1) // 2,), "another number of pairs")
        need(coef.shape == (classes, classes) and intercept.shape == (classes,), "a calibration of other classes")
        need(rows.shape == (2,), "no count of rows")
        machine = Machine(vectors, counts, dual, offset, float(arrays["gamma"]))
        return cls(Standard.from_arrays(arrays, columns), machine, coef, intercept, int(rows[0]), int(rows[1]))


class FittedVectors(ArrayClassifier):
    """Its model is ``Calibrated``."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """No weights of members: a sentence that says which rows it saw."""
        if (only := self.only_class(class_names(classes, self.shape[1]))) is not None:
            return only
        part = "" if self.model.fitted_on == self.model.of else f" of {self.model.of:,}, drawn class by class"
        vectors = len(self.model.machine.vectors)
        return {
            "kind": "none",
            "reason": f"it keeps {vectors:,} support vectors; it was fitted on {self.model.fitted_on:,} rows{part}",
        }


@dataclass(frozen=True)
class SupportVectors:
    """Cortes and Vapnik 1995, one against one, a Gaussian kernel over standardised columns.

    Of more than 2,500 rows it is fitted on 2,500, drawn class by class; ``explain`` says so. Its scores become
    probabilities by a softmax whose coefficients are fitted to scores of rows that the machine had not seen (three
    machines, each fitted on two thirds; Platt 1999, with as many classes as there are). ``gamma`` is divided by the
    number of columns.
    """

    name: str = "svm"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"C": 1.0, "gamma": 0.1, "features": "log"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [Float("C", 0.03, 30.0, log=True), Float("gamma", 0.01, 1.0, log=True), Choice("features", FEATURES)],
            model="meta",
            summary="support vectors over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedVectors:
        from fertune.stacking.meta.threads import limited

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape, seen = (proba.shape[1], proba.shape[2]), np.unique(labels)
        if len(seen) == 1:
            return FittedVectors(self.name, None, seen, shape, chosen["features"])
        # class by class, each in a random order: the first rows are a sample, each third row is a fold
        rows = dealt(labels, np.random.default_rng(seed))[:MOST_ROWS]
        table = columns(proba[rows], chosen["features"])
        standard = Standard.of(table)
        ready, true = standard(table), np.searchsorted(seen, labels[rows])
        cost, gamma = float(chosen["C"]), float(chosen["gamma"]) / table.shape[1]
        with limited(1):
            coef, intercept = _calibration(ready, true, len(seen), cost, gamma, seed)
            machine = Machine.fit(ready, true, cost, gamma, seed)
        model = Calibrated(standard, machine, coef, intercept, len(rows), len(labels))
        return FittedVectors(self.name, model, seen, shape, chosen["features"])

    def load(self, folder: str | Path) -> FittedVectors:
        return FittedVectors(self.name, *load_arrays(folder, self.name, Calibrated))


def _calibration(
    table: Doubles, labels: npt.NDArray[np.int64], k: int, cost: float, gamma: float, seed: int
) -> tuple[Doubles, Doubles]:
    """Coefficients of the softmax, fitted to scores of rows that the machine behind them had not seen."""
    from sklearn.linear_model import LogisticRegression

    folds = np.empty(len(labels), dtype=np.int64)
    for label in range(k):
        own = np.flatnonzero(labels == label)
        folds[own] = np.arange(len(own)) % CROSS
    scores = np.full((len(labels), k), np.nan)
    for fold in range(CROSS):
        out = folds == fold
        known = np.unique(labels[~out])
        if not out.any():
            continue
        if len(known) < 2:
            return np.eye(k), np.zeros(k)  # too few rows to measure anything with: the scores as they are
        found = Machine.fit(table[~out], labels[~out], cost, gamma, seed).scores(table[out])
        scores[out] = found.min(axis=1, keepdims=True)  # a class that this machine never met speaks least
        scores[np.ix_(out, known)] = found
    model = LogisticRegression(C=1.0, max_iter=200).fit(scores, labels)
    return both(model.coef_, model.intercept_)
