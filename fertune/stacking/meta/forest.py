"""Random forest and extremely randomised trees over the members' probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.space import Float, Int, Param, Space
from fertune.stacking.meta.arrays import ArrayClassifier, Arrays, load_arrays, need
from fertune.stacking.meta.features import column_names, columns
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, class_names, settings
from fertune.trial import Value

TREES = 30
"""More would be a little better and cost as much more; the tuned parameters matter first."""


@dataclass(frozen=True, eq=False)
class Trees:
    """Binary trees one after another.

    Attributes:
        root: (trees,) int64, position of each root.
        feature: (nodes,) int32, the column that a node asks about; -1 in a leaf.
        threshold: (nodes,) float64; a row goes left where its float32 value is at most this.
        left, right: (nodes,) int32, always further on than the node itself, so every walk ends.
        value: (nodes, classes) float32, shares of the classes in a leaf; 0 elsewhere.
        importance: (columns,) float64, mean share of the impurity that splits on a column took away; sum 1 or 0.
    """

    root: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float64]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    importance: npt.NDArray[np.float64]

    @classmethod
    def of(cls, forest: Any) -> Trees:
        """From a fitted forest of scikit-learn."""
        parts: list[tuple[npt.NDArray[Any], ...]] = []
        roots, begin = [], 0
        for tree in (one.tree_ for one in forest.estimators_):
            inner = tree.children_left >= 0
            shares = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
            parts.append(
                (
                    np.where(inner, tree.feature, -1),
                    np.where(inner, tree.threshold, 0.0),
                    np.where(inner, tree.children_left + begin, 0),
                    np.where(inner, tree.children_right + begin, 0),
                    np.where(inner[:, None], 0.0, shares),
                )
            )
            roots.append(begin)
            begin += tree.node_count
        feature, threshold, left, right, value = (np.concatenate(one) for one in zip(*parts, strict=True))
        return cls(
            np.array(roots, dtype=np.int64),
            feature.astype(np.int32),
            threshold.astype(np.float64),
            left.astype(np.int32),
            right.astype(np.int32),
            value.astype(np.float32),
            np.asarray(forest.feature_importances_, dtype=np.float64),
        )

    def predict_proba(self, table: Doubles) -> Doubles:
        """The mean of the leaves that a row falls into."""
        values = table.astype(np.float32)
        total = np.zeros((len(values), self.value.shape[1]))
        for root in self.root:
            at = np.full(len(values), root)
            going = np.arange(len(values))
            while len(going := going[self.feature[at[going]] >= 0]):
                node = at[going]
                goes_left = values[going, self.feature[node]] <= self.threshold[node]
                at[going] = np.where(goes_left, self.left[node], self.right[node])
            total += self.value[at]
        return np.asarray(total / len(self.root))

    def arrays(self) -> Arrays:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Trees:
        found = cls(**{name: arrays[name] for name in cls.__dataclass_fields__})
        nodes = len(found.feature)
        here = np.arange(nodes)
        whole = (found.root, found.feature, found.left, found.right)
        need(all(a.ndim == 1 and a.dtype.kind == "i" for a in whole), "node numbers that are not whole")
        need(len(found.threshold) == len(found.left) == len(found.right) == nodes, "arrays of several lengths")
        need(found.value.shape == (nodes, classes), f"leaves {found.value.shape} where ({nodes}, {classes}) is needed")
        need(found.importance.shape == (columns,), "importances of other columns")
        need(len(found.root) > 0 and found.root.min() >= 0 and found.root.max() < nodes, "roots that are not there")
        need(bool(np.all((found.feature >= -1) & (found.feature < columns))), "questions about columns not there")
        inner = found.feature >= 0
        for child in (found.left, found.right):
            need(bool(np.all((child[inner] > here[inner]) & (child[inner] < nodes))), "a walk that does not end")
        leaves = found.value[~inner]
        need(bool(np.all(leaves >= 0) and np.all(np.abs(leaves.sum(axis=1) - 1) < 1e-3)), "leaves that are no shares")
        return found


class FittedForest(ArrayClassifier):
    """Of either kind."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """``values``: mean share of the impurity that splits on a feature took away; sum 1, or 0 without a split."""
        return self.only_class(class_names(classes, self.shape[1])) or {
            "kind": "importances",
            "features": column_names(names, classes, self.shape),
            "values": self.model.importance.tolist(),
        }


@dataclass(frozen=True)
class Forest:
    """Splits see plain probabilities. Each of 30 trees reads a part of the rows (random forest) or cuts at random
    thresholds (extra trees), and asks about a random part of the columns at each node.

    Attributes:
        kind: Class of ``sklearn.ensemble``.
        ranges: What is tuned.
        start: Its defaults.
    """

    name: str
    kind: str
    ranges: tuple[Param, ...]
    start: Mapping[str, Value] = field(hash=False)
    summary: str = ""
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return self.start

    def space(self) -> Space | None:
        return Space(self.name, list(self.ranges), model="meta", summary=self.summary)

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedForest:
        from sklearn import ensemble

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape, seen = (proba.shape[1], proba.shape[2]), np.unique(labels)
        if len(seen) == 1:
            return FittedForest(self.name, None, seen, shape, "proba")
        model = getattr(ensemble, self.kind)(
            TREES, criterion="gini", n_jobs=max(1, threads), random_state=seed % 2**32, **chosen
        )
        model.fit(columns(proba, "proba"), labels)
        return FittedForest(self.name, Trees.of(model), seen, shape, "proba")

    def load(self, folder: str | Path) -> FittedForest:
        return FittedForest(self.name, *load_arrays(folder, self.name, Trees))


def random_forest() -> Forest:
    """Breiman, Random Forests, Machine Learning 45, 2001; each tree reads ``max_samples`` of the rows."""
    return Forest(
        "random_forest",
        "RandomForestClassifier",
        (
            Int("min_samples_leaf", 5, 100, log=True),
            Float("max_features", 0.1, 0.3),
            Float("max_samples", 0.1, 0.3),
        ),
        {"min_samples_leaf": 10, "max_features": 0.2, "max_samples": 0.25},
        "a random forest over out-of-fold probabilities",
    )


def extra_trees() -> Forest:
    """Geurts, Ernst and Wehenkel, Extremely Randomized Trees, Machine Learning 63, 2006; every tree reads all rows."""
    return Forest(
        "extra_trees",
        "ExtraTreesClassifier",
        (Int("min_samples_leaf", 5, 100, log=True), Float("max_features", 0.1, 0.4)),
        {"min_samples_leaf": 10, "max_features": 0.25},
        "extremely randomised trees over out-of-fold probabilities",
    )
