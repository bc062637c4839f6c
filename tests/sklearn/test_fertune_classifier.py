"""A search or a stack as scikit-learn sees it; nets are tiny."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import fertune as ft
from fertune.sklearn.pictures import EXPECTED_FAILED, _as_bytes, _range


def build(params: dict[str, Any], input_shape: tuple[int, ...], n_classes: int) -> Any:
    import keras

    return keras.Sequential(
        [
            keras.layers.Input(input_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(params["units"], "relu"),
            keras.layers.Dense(n_classes, "softmax"),
        ]
    )


def tiny(**options: Any) -> ft.FertuneClassifier:
    recipe = {"batch_size": 16, "learning_rate": 0.01}
    space = ft.Space("tiny", [ft.Int("units", 16, 64)], build=build, recipe=recipe)
    return ft.FertuneClassifier(space, tuner="random", trials=1, random_state=0, **{"max_epochs": 2, **options})


@parametrize_with_checks([ft.FertuneClassifier()], expected_failed_checks=lambda _: EXPECTED_FAILED)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_every_exception_has_its_reason() -> None:
    assert all(reason for reason in EXPECTED_FAILED.values())


def test_parameters_can_be_read_set_and_cloned() -> None:
    one = tiny(mode="stack", folds=3)
    assert clone(one).get_params()["folds"] == 3
    assert one.set_params(trials=7).trials == 7
    with pytest.raises(NotFittedError):
        one.predict(np.zeros((1, 8, 8)))


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        (np.array([[[0, 7]]], np.uint8), (0, 255)),
        (np.array([[[0.0, 0.7]]]), (0, 1)),
        (np.array([[[0.0, 16.0]]]), (0, 16)),
        (np.array([[[3.0, 200.0]]]), (0, 255)),
        (np.array([[[-1.0, 1.0]]]), (-1, 1)),
    ],
)
def test_values_become_bytes_by_what_fit_saw(values: np.ndarray, ends: tuple[float, float]) -> None:
    assert _range(values) == ends
    assert _as_bytes(np.array([ends[0], ends[1], ends[1] + 9.0]), ends).tolist() == [0, 255, 255]


def test_what_is_refused_before_any_training() -> None:
    x, y = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2
    for options, given, labels, message in (
        ({"mode": "both"}, x, y, "search or stack"),
        ({}, x.reshape(20, -1), y, "give image_shape"),
        ({"image_shape": (9, 9)}, x.reshape(20, -1), y, "64 columns"),
        ({}, x, y * 0, "one class"),
        ({}, x, y[:-1], "inconsistent numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            tiny(**options).fit(given, labels)


@pytest.mark.slow
def test_a_search_fits_predicts_and_travels(tmp_path: Path) -> None:
    x, y = load_digits(return_X_y=True)
    names = np.array([f"digit {k}" for k in range(10)])[y]
    model = tiny(image_shape=(8, 8), out=tmp_path, max_epochs=8).fit(x[:600], names[:600])
    assert model.n_features_in_ == 64 and model.image_shape_ == (8, 8, 1) and len(model.classes_) == 10
    proba = model.predict_proba(x[600:650])
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert model.score(x[600:900], names[600:900]) > 0.5
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.predict_proba(x[600:650]), proba, atol=1e-6)
    with pytest.raises(ValueError, match="64 features"):
        model.predict(x[:5, :60])


@pytest.mark.slow
def test_in_cross_val_score_and_a_pipeline() -> None:
    x, y = load_digits(n_class=3, return_X_y=True)
    inverted = FunctionTransformer(lambda a: 16.0 - a)
    road = make_pipeline(inverted, tiny(image_shape=(8, 8), max_epochs=8))
    scores = cross_val_score(road, x[:240], y[:240], cv=2)
    assert scores.shape == (2,) and scores.min() > 0.6


@pytest.mark.slow
def test_a_stack_fits_and_predicts(tmp_path: Path) -> None:
    x, y = load_digits(n_class=3, return_X_y=True)
    pictures = (x.reshape(-1, 8, 8) * 15).astype(np.uint8)
    options = {"mode": "stack", "top": 1, "folds": 2, "meta": ["lda"], "meta_trials": 2, "out": tmp_path}
    model = tiny(**options, max_epochs=8).fit(pictures[:240], y[:240])
    assert model.score(pictures[240:400], y[240:400]) > 0.6
    assert isinstance(ft.open_run(model.run_path_), ft.StackRun)
