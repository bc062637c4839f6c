"""McNemar against exact fractions and published values; Holm against a worked example."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.evaluation import holm, mcnemar
from fertune.evaluation.paired import exact_p


def by_fractions(gained: int, lost: int) -> float:
    n = gained + lost
    tail = sum(Fraction(comb(n, k), 2**n) for k in range(min(gained, lost) + 1))
    return float(min(Fraction(1), 2 * tail))


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (0, 6, 0.03125), (8, 2, 0.109375), (10, 10, 1.0)],
)
def test_known_values(gained: int, lost: int, p: float) -> None:
    assert exact_p(gained, lost) == pytest.approx(p, abs=1e-12)


def test_a_textbook_table() -> None:
    """Agresti, Categorical Data Analysis, 1990, table 10.1: approval of a prime minister, 150 and 86 changed."""
    assert exact_p(150, 86) == pytest.approx(by_fractions(150, 86), rel=1e-9)
    assert 3e-5 < exact_p(150, 86) < 4e-5


@given(st.integers(0, 400), st.integers(0, 400))
def test_agrees_with_exact_arithmetic_and_is_symmetric(gained: int, lost: int) -> None:
    assert exact_p(gained, lost) == pytest.approx(by_fractions(gained, lost), rel=1e-9)
    assert exact_p(gained, lost) == exact_p(lost, gained)


def test_counts_are_of_rows_that_differ() -> None:
    reference = np.array([True, True, True, False, False, True])
    other = np.array([True, False, True, True, True, True])
    found = mcnemar(reference, other)
    assert (found.gained, found.lost, found.p) == (2, 1, 1.0)
    assert mcnemar(reference, reference) == (0, 0, 1.0)


def test_under_no_difference_small_p_is_as_rare_as_it_says() -> None:
    rng = np.random.default_rng(0)
    gained = rng.binomial(60, 0.5, size=2000)
    assert np.mean([exact_p(int(g), 60 - int(g)) <= 0.05 for g in gained]) <= 0.06


def test_shapes_must_be_equal() -> None:
    with pytest.raises(ValueError, match="two equal"):
        mcnemar(np.array([True]), np.array([True, False]))


def test_holm_by_hand() -> None:
    """0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1 -> the last may not fall under the one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_edges() -> None:
    assert holm([]) == []
    assert holm([0.2]) == [0.2]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    with pytest.raises(ValueError, match="0 to 1"):
        holm([1.5])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_helps_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    by_p = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert by_p == sorted(by_p)
    if p_values:
        assert min(adjusted) == pytest.approx(min(1, len(p_values) * min(p_values)))
