"""Greedy selection (Caruana et al. 2004) against an exhaustive search and hand-made cases."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fertune.errors import ConfigError
from fertune.evaluation import accuracy, log_loss
from fertune.stacking.meta import LEARNERS
from tests.stacking.meta_fakes import matrix

GREEDY = LEARNERS["greedy"]


def weights(fitted: object) -> np.ndarray:
    return np.array(list(fitted.explain()["weights"].values()))  # type: ignore[attr-defined]


def test_a_useless_member_gets_nothing_and_the_best_most() -> None:
    oof = matrix(2000, (0.6, 0.5, 0.0, 0.0), seed=3)
    found = weights(GREEDY.fit({}, oof.proba, oof.labels))
    assert found.sum() == pytest.approx(1)
    assert found[0] > found[1] > 0.1 and found[2] < 0.05 and found[3] < 0.05


def test_never_worse_than_the_best_single_or_the_mean_on_the_rows_it_saw() -> None:
    for seed in range(5):
        oof = matrix(300, (0.6, 0.5, 0.4, 0.2), seed=seed)
        for metric, score in (("log_loss", log_loss), ("accuracy", lambda p, y: -accuracy(p, y))):
            mixed = score(GREEDY.fit({"metric": metric}, oof.proba, oof.labels).predict_proba(oof.proba), oof.labels)
            singles = [score(oof.proba[:, m], oof.labels) for m in range(4)]
            assert mixed <= min(*singles, score(oof.proba.mean(axis=1), oof.labels)) + 1e-9


def test_close_to_the_best_of_all_ensembles_of_its_size() -> None:
    oof = matrix(400, (0.6, 0.5, 0.4), seed=7)
    best = min(
        log_loss(np.einsum("nmc,m->nc", oof.proba, np.array(t) / sum(t)), oof.labels)
        for t in product(range(13), repeat=3)
        if 0 < sum(t) <= 12
    )
    found = log_loss(GREEDY.fit({}, oof.proba, oof.labels).predict_proba(oof.proba), oof.labels)
    assert found == pytest.approx(best, abs=2e-3)


def test_one_model_is_taken_more_than_once() -> None:
    oof = matrix(2000, (0.6, 0.45), seed=1)
    found = weights(GREEDY.fit({"start": 2, "rounds": 30}, oof.proba, oof.labels))
    assert 0.5 < found[0] < 1


def test_no_rounds_keep_the_sorted_start() -> None:
    oof = matrix(2000, (0.2, 1.5, 1.4, 0.1), seed=2)
    assert weights(GREEDY.fit({"start": 1, "rounds": 0}, oof.proba, oof.labels)).tolist() == [0, 1, 0, 0]
    assert weights(GREEDY.fit({"start": 5, "rounds": 0}, oof.proba, oof.labels)).tolist() == [0, 0.5, 0.5, 0]


def test_equal_models_are_decided_by_their_order() -> None:
    oof = matrix(200, (1.0,), seed=2)
    twice = np.concatenate([oof.proba, oof.proba], axis=1)
    assert weights(GREEDY.fit({"rounds": 3}, twice, oof.labels)).tolist() == [1, 0]


def test_accuracy_does_not_count_ties_as_right() -> None:
    """A member that says the same of all classes is right on class 0 only, as ``argmax`` has it."""
    oof = matrix(300, (0.8,), seed=3)
    flat = np.full_like(oof.proba, 0.25)
    found = weights(GREEDY.fit({"metric": "accuracy"}, np.concatenate([flat, oof.proba], axis=1), oof.labels))
    assert found[1] > 0.5


@pytest.mark.parametrize("params", [{"metric": "auc"}, {"start": 0}, {"rounds": -1}])
def test_illegal_parameters(params: dict[str, object]) -> None:
    oof = matrix(20)
    with pytest.raises(ConfigError, match="legal"):
        GREEDY.fit(params, oof.proba, oof.labels)
