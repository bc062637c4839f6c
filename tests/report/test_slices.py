"""Slices: where the best trials sit in each range, and what is said of it."""

from __future__ import annotations

import pytest

from fertune.report.reading import Axis, score_of
from fertune.report.search import slices
from fertune.trial import Rung, State, Trial
from tests.report import fixtures

RATE = Axis("rate", "number", 0.0, 1.0)
FILTERS = Axis("filters", "choice", values=(16, 32, 64, 128))
MODE = Axis("mode", "choice", values=("a", "b"))


def pairs(n: int, best_at: float = 0.98, filters: int = 32) -> list[tuple[Trial, float]]:
    """``n`` trials, best first; the best tenth at ``best_at``, the others spread."""
    best = max(2, round(n / 10))
    out = []
    for i in range(n):
        params = {"rate": best_at if i < best else (i % 7) / 8, "filters": filters if i < best else 32, "mode": "b"}
        out.append((Trial(i, params, State.COMPLETED, (Rung(9),)), 0.7 - i / 1000))
    return out


def test_the_edge_of_a_range_is_told() -> None:
    said = slices.finding(pairs(30), [RATE], 9)
    assert said == "The best tenth (3 of 30 trials at 9 epochs) sit at the upper end of rate (1): widen that range."
    assert [n for _, n in said.numbers] == [3.0, 30.0, 9.0, 1.0]


def test_two_edges() -> None:
    said = slices.finding(pairs(30, filters=128), [RATE, FILTERS], 9)
    assert "the upper end of rate (1) and the upper end of filters (128): widen these ranges." in said


@pytest.mark.parametrize(
    "axis",
    [RATE, FILTERS, MODE],
    ids=lambda a: a.name,
)
def test_no_edge_inside_a_range(axis: Axis) -> None:
    assert slices.edges(pairs(30, best_at=0.5), [axis]) == []
    assert "at the end of no range" in slices.finding(pairs(30, best_at=0.5), [axis], 9)


def test_nothing_below_zero_can_be_tried() -> None:
    assert slices.edges(pairs(30, best_at=0.0), [RATE]) == []
    lifted = Axis("rate", "number", -0.01, 1.0)
    assert [(a.name, side) for a, side, _ in slices.edges(pairs(30, best_at=0.0), [lifted])] == [("rate", "lower")]


def test_an_end_where_most_trials_sit_says_nothing() -> None:
    crowd = [(t.but(params={**t.params, "rate": 0.99}), v) for t, v in pairs(30)]
    assert slices.edges(crowd, [RATE]) == []


def test_a_parameter_that_some_of_the_best_lack_has_no_edge() -> None:
    some = pairs(30)
    some[0] = (some[0][0].but(params={"mode": "a"}), some[0][1])
    assert slices.edges(some, [RATE]) == []


def test_few_trials() -> None:
    assert slices.finding(pairs(9), [RATE], 1).startswith("Only 9 trials at 1 epoch have a score: too few")
    assert slices.finding(pairs(3)[:1], [RATE], 3).startswith("Only 1 trial at 3 epochs has a score")


def test_running_median_and_bins() -> None:
    points = [(i / 29, float(i)) for i in range(30)]
    xs, ys = slices.running_median(points)
    assert len(xs) == 24
    assert ys == sorted(ys)
    assert slices.in_bins([(0.5, 1.0)] * 4) == []
    assert slices.in_bins([(1.0, 1.0)] * 5) == [(1.0, 1.0, 1.0, 1.0)]


def test_lower_is_better_puts_the_lowest_first() -> None:
    record = fixtures.by_loss()
    order = slices.best_first([(t, t.value or 0.0) for t in record.trials if t.value is not None], score_of(record))
    assert [v for _, v in order] == sorted(v for _, v in order)


def test_at_most_six_the_most_important_in_declared_order() -> None:
    axes = [Axis(n, "number") for n in "abcdefgh"]
    assert [a.name for a in slices.chosen(axes, ["h", "c"])] == ["a", "b", "c", "d", "e", "h"]
    assert [a.name for a in slices.chosen(axes[:3], [])] == ["a", "b", "c"]


def test_states_of_the_section() -> None:
    assert slices.section(fixtures.search(0)).state == "empty"
    assert slices.section(fixtures.search(2)).state == "empty"
    assert slices.section(fixtures.search(7)).state == "thin"
    full = slices.section(fixtures.search(30), ["learning_rate"])
    assert full.state == "full"
    assert len(full.blocks[0].figures) == 6
