"""Numbers as they are said."""

from __future__ import annotations

import math

import pytest

from fertune.report import words
from fertune.report.words import MINUS, SPACE


@pytest.mark.parametrize(
    ("x", "digits", "wanted"),
    [(3589, 0, "3,589"), (-1.25, 1, f"{MINUS}1.2"), (-0.04, 1, "0.0"), (-0.0, 1, "0.0"), (None, 1, "-"),
     (math.nan, 1, "-"), (math.inf, 0, "-"), (12345.678, 2, "12,345.68")],
)  # fmt: skip
def test_number(x: float | None, digits: int, wanted: str) -> None:
    assert words.number(x, digits) == wanted


def test_signs() -> None:
    assert words.points(0.012) == "+1.2"
    assert words.points(-0.006) == f"{MINUS}0.6"
    assert words.points(0.0004) == "0.0"
    assert words.points(None) == "-"
    assert words.percent(0.6312) == f"63.1{SPACE}%"
    assert words.percent(math.nan) == "-"


@pytest.mark.parametrize(("p", "wanted"), [(0.0143, "0.014"), (0.0002, "<0.001"), (1.0, "1.000"), (None, "-")])
def test_p(p: float | None, wanted: str) -> None:
    assert words.p_value(p) == wanted


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (59.6, "1 min"), (1180, "19 min 40 s"), (7500, "2 h 5 min"),
     (3600, "1 h"), (180000, "2 d 2 h"), (None, "-"), (-1, "-")],
)  # fmt: skip
def test_duration(seconds: float | None, wanted: str) -> None:
    assert words.duration(seconds).replace(SPACE, " ") == wanted


def test_counts_and_lists() -> None:
    assert words.count(1, "trial") == "1 trial"
    assert words.count(0, "trial") == "0 trials"
    assert words.count(2, "copy", "copies") == "2 copies"
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(list("abcdefgh"), most=4) == "a, b, c and 5 more"
    assert [words.often(n) for n in (0, 1, 2, 3)] == ["not once", "once", "twice", "3 times"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(True, "yes"), (False, "no"), (3, "3"), (0.0, "0"), (0.00061, "0.00061"), (0.25, "0.25"),
     (2.5e-7, f"2.5e{MINUS}7"), ("relu", "relu"), (None, "-"),
     (1e6, "1.0e6"), (0.30000000000000004, "0.3"), (-2, f"{MINUS}2")],
)  # fmt: skip
def test_plain(value: object, wanted: str) -> None:
    assert words.plain(value) == wanted


def test_moment() -> None:
    assert words.moment(1_790_000_000.0) == "2026-09-21 14:13 UTC"
    assert words.moment(None) == "not recorded"
