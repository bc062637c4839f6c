"""The rows of the matrix that look most alike, and how often they were of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.space import Choice, Int, Space
from fertune.stacking.meta.arrays import ArrayClassifier, Arrays, load_arrays, need
from fertune.stacking.meta.features import columns, dealt
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.trial import Value

WEIGHTS = ("uniform", "distance")
MOST_ROWS = 12000
"""Rows that are kept, drawn class by class: time and the size of a stored stack grow with them."""
AT_ONCE = 4096
"""Rows asked about at once: 4,096 x 200 neighbours are 10 MB."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that it was fitted on.

    Attributes:
        rows: (n, columns) float32, square roots of probabilities.
        at: (n,) int32, the class of each, as a column of the answer.
        neighbours: How many are asked.
        closer_more: 1 where a neighbour weighs by 1 / distance, 0 where all weigh alike.
        prior: (classes,) float64, frequencies.
    """

    rows: npt.NDArray[np.float32]
    at: npt.NDArray[np.int32]
    neighbours: int
    closer_more: int
    prior: Doubles

    @cached_property
    def _index(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=self.neighbours, algorithm="brute").fit(self.rows)

    def predict_proba(self, table: Doubles) -> Doubles:
        """Weighted shares of the classes among the neighbours, and one neighbour more that is of all classes as often
        as they come: so that no class gets 0 because nobody near happened to be of it."""
        from fertune.stacking.meta.threads import limited

        roots = np.sqrt(np.clip(table, 0.0, None)).astype(np.float32)
        parts = []
        with limited(1):
            for begin in range(0, len(roots), AT_ONCE):
                distance, near = self._index.kneighbors(roots[begin : begin + AT_ONCE])
                weight = 1 / (distance.astype(np.float64) + 1e-3) if self.closer_more else np.ones(near.shape)
                weight *= self.neighbours / weight.sum(axis=1, keepdims=True)
                shares = np.tile(self.prior, (len(near), 1))
                np.add.at(shares, (np.arange(len(near))[:, None], self.at[near]), weight)
                parts.append(shares / (self.neighbours + 1))
        return np.concatenate(parts) if parts else np.zeros((0, len(self.prior)))

    def arrays(self) -> Arrays:
        return {
            "rows": self.rows,
            "at": self.at,
            "neighbours": np.array(self.neighbours),
            "closer_more": np.array(self.closer_more),
            "prior": self.prior,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Rows:
        rows, at, prior = arrays["rows"], arrays["at"], arrays["prior"]
        neighbours, closer = int(arrays["neighbours"]), int(arrays["closer_more"])
        need(rows.ndim == 2 and rows.shape[1] == columns and rows.dtype == np.float32, f"rows {rows.shape}")
        need(at.shape == (len(rows),) and at.dtype.kind == "i", "another number of labels than rows")
        need(at.min() >= 0 and at.max() < classes, "labels that are no classes")
        need(1 <= neighbours <= len(rows), f"{neighbours} neighbours of {len(rows)} rows")
        need(prior.shape == (classes,) and bool(np.all(prior > 0)), "frequencies of other classes")
        return cls(rows, at, neighbours, closer, prior)


class FittedNeighbours(ArrayClassifier):
    """Its model is ``Rows``."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """No weights: a sentence."""
        return self.only_class(class_names(classes, self.shape[1])) or {
            "kind": "none",
            "reason": f"it keeps {len(self.model.rows):,} rows and asks the {self.model.neighbours} most alike",
        }


@dataclass(frozen=True)
class Neighbours:
    """Cover and Hart 1967. Alike is a small Hellinger distance, member by member: the Euclidean one between square
    roots of probabilities, in which a step from 0.01 to 0.05 counts for more than one from 0.51 to 0.55.

    Of more than 12,000 rows it keeps 12,000, drawn class by class. All distances are worked out, no tree: in 28
    columns none is faster. 3,600 rows are asked in a second on one thread; it uses one, whatever ``threads`` says, so
    that folds can be asked side by side.
    """

    name: str = "knn"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"neighbours": 100, "weights": "uniform"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [Int("neighbours", 10, 200, log=True), Choice("weights", WEIGHTS)],
            model="meta",
            summary="nearest rows of out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedNeighbours:
        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape = (proba.shape[1], proba.shape[2])
        rows = dealt(labels, np.random.default_rng(seed))[:MOST_ROWS]
        proba, labels = proba[rows], labels[rows]
        seen, at, counts = np.unique(labels, return_inverse=True, return_counts=True)
        if len(seen) == 1:
            return FittedNeighbours(self.name, None, seen, shape, "proba")
        model = Rows(
            np.sqrt(np.clip(columns(proba, "proba"), 0.0, None)).astype(np.float32),
            at.astype(np.int32),
            min(int(chosen["neighbours"]), len(labels)),
            int(chosen["weights"] == "distance"),
            counts / len(labels),
        )
        return FittedNeighbours(self.name, model, seen, shape, "proba")

    def load(self, folder: str | Path) -> FittedNeighbours:
        return FittedNeighbours(self.name, *load_arrays(folder, self.name, Rows))
