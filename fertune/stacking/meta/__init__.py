"""Meta-learners: what turns the predictions of several models into one. No keras here."""

from fertune.stacking.meta.crossval import cross_val_proba, meta_folds
from fertune.stacking.meta.job import OBJECTIVE, MetaJob, run_meta
from fertune.stacking.meta.learner import Fitted, MetaLearner
from fertune.stacking.meta.registry import LEARNERS, load_fitted, named

__all__ = [
    "LEARNERS", "OBJECTIVE", "Fitted", "MetaJob", "MetaLearner", "cross_val_proba", "load_fitted", "meta_folds",
    "named", "run_meta",
]  # fmt: skip
