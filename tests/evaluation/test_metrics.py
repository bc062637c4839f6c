"""Metrics against hand-worked numbers, and their odd cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.evaluation import accuracy, confusion, ece, log_loss, macro_f1, precision_recall_f1, reliability
from fertune.evaluation.metrics import CLIP


def one_hot(guess: list[int], n_classes: int, sure: float = 0.8) -> np.ndarray:
    proba = np.full((len(guess), n_classes), (1 - sure) / (n_classes - 1))
    proba[np.arange(len(guess)), guess] = sure
    return proba


TRUE = np.array([0, 0, 0, 1, 1, 2])
GUESS = [0, 0, 1, 1, 2, 0]


def test_accuracy_and_confusion_by_hand() -> None:
    assert accuracy(one_hot(GUESS, 3), TRUE) == 0.5
    assert confusion(np.array(GUESS), TRUE, 3).tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]


def test_precision_recall_f1_by_hand() -> None:
    scores = precision_recall_f1(confusion(np.array(GUESS), TRUE, 3))
    np.testing.assert_allclose(scores.precision, [2 / 3, 1 / 2, 0])
    np.testing.assert_allclose(scores.recall, [2 / 3, 1 / 2, 0])
    np.testing.assert_allclose(scores.f1, [2 / 3, 1 / 2, 0])
    assert scores.support.tolist() == [3, 2, 1]
    assert macro_f1(one_hot(GUESS, 3), TRUE) == pytest.approx((2 / 3 + 1 / 2) / 3)


def test_a_class_without_rows_is_left_out_of_macro_f1_and_still_costs() -> None:
    labels = np.array([0, 0, 1, 1])
    wrong_known, wrong_absent = one_hot([0, 1, 1, 1], 3), one_hot([0, 2, 1, 1], 3)
    scores = precision_recall_f1(confusion(np.array([0, 2, 1, 1]), labels, 3))
    assert math.isnan(scores.recall[2]) and math.isnan(scores.f1[2]) and scores.precision[2] == 0
    assert macro_f1(wrong_absent, labels) == pytest.approx((2 / 3 + 1) / 2)
    assert macro_f1(wrong_known, labels) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert macro_f1(one_hot([0, 0, 1, 1], 3), labels) == 1


def test_a_class_never_predicted_has_no_precision_and_f1_zero() -> None:
    scores = precision_recall_f1(confusion(np.array([0, 0]), np.array([0, 1]), 2))
    assert math.isnan(scores.precision[1])
    assert scores.recall[1] == 0 and scores.f1[1] == 0


def test_metrics_agree_with_scikit_learn() -> None:
    from sklearn import metrics as theirs

    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(5), 400)
    labels = rng.integers(0, 5, 400)
    guess = proba.argmax(1)
    assert accuracy(proba, labels) == pytest.approx(theirs.accuracy_score(labels, guess))
    assert macro_f1(proba, labels) == pytest.approx(theirs.f1_score(labels, guess, average="macro"))
    assert log_loss(proba, labels) == pytest.approx(theirs.log_loss(labels, proba))
    np.testing.assert_array_equal(confusion(guess, labels, 5), theirs.confusion_matrix(labels, guess))


def test_log_loss_is_clipped_where_it_says() -> None:
    sure = np.array([[1.0, 0.0]])
    assert log_loss(sure, np.array([1])) == pytest.approx(-math.log(CLIP))
    right = log_loss(sure, np.array([0]))
    assert right == 0 and math.copysign(1, right) == 1  # no -0.0


@pytest.mark.parametrize("labels", [[-1, 0], [0, 2], [0], [[0, 1]]])
def test_labels_that_are_none_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="labels"):
        accuracy(np.full((2, 2), 0.5), np.array(labels))


def test_no_rows_and_floating_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        accuracy(np.zeros((0, 2)), np.zeros(0, dtype=int))
    with pytest.raises(ValueError, match="whole numbers"):
        accuracy(np.full((1, 2), 0.5), np.array([0.0]))


def test_ece_by_hand() -> None:
    """Two bins of two: (0.55 and 0.65: one right), (0.9 and 1.0: both right)."""
    proba = np.array([[0.55, 0.45], [0.65, 0.35], [0.9, 0.1], [1.0, 0.0]])
    labels = np.array([0, 1, 0, 0])
    found = reliability(proba, labels, bins=2)
    assert found.count.tolist() == [2, 2]
    np.testing.assert_allclose(found.confidence, [0.6, 0.95])
    np.testing.assert_allclose(found.accuracy, [0.5, 1.0])
    assert found.ece == pytest.approx(0.5 * 0.1 + 0.5 * 0.05)
    assert found.overconfidence == pytest.approx(0.775 - 0.75)


def test_ece_of_calibrated_and_of_overconfident_probabilities() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 20_000)
    right = rng.random(20_000) < sure
    proba = np.stack([sure, 1 - sure], axis=1)
    assert ece(proba, np.where(right, 0, 1)) < 0.015
    half = rng.random(20_000) < sure - 0.2
    assert ece(proba, np.where(half, 0, 1)) == pytest.approx(0.2, abs=0.02)
    assert reliability(proba, np.where(half, 0, 1)).overconfidence == pytest.approx(0.2, abs=0.02)


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 10_000))
def test_bins_cover_all_rows_and_ignore_their_order(n: int, bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    proba = np.round(rng.dirichlet(np.ones(3), n), 1)  # many ties
    labels = rng.integers(0, 3, n)
    found = reliability(proba, labels, bins)
    assert found.count.sum() == n and found.count.min() >= 1 and len(found.count) <= min(bins, n)
    order = rng.permutation(n)
    assert ece(proba[order], labels[order], bins) == pytest.approx(found.ece, abs=1e-12)
    assert 0 <= found.ece <= 1


@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 10_000))
def test_confusion_sums_to_n_and_its_diagonal_is_accuracy(n_classes: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    proba, labels = rng.dirichlet(np.ones(n_classes), n), rng.integers(0, n_classes, n)
    matrix = confusion(proba.argmax(1), labels, n_classes)
    assert matrix.sum() == n
    assert np.trace(matrix) / n == pytest.approx(accuracy(proba, labels))
    assert 0 <= macro_f1(proba, labels) <= 1
