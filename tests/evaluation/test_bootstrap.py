"""The paired cluster bootstrap: coverage by simulation, pairing, clusters, and its odd cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.evaluation import bootstrap, paired_bootstrap


def draw_pair(rng: np.random.Generator, n: int, *, twins: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two classifiers, 65 % and 60 % right, correlated; n // twins pictures, each ``twins`` times."""
    cells = rng.choice(4, size=n // twins, p=[0.55, 0.10, 0.05, 0.30])
    cells = np.repeat(cells, twins)
    first, second = np.isin(cells, [0, 1]), np.isin(cells, [0, 2])
    return np.stack([second, first], axis=1), np.repeat(np.arange(n // twins), twins)


def coverage(twins: int, *, clustered: bool, seed: int = 0, repeats: int = 200) -> tuple[float, float]:
    """How often the intervals of accuracy and of the difference hold the truth: 0.65 and +0.05."""
    rng = np.random.default_rng(seed)
    alone = paired = 0
    for repeat in range(repeats):
        correct, groups = draw_pair(rng, 600, twins=twins)
        groups = groups if clustered else np.arange(len(groups))
        found = paired_bootstrap(correct, groups, seed=repeat, resamples=400)
        alone += found.low[1] <= 0.65 <= found.high[1]
        paired += found.difference_low[1] <= 0.05 <= found.difference_high[1]
    return alone / repeats, paired / repeats


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """95 % of 200, give or take 3 standard errors (1.5 points each)."""
    for share in coverage(1, clustered=True):
        assert 0.90 <= share <= 0.995


def test_clusters_are_needed_where_pictures_have_twins() -> None:
    """With every picture four times, rows taken as independent give intervals half as wide as they must be."""
    for share in coverage(4, clustered=True):
        assert 0.90 <= share <= 0.995
    for share in coverage(4, clustered=False):
        assert share < 0.85


def test_the_interval_of_the_difference_is_paired() -> None:
    rng = np.random.default_rng(3)
    correct, groups = draw_pair(rng, 2000)
    found = paired_bootstrap(correct, groups, seed=1)
    unpaired = np.hypot(*(found.high - found.low))
    assert found.difference_high[1] - found.difference_low[1] < 0.8 * unpaired
    expected = np.std(correct[:, 1].astype(float) - correct[:, 0]) / np.sqrt(2000)
    assert found.standard_error[1] == pytest.approx(expected, rel=0.08)


def test_all_rows_of_a_table_see_the_same_resamples() -> None:
    """A contender twice, and one that is the reference: equal numbers, and a difference of exactly 0."""
    correct, groups = draw_pair(np.random.default_rng(4), 300)
    found = paired_bootstrap(np.stack([correct[:, 0], correct[:, 1], correct[:, 1], correct[:, 0]], axis=1), groups)
    assert found.difference_low[1] == found.difference_low[2] and found.high[1] == found.high[2]
    for field in (found.difference, found.difference_low, found.difference_high, found.standard_error):
        assert field[0] == 0 and field[3] == 0


def test_accuracies_are_those_of_all_rows() -> None:
    correct, groups = draw_pair(np.random.default_rng(5), 333)
    found = paired_bootstrap(correct, groups, reference=1)
    np.testing.assert_allclose(found.accuracy, correct.mean(axis=0))
    assert found.difference[0] == pytest.approx(correct[:, 0].mean() - correct[:, 1].mean())


def test_the_seed_decides_and_the_chunk_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    correct, groups = draw_pair(np.random.default_rng(6), 500)
    whole = paired_bootstrap(correct, groups, seed=7)
    other = paired_bootstrap(correct, groups, seed=8)
    monkeypatch.setattr(bootstrap, "_CELLS", 3 * 500)
    chunked = paired_bootstrap(correct, groups, seed=7)
    np.testing.assert_array_equal(whole.difference_low, chunked.difference_low)
    np.testing.assert_array_equal(whole.standard_error, chunked.standard_error)
    assert not np.array_equal(whole.standard_error, other.standard_error)


@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 10_000))
def test_intervals_are_ordered_and_hold_the_extremes(n: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    correct = rng.random((n, columns)) < 0.5
    found = paired_bootstrap(correct, rng.integers(0, 5, n), seed=seed, resamples=50)
    assert np.all(found.low <= found.high) and np.all(found.difference_low <= found.difference_high)
    assert np.all((found.low >= 0) & (found.high <= 1))
    assert np.all((found.difference_low >= -1) & (found.difference_high <= 1))


def test_cluster_numbers_may_be_anything() -> None:
    correct, groups = draw_pair(np.random.default_rng(8), 200, twins=2)
    plain = paired_bootstrap(correct, groups)
    odd = paired_bootstrap(correct, groups * 1000 - 7)
    np.testing.assert_array_equal(plain.low, odd.low)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="n > 0"):
        paired_bootstrap(np.zeros((0, 2), dtype=bool), np.zeros(0, dtype=int))
    with pytest.raises(ValueError, match="reference 2"):
        paired_bootstrap(np.zeros((3, 2), dtype=bool), np.arange(3), reference=2)
