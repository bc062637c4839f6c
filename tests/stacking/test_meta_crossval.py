"""A meta-learner's scores come from rows that it was not fitted on: memorising brings chance (Law 4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fertune.errors import ConfigError, RunError
from fertune.evaluation import accuracy, log_loss
from fertune.folds import Fold, check_folds, make_folds
from fertune.predictions import OOF, LeakError, assemble
from fertune.stacking.meta import LEARNERS, OBJECTIVE, MetaJob, cross_val_proba, meta_folds, run_meta
from tests.stacking.meta_fakes import matrix, softmax

CLASSES = 4
CHANCE = 1 / CLASSES


class Memoriser:
    """Answers with the label of the nearest row that it was fitted on: perfect in-sample, on anything."""

    name, role, defaults = "memoriser", "meta", {}

    def __init__(self) -> None:
        self.fits = 0

    def fit(
        self, params: Mapping[str, object], proba: np.ndarray, labels: np.ndarray, seed: int = 0, *, threads: int = 1
    ):
        self.fits += 1
        return _Memory(proba.reshape(len(proba), -1), labels, proba.shape[2])


class _Memory:
    def __init__(self, table: np.ndarray, labels: np.ndarray, classes: int) -> None:
        self.table, self.labels, self.classes = table, labels, classes

    def predict_proba(self, proba: np.ndarray) -> np.ndarray:
        flat = proba.reshape(len(proba), -1)
        near = [int(np.argmin(((self.table - row) ** 2).sum(axis=1))) for row in flat]
        return np.eye(self.classes)[self.labels[near]]


def random_labels(n: int = 800, seed: int = 0) -> OOF:
    """Members that say something of their own, labels that have nothing to do with it; twins look alike, say alike."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n // 2), 2).astype(np.int32)
    labels = np.repeat(rng.integers(0, CLASSES, n // 2), 2).astype(np.int32)
    proba = softmax(np.repeat(rng.normal(size=(n // 2, 3, CLASSES)), 2, axis=0))
    return OOF(np.arange(n, dtype=np.int32), proba, ("a", "b", "c"), None, labels, groups)


def is_chance(proba: np.ndarray, oof: OOF) -> bool:
    """Within 4 standard errors of chance; every picture stands twice, so half the rows count."""
    return abs(accuracy(proba, oof.labels) - CHANCE) < 4 * np.sqrt(CHANCE * (1 - CHANCE) / (len(oof) / 2))


def test_a_memoriser_on_random_labels_scores_chance() -> None:
    oof, learner = random_labels(), Memoriser()
    folds = meta_folds(oof, 5, seed=0)
    assert is_chance(cross_val_proba(learner, {}, oof, folds, 0), oof)
    assert learner.fits == 5
    in_sample = learner.fit({}, oof.proba, oof.labels).predict_proba(oof.proba)
    assert accuracy(in_sample, oof.labels) == 1  # what the test would see if rows leaked


def test_divided_twins_would_leak_to_a_memoriser() -> None:
    """The same, with folds that know no twins: the test above can fail."""
    oof = random_labels()
    blind = make_folds(np.arange(len(oof)), oof.labels, np.arange(len(oof)), k=5, seed=0)
    assert accuracy(cross_val_proba(Memoriser(), {}, oof, blind, 0), oof.labels) > 0.7


@pytest.mark.parametrize("name", list(LEARNERS))
def test_every_learner_scores_chance_on_random_labels(name: str) -> None:
    oof = random_labels()
    params = {"decision_tree": {"max_depth": 12, "min_samples_leaf": 5}, "xgboost": {"max_depth": 5}}.get(name, {})
    proba = cross_val_proba(LEARNERS[name], params, oof, meta_folds(oof, 4, seed=1), 0, threads=2)
    assert is_chance(proba, oof)


def test_memorising_members_under_a_stack_score_chance() -> None:
    """The whole road on random labels: memorising members, their out-of-fold matrix, a meta-learner across it."""
    rng = np.random.default_rng(3)
    n = 900
    groups = np.repeat(np.arange(n // 2), 2)
    labels = np.repeat(rng.integers(0, CLASSES, n // 2), 2)
    pictures = np.repeat(rng.normal(size=(n // 2, 12)), 2, axis=0)
    folds = make_folds(np.arange(n), labels, groups, k=5, seed=4)
    parts = {}
    for name, columns in (("a", slice(0, 6)), ("b", slice(6, 12)), ("c", slice(3, 9))):
        view = pictures[:, None, columns]
        parts[name] = []
        for fold in folds:
            rows = np.concatenate([fold.fit, fold.stop])
            memory = _Memory(view[rows].reshape(len(rows), -1), labels[rows], CLASSES)
            said = 0.9 * memory.predict_proba(view[fold.held_out]) + 0.1 / CLASSES
            parts[name].append((fold.held_out, said))
    oof = assemble(np.arange(n), parts).with_truth(labels, groups)
    assert all(is_chance(oof.proba[:, m], oof) for m in range(3))
    for name in ("logistic", "decision_tree", "xgboost", "greedy"):
        assert is_chance(cross_val_proba(LEARNERS[name], {}, oof, meta_folds(oof, 5, seed=9), 0, threads=2), oof), name


def test_folds_are_of_rows_of_the_matrix_with_twins_together() -> None:
    oof = matrix(100)
    shifted = OOF(oof.rows + 5000, oof.proba, oof.names, None, oof.labels, oof.groups)
    folds = meta_folds(shifted, 4, seed=2)
    check_folds(folds, np.arange(100), oof.groups)
    with pytest.raises(ConfigError):
        meta_folds(shifted, 1, seed=2)


def test_threads_change_nothing() -> None:
    oof = matrix(400)
    folds = meta_folds(oof, 5, seed=0)
    for name in LEARNERS:
        one, four = (cross_val_proba(LEARNERS[name], {}, oof, folds, 0, threads=t) for t in (1, 4))
        np.testing.assert_array_equal(one, four)


def test_fits_at_once_leave_the_process_as_it_was() -> None:
    """Limits on BLAS threads belong to the process: whoever is last inside must put them back."""
    import warnings

    from threadpoolctl import threadpool_info

    from fertune.stacking.meta.threads import limited

    before = [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()]
    filters = list(warnings.filters)
    inside = threading.Barrier(3)

    def work(wait: float) -> None:
        with limited(1):
            inside.wait()
            time.sleep(wait)

    threads = [threading.Thread(target=work, args=(0.02 * i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(pool["filepath"], pool["num_threads"]) for pool in threadpool_info()] == before
    assert warnings.filters == filters


def test_folds_that_leave_a_row_out_are_an_error() -> None:
    oof = matrix(100)
    folds = meta_folds(oof, 4, seed=0)
    short = [Fold(f.fit, f.stop, f.held_out[1:]) for f in folds[:1]] + folds[1:]
    with pytest.raises(LeakError, match="mean: 1 row|out-of-fold"):
        cross_val_proba(LEARNERS["mean"], {}, oof, short, 0)


def test_a_matrix_without_labels_is_told() -> None:
    oof = matrix(100)
    bare = OOF(oof.rows, oof.proba, oof.names)
    with pytest.raises(RunError, match="without labels"):
        meta_folds(bare, 4, seed=0)


class Line:
    """A context that writes down what it is told."""

    def __init__(self, stop: bool = False) -> None:
        self.stop, self.told = stop, []

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        self.told.append((step, value, logs))
        return True

    def stopping(self) -> bool:
        return self.stop


def test_a_job_is_cross_validated_log_loss(tmp_path: Path) -> None:
    oof = matrix(400)
    oof.save(tmp_path / "oof.npz")
    job = MetaJob("logistic/0", "logistic", {"C": 0.1, "features": "log"}, str(tmp_path / "oof.npz"), 4, 11, 0, 2)
    line = Line()
    result = run_meta(job, line)
    expected = cross_val_proba(
        LEARNERS["logistic"], {"C": 0.1, "features": "log"}, oof, meta_folds(oof, 4, seed=11), 0, threads=2
    )
    assert result.value == pytest.approx(log_loss(expected, oof.labels))
    assert line.told == [(1, result.value, {"val_loss": result.value, "val_accuracy": accuracy(expected, oof.labels)})]
    assert (result.epochs, result.best_epoch, result.ended_by) == (1, 1, "budget") and result.seconds > 0
    assert OBJECTIVE.name == "val_loss" and OBJECTIVE.direction == "min"


def test_a_rewritten_matrix_is_read_again(tmp_path: Path) -> None:
    job = MetaJob("mean/0", "mean", {}, str(tmp_path / "oof.npz"))
    matrix(400, seed=1).save(tmp_path / "oof.npz")
    one = run_meta(job, Line()).value
    time.sleep(0.02)
    matrix(400, seed=2).save(tmp_path / "oof.npz")
    assert run_meta(job, Line()).value != one


def test_a_stopped_job_has_no_value(tmp_path: Path) -> None:
    matrix(400).save(tmp_path / "oof.npz")
    with pytest.raises(TimeoutError, match="mean was stopped"):
        run_meta(MetaJob("mean/0", "mean", {}, str(tmp_path / "oof.npz")), Line(stop=True))


def test_jobs_travel() -> None:
    import pickle

    job = MetaJob("x/0", "xgboost", {"rounds": 20}, "oof.npz")
    assert pickle.loads(pickle.dumps(job)) == job
