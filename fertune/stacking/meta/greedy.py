"""Greedy selection of models with replacement; how often a model was taken is its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fertune.errors import ConfigError
from fertune.evaluation.metrics import CLIP
from fertune.space import Space
from fertune.stacking.meta.average import WeightedAverage, load_average
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, settings
from fertune.trial import Value

METRICS = ("log_loss", "accuracy")


@dataclass(frozen=True)
class Greedy:
    """Ensemble selection (Caruana, Niculescu-Mizil, Crew and Ksikes, Ensemble Selection from Libraries of Models, ICML
    2004): with replacement (2.2), starting from the best few (2.3, sorted ensemble initialisation).

    ``metric``: what is improved, ``log_loss`` or ``accuracy`` (ties broken by log loss). ``start``: at most so many of
    the best models, sorted, stand in the ensemble from the beginning, each once: the first k of them whose mean scores
    best. ``rounds``: models added after that; the best ensemble on the way is kept. No randomness; among equals the
    better single model, then the first one.
    """

    name: str = "greedy"
    role: str = "average"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {"metric": "log_loss", "start": 5, "rounds": 50}

    def space(self) -> Space | None:
        return None

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> WeightedAverage:
        chosen = settings(self.name, self.defaults, params)
        if chosen["metric"] not in METRICS or chosen["start"] < 1 or chosen["rounds"] < 0:
            raise ConfigError(
                f"greedy: metric {chosen['metric']!r}, start {chosen['start']}, rounds {chosen['rounds']}; legal: "
                f"metric {' or '.join(METRICS)}, start from 1, rounds from 0"
            )
        check_input(proba, labels)
        times = _select(_Costs(proba, labels, chosen["metric"]), proba.shape[1], chosen["start"], chosen["rounds"])
        return WeightedAverage(self.name, tuple((times / times.sum()).tolist()), proba.shape[2])

    def load(self, folder: str | Path) -> WeightedAverage:
        return load_average(folder, self.name)


Cost = tuple[float, float]


class _Costs:
    """What the mean of an ensemble costs; lower is better, compared from left to right."""

    def __init__(self, proba: Proba, labels: Labels, metric: str) -> None:
        self._rows = np.arange(len(labels))
        self._labels = labels
        self._accuracy = metric == "accuracy"
        self._true: Doubles = proba[self._rows, :, labels].astype(np.float64)
        self._proba = np.ascontiguousarray(proba.transpose(1, 2, 0)) if self._accuracy else None

    def of(self, times: npt.NDArray[np.int64]) -> Cost:
        """Cost of the ensemble with ``times`` (models,) copies of each model."""
        weights = times / times.sum()
        loss = float(-np.mean(np.log(np.clip(self._true @ weights, CLIP, 1.0))))
        if self._proba is None:
            return (loss, 0.0)
        mixed = np.tensordot(weights.astype(np.float32), self._proba, axes=1)
        top = mixed.max(axis=0)
        right = mixed[self._labels, self._rows] == top
        tied = np.flatnonzero(right & ((mixed == top).sum(axis=0) > 1))  # the first class wins, as everywhere
        right[tied] = np.argmax(mixed[:, tied], axis=0) == self._labels[tied]
        return (-float(np.mean(right)), loss)


def _select(costs: _Costs, models: int, start: int, rounds: int) -> npt.NDArray[np.int64]:
    one = np.eye(models, dtype=np.int64)
    order = sorted(range(models), key=lambda m: (costs.of(one[m]), m))
    prefixes: list[npt.NDArray[np.int64]] = [one[order[: k + 1]].sum(axis=0) for k in range(min(start, models))]
    best = times = min(prefixes, key=costs.of)
    best_cost = costs.of(best)
    for _ in range(rounds):
        times = min((times + one[m] for m in order), key=costs.of)
        cost = costs.of(times)
        if cost < best_cost:
            best, best_cost = times, cost
    return best
