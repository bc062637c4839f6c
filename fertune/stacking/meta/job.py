"""Tuning a meta-learner is a search like any other: this is its job, and what runs it (inline, no child)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from fertune.evaluation.metrics import accuracy, log_loss
from fertune.folds import Fold
from fertune.predictions import OOF
from fertune.stacking.meta.crossval import cross_val_proba, meta_folds, truth
from fertune.stacking.meta.registry import named
from fertune.trial import Objective, TrainResult, Value

OBJECTIVE = Objective("val_loss", "min")
"""Log loss over the rows held out. It is a proper score (Gneiting and Raftery 2007) and moves smoothly with the
parameters, where accuracy on 32,298 rows moves by 0.26 points from chance alone: more than most parameters do. What is
chosen *between* meta-learners is then chosen by accuracy, from ``cross_val_proba`` with another division into folds."""


@dataclass(frozen=True)
class MetaJob:
    """Cross-validate one configuration of one meta-learner.

    Measured with 32,298 rows x 4 members x 7 classes, 5 folds, ``threads=4`` on four busy cores: logistic 1.4 s,
    xgboost 1.4 to 31 s (ten random configurations: 58 s), decision tree up to 11 s; greedy 0.5 s.

    Attributes:
        id: Unique in the run.
        learner: A name in ``LEARNERS``.
        params: As suggested.
        oof: Path of an ``OOF.save`` file with labels and groups.
        folds: How many.
        fold_seed: Of the division into folds; one for all jobs of a search, or their values cannot be compared.
        seed: Of the learner.
        threads: Folds fitted at once.
    """

    id: str
    learner: str
    params: Mapping[str, Value]
    oof: str
    folds: int = 5
    fold_seed: int = 0
    seed: int = 0
    threads: int = 1


class Context(Protocol):
    """The line to the loop that a runner is given."""

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool: ...

    def stopping(self) -> bool: ...


def run_meta(job: MetaJob, context: Context) -> TrainResult:
    """Run a MetaJob; its value is ``OBJECTIVE``, reported once, as step 1.

    Raises:
        TimeoutError: The loop stops it before all folds are done; a value of some folds could not be compared.
    """
    started = time.monotonic()
    oof, folds = _matrix(job.oof, Path(job.oof).stat().st_mtime_ns, job.folds, job.fold_seed)
    proba = cross_val_proba(
        named(job.learner), job.params, oof, folds, job.seed, threads=job.threads, stopping=context.stopping
    )
    labels, _ = truth(oof)
    logs = {"val_loss": log_loss(proba, labels), "val_accuracy": accuracy(proba, labels)}
    context.report(1, logs[OBJECTIVE.name], logs)
    return TrainResult(
        value=logs[OBJECTIVE.name],
        best_epoch=1,
        epochs=1,
        seconds=time.monotonic() - started,
        parameters=0,
        ended_by="budget",
    )


@lru_cache(maxsize=1)
def _matrix(path: str, changed: int, folds: int, seed: int) -> tuple[OOF, list[Fold]]:
    """Read and divided once for all jobs of a search; ``changed`` makes a rewritten file a new one."""
    oof = OOF.load(path)
    return oof, meta_folds(oof, folds, seed)
