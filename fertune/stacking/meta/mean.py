"""The plain mean of all models: nothing to learn, hard to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fertune.space import Space
from fertune.stacking.meta.average import WeightedAverage, load_average
from fertune.stacking.meta.learner import Labels, Proba, check_input, settings
from fertune.trial import Value


@dataclass(frozen=True)
class Mean:
    """Equal weights."""

    name: str = "mean"
    role: str = "average"

    @property
    def defaults(self) -> Mapping[str, Value]:
        return {}

    def space(self) -> Space | None:
        return None

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> WeightedAverage:
        settings(self.name, self.defaults, params)
        check_input(proba, labels)
        models = proba.shape[1]
        return WeightedAverage(self.name, (1 / models,) * models, proba.shape[2])

    def load(self, folder: str | Path) -> WeightedAverage:
        return load_average(folder, self.name)
