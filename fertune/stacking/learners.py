"""Tuning and fitting every meta-learner over one out-of-fold matrix, by the loop that also tunes networks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from fertune.errors import AllTrialsFailed
from fertune.evaluation import accuracy, log_loss
from fertune.execution import InlineExecutor
from fertune.execution.machine import cores
from fertune.predictions import OOF
from fertune.searchers import make_searcher, restore
from fertune.searching import Observer, Search, read_progress
from fertune.stacking.meta import (
    LEARNERS,
    OBJECTIVE,
    OWN,
    BrokenLearner,
    Fitted,
    MetaJob,
    MetaLearner,
    cross_val_proba,
    meta_folds,
    run_meta,
)
from fertune.store import Journal
from fertune.trial import Failure, FailureKind, Params, Suggestion, Trial

META_FOLDS = 5
SCORE_SEED = 7919
"""Added to the seed for the folds that score a learner: other ones than those that tuned it."""
META_SHARE = 0.93
"""Of a time budget: tuning ends here, the rest is for the test rows."""
TUNING = 0.7
"""Of a learner's part of the time that is left: the rest scores it and fits it to all rows."""
ALWAYS = "mean"
"""Fitted whatever is asked for: the yardstick, and what stands if nothing else can be fitted."""
TOO_LATE = "the time budget was over before it began"


@dataclass(frozen=True, eq=False)
class Learned:
    """A meta-learner, tuned, scored out of fold, and fitted to the whole matrix.

    Attributes:
        name, role: As in the comparison.
        params: The best found; defaults where nothing is tuned.
        trials: How many were tried.
        oof_proba: (rows, classes), each row by a fit that never saw it.
        oof_accuracy, oof_log_loss: Of ``oof_proba``; slightly optimistic where parameters were tuned on the same rows.
        seconds: Tuning, scoring and fitting.
        fitted: Predicts from (n, members, classes).
        explain: What it learned, for the report.
    """

    name: str
    role: str
    params: Params
    trials: int
    oof_proba: np.ndarray
    oof_accuracy: float
    oof_log_loss: float
    seconds: float
    fitted: Fitted
    explain: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "params": dict(self.params),
            "trials": self.trials,
            "oof_accuracy": self.oof_accuracy,
            "oof_log_loss": self.oof_log_loss,
            "seconds": round(self.seconds, 3),
            "explain": self.explain,
        }


def wanted(names: Sequence[str]) -> list[MetaLearner]:
    """Learners by ``StackOptions.meta``, in the order of the registry; ``mean`` always, a user's own where named."""
    every = "all" in names
    shipped = [learner for name, learner in LEARNERS.items() if every or name in names or name == ALWAYS]
    return shipped + [learner for name, learner in OWN.items() if name in names]


def learn_all(
    oof: OOF,
    path: Path,
    *,
    class_names: Sequence[str],
    trials: int,
    seed: int,
    deadline: float | None,
    stop_requested: Callable[[], bool],
    observer: Observer,
    names: Sequence[str] = ("all",),
) -> tuple[list[Learned], list[dict[str, str]]]:
    """Every meta-learner that is wanted, in the order of the registry.

    Under a deadline the time that is left is divided evenly among those that are still to come, so a slow one takes
    nothing from the next. A tuned one whose turn comes after the deadline is left out, a cheap average never is.

    Args:
        oof: With labels and groups.
        path: The run's folder, which holds ``oof.npz``; learners go to ``meta/<name>/``.
        trials: Of each tuned one.
        deadline: ``time.monotonic()`` after which no tuning goes on; one without any trial keeps its defaults.
        names: Names of learners, or ``all``.

    Returns:
        The learned ones, and ``{"name", "reason"}`` of those that could not be fitted.
    """
    learned: list[Learned] = []
    left_out: list[dict[str, str]] = []
    waiting = wanted(names)
    while waiting:
        learner = waiting.pop(0)
        try:
            until = _part_of(deadline, 1 + len(waiting), tuned=learner.space() is not None)
            one = _learn(learner, oof, path, class_names, trials, seed, until, stop_requested, observer)
        except (AllTrialsFailed, BrokenLearner, TimeoutError) as error:
            reason = str(error.details[0] if isinstance(error, AllTrialsFailed) and error.details else error)
            left_out.append({"name": learner.name, "reason": reason})
            observer.warned(f"{learner.name} is left out: {reason}")
            continue
        if stop_requested():
            break
        learned.append(one)
        observer.meta_ended(one.to_json())
    return learned, left_out


def _part_of(deadline: float | None, learners: int, *, tuned: bool) -> float | None:
    """When this learner's tuning ends, so that ``learners`` of them are done by the deadline.

    Raises:
        TimeoutError: It is over already, and this is one that takes long.
    """
    if deadline is None:
        return None
    now = time.monotonic()
    if now >= deadline and tuned:
        raise TimeoutError(TOO_LATE)
    return now + TUNING * max(0.0, deadline - now) / learners


def _learn(
    learner: MetaLearner,
    oof: OOF,
    path: Path,
    class_names: Sequence[str],
    trials: int,
    seed: int,
    deadline: float | None,
    stop_requested: Callable[[], bool],
    observer: Observer,
) -> Learned:
    begun = time.monotonic()
    folder = path / "meta" / learner.name
    params, tried, tuned_before = _tune(learner, oof, path, folder, trials, seed, deadline, stop_requested, observer)
    threads = cores()
    proba = cross_val_proba(
        learner, params, oof, meta_folds(oof, _folds(oof), seed + SCORE_SEED), seed, threads=threads
    )
    if oof.labels is None:
        raise ValueError("a matrix without labels cannot be learned from")
    fitted = learner.fit(params, oof.proba, oof.labels, seed, threads=threads)
    fitted.save(folder)
    return Learned(
        learner.name,
        learner.role,
        {**learner.defaults, **params},
        tried,
        proba,
        accuracy(proba, oof.labels),
        log_loss(proba, oof.labels),
        time.monotonic() - begun + tuned_before,
        fitted,
        fitted.explain(oof.names, class_names),
    )


def _folds(oof: OOF) -> int:
    """5, or fewer where there are hardly any rows."""
    groups = oof.groups if oof.groups is not None else oof.rows
    return int(min(META_FOLDS, max(2, len(np.unique(groups)) // 2)))


def _tune(
    learner: MetaLearner,
    oof: OOF,
    path: Path,
    folder: Path,
    trials: int,
    seed: int,
    deadline: float | None,
    stop_requested: Callable[[], bool],
    observer: Observer,
) -> tuple[Params, int, float]:
    """The best parameters, how many were tried, and the seconds that earlier sessions spent on it."""
    space = learner.space()
    if space is None:
        return {}, 0, 0.0
    journal = _journal(folder.with_name(f"{learner.name}-search.jsonl"), oof)
    earlier = sum(line.get("seconds") or 0.0 for line in journal.lines if line["event"] == "told")
    progress = read_progress(journal.lines)
    searcher = make_searcher("tpe", space, objective=OBJECTIVE, seed=seed, trials=trials, max_epochs=1)
    restore(searcher, progress.calls)
    executor = InlineExecutor(SimpleNamespace(run=run_meta, classify=_classify))

    def job(trial: Trial, suggestion: Suggestion) -> MetaJob:
        observer.tick()
        return MetaJob(
            f"{learner.name}-{trial.id}-{suggestion.ticket}",
            learner.name,
            suggestion.params,
            str(path / "oof.npz"),
            folds=_folds(oof),
            fold_seed=seed,
            seed=seed,
            threads=cores(),
        )

    search = Search(
        searcher=searcher,
        executor=executor,
        journal=journal,
        make_job=job,
        objective=OBJECTIVE,
        progress=progress,
        deadline=deadline,
        stop_requested=stop_requested,
        observer=_Ticking(observer),
    )
    try:
        search.run()
    finally:
        executor.close()
        journal.close()
    best = search.best
    return (best.params if best is not None else {}), len(search.trials.all()), earlier


def _journal(path: Path, oof: OOF) -> Journal:
    """The journal of this learner over this very matrix; one of another matrix (a member came later) is begun anew."""
    digest = hashlib.sha256(np.ascontiguousarray(oof.proba).tobytes() + "\n".join(oof.names).encode()).hexdigest()
    journal = Journal(path)
    if journal.lines and journal.lines[0].get("matrix") != digest:
        journal.close()
        path.unlink()
        journal = Journal(path)
    journal.write("session", matrix=digest)
    return journal


def _classify(error: BaseException) -> Failure:
    known = {MemoryError: FailureKind.OUT_OF_MEMORY, TimeoutError: FailureKind.TIMED_OUT}
    kind = next((k for e, k in known.items() if isinstance(error, e)), FailureKind.CRASHED)
    return Failure(kind, f"{type(error).__name__}: {error}".splitlines()[0])


class _Ticking(Observer):
    """Of a meta-learner's search people see that time goes on, and its result; not each trial."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def tick(self) -> None:
        self._observer.tick()
