"""All meta-learners by name."""

from __future__ import annotations

from pathlib import Path

from fertune.errors import ConfigError, RunError, did_you_mean
from fertune.stacking.meta.discriminant import Discriminant
from fertune.stacking.meta.forest import extra_trees, random_forest
from fertune.stacking.meta.greedy import Greedy
from fertune.stacking.meta.learner import Fitted, MetaLearner, read_state
from fertune.stacking.meta.logistic import Logistic
from fertune.stacking.meta.mean import Mean
from fertune.stacking.meta.neighbours import Neighbours
from fertune.stacking.meta.network import Perceptron
from fertune.stacking.meta.tree import DecisionTree
from fertune.stacking.meta.vectors import SupportVectors
from fertune.stacking.meta.xgb import XGBoost

_ALL: tuple[MetaLearner, ...] = (
    Mean(), Greedy(), DecisionTree(), Logistic(), Discriminant(), Neighbours(), Perceptron(), SupportVectors(),
    extra_trees(), random_forest(), XGBoost(),
)  # fmt: skip

LEARNERS: dict[str, MetaLearner] = {learner.name: learner for learner in _ALL}
"""By name, the quick ones first. Their libraries are imported when they fit."""


def named(name: str) -> MetaLearner:
    """A meta-learner by its name.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in LEARNERS:
        raise ConfigError(f"no meta-learner named {name!r}; legal: {', '.join(LEARNERS)}{did_you_mean(name, LEARNERS)}")
    return LEARNERS[name]


def load_fitted(folder: str | Path) -> Fitted:
    """Read a fitted meta-learner of whatever kind ``folder`` holds.

    Raises:
        RunError: Missing, damaged, or unknown.
    """
    name = read_state(folder).get("learner")
    if not isinstance(name, str) or name not in LEARNERS:
        raise RunError(f"{folder} holds the meta-learner {name!r}, which this fertune does not know")
    return LEARNERS[name].load(folder)
