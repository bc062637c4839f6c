"""A decision tree over the members' probabilities: the meta-learner that can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fertune.space import Choice, Int, Space
from fertune.stacking.meta.features import column_names, columns
from fertune.stacking.meta.learner import Labels, Proba, check_input, class_names, settings
from fertune.stacking.meta.table import TableClassifier, load_parts
from fertune.trial import Value

SHOWN_DEPTH = 3


class FittedTree(TableClassifier):
    """A DecisionTreeClassifier (CART; Breiman, Friedman, Olshen and Stone, 1984)."""

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """The tree down to depth 3, parents before children.

        A node: ``id``, ``parent`` (None at the root), ``side`` (``left``: its parent's ``feature`` <= ``threshold``;
        ``right``: above), ``depth``, ``rows``, ``class`` (most frequent), ``share`` of that class, ``feature`` and
        ``threshold`` (None in a leaf), ``leaf``.
        """
        tree, columns_ = self.model.tree_, column_names(names, classes, self.shape)
        known = class_names(classes, self.shape[1])
        nodes: list[dict[str, Any]] = []
        waiting: list[tuple[int, int | None, str | None, int]] = [(0, None, None, 0)]
        while waiting:
            node, parent, side, depth = waiting.pop(0)
            leaf = int(tree.children_left[node]) < 0
            shares = tree.value[node, 0] / tree.value[node, 0].sum()
            top = int(np.argmax(shares))
            nodes.append(
                {
                    "id": node,
                    "parent": parent,
                    "side": side,
                    "depth": depth,
                    "rows": int(tree.n_node_samples[node]),
                    "class": known[int(self.seen[top])],
                    "share": float(shares[top]),
                    "feature": None if leaf else columns_[int(tree.feature[node])],
                    "threshold": None if leaf else float(tree.threshold[node]),
                    "leaf": leaf,
                }
            )
            if not leaf and depth < SHOWN_DEPTH:
                waiting.append((int(tree.children_left[node]), node, "left", depth + 1))
                waiting.append((int(tree.children_right[node]), node, "right", depth + 1))
        return {"kind": "tree", "depth": int(tree.max_depth), "leaves": int(tree.n_leaves), "nodes": nodes}


@dataclass(frozen=True)
class DecisionTree:
    """Splits see plain probabilities: a logarithm would not change their order, so it would change no tree."""

    name: str = "decision_tree"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"max_depth": 6, "min_samples_leaf": 50, "criterion": "log_loss"}

    def space(self) -> Space | None:
        return Space(
            self.name,
            [
                Int("max_depth", 2, 12),
                Int("min_samples_leaf", 5, 500, log=True),
                Choice("criterion", ("log_loss", "gini")),
            ],
            model="meta",
            summary="a decision tree over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedTree:
        from sklearn.tree import DecisionTreeClassifier

        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        model = DecisionTreeClassifier(
            max_depth=int(chosen["max_depth"]),
            min_samples_leaf=int(chosen["min_samples_leaf"]),
            criterion=str(chosen["criterion"]),
            random_state=seed % 2**32,
        )
        model.fit(columns(proba, "proba"), labels)
        return FittedTree(self.name, model, model.classes_, (proba.shape[1], proba.shape[2]), "proba")

    def load(self, folder: str | Path) -> FittedTree:
        from sklearn.tree import DecisionTreeClassifier

        return FittedTree(self.name, *load_parts(folder, self.name, DecisionTreeClassifier))
