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
from fertune.stacking.meta.own import OwnMetaLearner, check_own
from fertune.stacking.meta.tree import DecisionTree
from fertune.stacking.meta.vectors import SupportVectors
from fertune.stacking.meta.xgb import XGBoost

_ALL: tuple[MetaLearner, ...] = (
    Mean(), Greedy(), DecisionTree(), Logistic(), Discriminant(), Neighbours(), Perceptron(), SupportVectors(),
    extra_trees(), random_forest(), XGBoost(),
)  # fmt: skip

LEARNERS: dict[str, MetaLearner] = {learner.name: learner for learner in _ALL}
"""By name, the quick ones first. Their libraries are imported when they fit."""

OWN: dict[str, MetaLearner] = {}
"""What users registered in this process, by name."""


def register_meta_learner(learner: OwnMetaLearner | type[OwnMetaLearner]) -> OwnMetaLearner:
    """Make a meta-learner of your own known in this process, for ``stack(meta=...)`` and for loading its stacks.

    Args:
        learner: Of a class derived from ``OwnMetaLearner``. One of the same name is replaced.

    Returns:
        The learner.

    Raises:
        ConfigError: It is none, or its name is not legal or one of fertune's.
    """
    known = check_own(learner)
    OWN[known.name] = known
    return known


def named(name: str) -> MetaLearner:
    """A meta-learner by its name.

    Raises:
        ConfigError: There is none of that name.
    """
    known = {**LEARNERS, **OWN}
    if name not in known:
        raise ConfigError(f"no meta-learner named {name!r}; legal: {', '.join(known)}{did_you_mean(name, known)}")
    return known[name]


def load_fitted(folder: str | Path) -> Fitted:
    """Read a fitted meta-learner of whatever kind ``folder`` holds.

    Raises:
        RunError: Missing, damaged, or unknown.
    """
    state = read_state(folder)
    name = state.get("learner")
    if not isinstance(name, str) or name not in {**LEARNERS, **OWN}:
        own = "fertune.register_meta_learner(MyMetaLearner())    # a user's own, before it is loaded"
        raise RunError(
            f"{folder} holds the meta-learner {name!r}, which this fertune does not know",
            help=own if state.get("own") else None,
        )
    return named(name).load(folder)
