"""A small network of one hidden layer over the members' probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fertune.space import Choice, Float, Int, Space
from fertune.stacking.meta.arrays import ArrayClassifier, Arrays, Standard, both, load_arrays, need, softmax
from fertune.stacking.meta.features import FEATURES, columns
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.trial import Value

LEARNING_RATE = 3e-3
SMALLEST_BATCH, LARGEST_BATCH = 16, 512
BATCHES = 50
"""About so many steps an epoch, where the batch size allows."""


@dataclass(frozen=True, eq=False)
class Network:
    """Standardised columns, one hidden layer of rectified units, softmax.

    Attributes:
        inner, inner_bias: (columns, hidden), (hidden,) float64.
        outer, outer_bias: (hidden, classes), (classes,) float64.
    """

    standard: Standard
    inner: Doubles
    inner_bias: Doubles
    outer: Doubles
    outer_bias: Doubles

    def predict_proba(self, table: Doubles) -> Doubles:
        hidden = np.maximum(self.standard(table) @ self.inner + self.inner_bias, 0.0)
        return softmax(hidden @ self.outer + self.outer_bias)

    def arrays(self) -> Arrays:
        own = ("inner", "inner_bias", "outer", "outer_bias")
        return {**self.standard.arrays(), **{name: getattr(self, name) for name in own}}

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Network:
        found = cls(
            Standard.from_arrays(arrays, columns),
            *(arrays[name] for name in ("inner", "inner_bias", "outer", "outer_bias")),
        )
        hidden = len(found.inner_bias)
        need(found.inner.shape == (columns, hidden), "a hidden layer that does not fit")
        need(found.outer.shape == (hidden, classes), "an outer layer that does not fit")
        need(found.inner_bias.ndim == 1 and found.outer_bias.shape == (classes,), "biases that do not fit")
        return found


class FittedNetwork(ArrayClassifier):
    """Its model is ``Network``."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """No weights of members: a sentence."""
        return self.only_class(class_names(classes, self.shape[1])) or {
            "kind": "none",
            "reason": f"its {len(self.model.inner_bias)} hidden units mix all members",
        }


@dataclass(frozen=True)
class Perceptron:
    """One hidden layer, Adam, cross-entropy, ``alpha`` / 2 times the squared weights as penalty.

    It stops after ``epochs``, which are tuned like the rest: stopping early would need held-out rows of its own, and
    the twins of those would be among the rows it learns from. One thread, so that the same seed gives the same sums on
    any machine.
    """

    name: str = "mlp"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"hidden": 16, "alpha": 0.01, "epochs": 10, "features": "log"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [
                Int("hidden", 4, 32, log=True),
                Float("alpha", 1e-4, 3.0, log=True),
                Int("epochs", 4, 16, log=True),
                Choice("features", FEATURES),
            ],
            model="meta",
            summary="a small network over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedNetwork:
        from sklearn.neural_network import MLPClassifier

        from fertune.stacking.meta.threads import limited

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape, seen = (proba.shape[1], proba.shape[2]), np.unique(labels)
        if len(seen) == 1:
            return FittedNetwork(self.name, None, seen, shape, chosen["features"])
        table = columns(proba, chosen["features"])
        standard = Standard.of(table)
        epochs, n = int(chosen["epochs"]), len(labels)
        model = MLPClassifier(
            (int(chosen["hidden"]),),
            alpha=float(chosen["alpha"]),
            batch_size=min(n, max(SMALLEST_BATCH, min(LARGEST_BATCH, n // BATCHES))),
            learning_rate_init=LEARNING_RATE,
            max_iter=epochs,
            n_iter_no_change=epochs + 1,
            random_state=seed % 2**32,
        )
        with limited(1):
            model.fit(standard(table), labels)
        outer, outer_bias = both(model.coefs_[1].T, model.intercepts_[1])
        network = Network(standard, model.coefs_[0], model.intercepts_[0], np.ascontiguousarray(outer.T), outer_bias)
        return FittedNetwork(self.name, network, seen, shape, chosen["features"])

    def load(self, folder: str | Path) -> FittedNetwork:
        return FittedNetwork(self.name, *load_arrays(folder, self.name, Network))
