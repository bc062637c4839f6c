"""Gradient-boosted trees over the members' probabilities. The only file that names xgboost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fertune.errors import MissingPackage, RunError
from fertune.space import Float, Int, Space
from fertune.stacking.meta.features import column_names, columns
from fertune.stacking.meta.learner import (
    Doubles,
    Labels,
    Proba,
    check_input,
    check_shape,
    normalised,
    read_state,
    settings,
    write_state,
)
from fertune.trial import Value

MODEL = "model.json"
MAX_BIN = 64
"""Cuts of a histogram (Chen and Guestrin 2016, 3.2). Probabilities of a member are smooth features: 64 are enough."""


def _xgboost() -> ModuleType:
    try:
        import xgboost
    except ImportError as error:
        raise MissingPackage(
            f"the meta-learner xgboost needs the package xgboost: {error}", help='pip install "fertune[cpu]"'
        ) from error
    return xgboost  # type: ignore[no-any-return, unused-ignore]


class FittedXGBoost:
    """A booster with softmax output over all classes, those included that it never saw."""

    def __init__(self, booster: Any, shape: tuple[int, int]) -> None:
        self.booster = booster
        self.shape = shape

    def predict_proba(self, proba: Proba) -> Doubles:
        """(n, models, classes) float -> (n, classes) float64, rows sum to 1."""
        check_shape(proba, self.shape)
        table = np.ascontiguousarray(columns(proba, "proba"), dtype=np.float32)
        return normalised(self.booster.inplace_predict(table).reshape(len(proba), self.shape[1]))

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """``values``: share of the total gain of all splits, one a feature; they sum to 1, or are 0 without a split."""
        gains = self.booster.get_score(importance_type="total_gain")
        values = np.array([float(gains.get(f"f{i}", 0.0)) for i in range(self.shape[0] * self.shape[1])])
        total = values.sum()
        return {
            "kind": "importances",
            "features": column_names(names, classes, self.shape),
            "values": (values / total if total > 0 else values).tolist(),
        }

    def save(self, folder: str | Path) -> None:
        """Write ``learner.json`` and xgboost's own ``model.json``."""
        folder = write_state(folder, "xgboost", self.shape, {})
        self.booster.save_model(folder / MODEL)


@dataclass(frozen=True)
class XGBoost:
    """Chen and Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016.

    The space ends where ten trials of five folds over 32,298 rows x 28 columns fit into one or two minutes: 58 s with
    ``threads=4`` on four cores that other processes kept busy as well; the costliest corner alone took 31 s. Time grows
    with ``rounds`` x classes, the number of trees. One fit uses one thread, whatever ``threads`` says: four of them
    were no faster beside other processes (27 s against 28 s) and at worst twenty times slower, waiting for each other.
    """

    name: str = "xgboost"
    role: str = "meta"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {
            "rounds": 60,
            "learning_rate": 0.1,
            "max_depth": 3,
            "min_child_weight": 5.0,
            "subsample": 0.8,
            "colsample": 0.8,
            "reg_lambda": 1.0,
        }

    def space(self) -> Space | None:
        return Space(
            self.name,
            [
                Int("rounds", 20, 150, log=True),
                Float("learning_rate", 0.03, 0.3, log=True),
                Int("max_depth", 2, 5),
                Float("min_child_weight", 1.0, 50.0, log=True),
                Float("subsample", 0.5, 1.0),
                Float("colsample", 0.3, 1.0),
                Float("reg_lambda", 0.1, 30.0, log=True),
            ],
            model="meta",
            summary="gradient-boosted trees over out-of-fold probabilities",
        )

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> FittedXGBoost:
        xgboost = _xgboost()
        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        shape = (proba.shape[1], proba.shape[2])
        table = np.ascontiguousarray(columns(proba, "proba"), dtype=np.float32)
        data = xgboost.QuantileDMatrix(table, label=labels, max_bin=MAX_BIN, nthread=1)
        booster = xgboost.train(
            {
                "objective": "multi:softprob",
                "num_class": shape[1],
                "tree_method": "hist",
                "max_bin": MAX_BIN,
                "nthread": 1,
                "seed": seed % 2**31,
                "verbosity": 0,
                "eta": float(chosen["learning_rate"]),
                "max_depth": int(chosen["max_depth"]),
                "min_child_weight": float(chosen["min_child_weight"]),
                "subsample": float(chosen["subsample"]),
                "colsample_bytree": float(chosen["colsample"]),
                "lambda": float(chosen["reg_lambda"]),
            },
            data,
            num_boost_round=int(chosen["rounds"]),
        )
        return FittedXGBoost(booster, shape)

    def load(self, folder: str | Path) -> FittedXGBoost:
        xgboost = _xgboost()
        state = read_state(folder, self.name)
        path = Path(folder) / MODEL
        booster = xgboost.Booster({"nthread": 1})
        try:
            booster.load_model(path)
        except Exception as error:  # xgboost raises its own for a file that is missing, damaged or of another kind
            raise RunError(f"{path} cannot be read by xgboost: {str(error).splitlines()[0]}") from error
        shape = (state["models"], state["classes"])
        if booster.num_features() != shape[0] * shape[1]:
            raise RunError(f"{path} wants {booster.num_features()} features where {shape[0]} x {shape[1]} are given")
        return FittedXGBoost(booster, shape)
