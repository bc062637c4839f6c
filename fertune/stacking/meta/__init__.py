"""Meta-learners: what turns the predictions of several models into one. No keras here."""

from fertune.stacking.meta.crossval import cross_val_proba, meta_folds
from fertune.stacking.meta.job import OBJECTIVE, MetaJob, run_meta
from fertune.stacking.meta.learner import Fitted, MetaLearner
from fertune.stacking.meta.own import BrokenLearner, OwnMetaLearner
from fertune.stacking.meta.registry import LEARNERS, OWN, load_fitted, named, register_meta_learner

__all__ = [
    "LEARNERS", "OBJECTIVE", "OWN", "BrokenLearner", "Fitted", "MetaJob", "MetaLearner", "OwnMetaLearner",
    "cross_val_proba", "load_fitted", "meta_folds", "named", "register_meta_learner", "run_meta",
]  # fmt: skip
