"""The meta-learners as scikit-learn sees them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import fertune as ft
from fertune.sklearn.meta import EXPECTED_FAILED
from tests.stacking.meta_fakes import matrix

OOF, NEW = matrix(300, seed=1), matrix(200, seed=2)
FLAT = OOF.proba.reshape(len(OOF), -1)
LABELS = np.array(["ant", "bee", "cat", "dog"])[OOF.labels]
QUICK, SLOW = ["lda", "logistic"], ["decision_tree", "knn", "mlp", "svm", "extra_trees", "random_forest", "xgboost"]


def expected(_: Any) -> dict[str, str]:
    return EXPECTED_FAILED


@parametrize_with_checks([ft.MetaClassifier(name, random_state=0) for name in QUICK], expected_failed_checks=expected)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([ft.MetaClassifier(name, random_state=0) for name in SLOW], expected_failed_checks=expected)
def test_scikit_learns_own_checks_of_the_others(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("name", ["mean", "greedy", *QUICK, *SLOW])
def test_flat_and_deep_probabilities_are_the_same(name: str) -> None:
    flat = ft.MetaClassifier(name, n_models=3, random_state=0).fit(FLAT, LABELS)
    deep = ft.MetaClassifier(name, random_state=0).fit(OOF.proba, LABELS)
    np.testing.assert_allclose(flat.predict_proba(FLAT), deep.predict_proba(OOF.proba), atol=1e-12)
    assert flat.n_features_in_ == 12 and list(flat.classes_) == ["ant", "bee", "cat", "dog"]
    assert set(deep.predict(NEW.proba)) <= set(LABELS)
    assert deep.score(NEW.proba, np.array(["ant", "bee", "cat", "dog"])[NEW.labels]) > 0.6


def test_in_cross_val_score_and_a_pipeline() -> None:
    soften = FunctionTransformer(lambda p: 0.9 * p + 0.1 / 4)
    scores = cross_val_score(make_pipeline(soften, ft.MetaClassifier(n_models=3)), FLAT, LABELS, cv=3)
    assert scores.shape == (3,) and scores.min() > 0.6


def test_cloned_and_pickled() -> None:
    fitted = ft.MetaClassifier("lda", n_models=3, params={"shrinkage": 0.5}).fit(FLAT, LABELS)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(FLAT), fitted.predict_proba(FLAT))
    assert clone(fitted).get_params() == fitted.get_params()


def test_what_are_no_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model 2: 1 row \(5\) not summing to 1"):
        wrong = OOF.proba.copy()
        wrong[5, 1] = 0.3
        ft.MetaClassifier().fit(wrong, LABELS)
    with pytest.raises(ValueError, match="not 5 models"):
        ft.MetaClassifier(n_models=5).fit(FLAT, LABELS)
    with pytest.raises(ValueError, match="probabilities of 6 classes"):
        ft.MetaClassifier(n_models=2).fit(np.tile(np.eye(6)[OOF.labels], 2), LABELS)
    with pytest.raises(ValueError, match="averages probabilities"):
        ft.MetaClassifier("mean").fit(FLAT, LABELS)
    with pytest.raises(ft.ConfigError, match="did you mean 'lda'"):
        ft.MetaClassifier("lds").fit(OOF.proba, LABELS)
