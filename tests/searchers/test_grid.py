"""Grid search: what is cut into values, what is said of its size, and the two orders."""

from __future__ import annotations

from typing import Any

import pytest

from fertune.searchers import Engine, engine_notes, make_searcher
from fertune.searchers.grid import grid_size, gridded
from fertune.space import Bool, Choice, Float, Int, Space
from fertune.testing.searchers import ACCURACY, TREE, WIDE, drive
from fertune.trial import Suggestion

SMALL = Space("small", [Int("a", 1, 3), Choice("b", ["x", "y"]), Bool("c", {"b": ("y",)})])
CUT = Space("cut", [Float("rate", 1e-4, 1e-2, log=True), Float("drop", 0.0, 0.5), Int("units", 16, 256, log=True)])


def grid(space: Space = SMALL, **options: Any) -> Engine:
    return make_searcher("grid", space, **{"objective": ACCURACY, "seed": 0, "trials": 50, "max_epochs": 3, **options})


def test_what_has_no_step_is_cut_into_five_values_with_both_ends() -> None:
    cut = gridded(CUT)
    assert list(cut["rate"].values()) == [0.0001, 0.000316, 0.001, 0.00316, 0.01]
    assert list(cut["drop"].values()) == [0.0, 0.125, 0.25, 0.375, 0.5]
    assert list(cut["units"].values()) == [16, 32, 64, 128, 256]
    assert grid_size(CUT) == 125 and CUT.size() is None


def test_what_has_steps_keeps_all_its_values() -> None:
    assert gridded(SMALL).params == SMALL.params and grid_size(SMALL) == SMALL.size() == 9
    assert gridded(TREE).params == TREE.params


def test_a_value_that_a_condition_names_is_in_the_grid() -> None:
    space = Space("s", [Int("units", 1, 100, log=True), Bool("more", {"units": (7,)})])
    assert list(gridded(space)["units"].values()) == [1, 3, 7, 10, 32, 100]


def test_points_of_a_grid_are_points_of_the_space() -> None:
    assert all(WIDE.contains(p) for p, _ in zip(gridded(WIDE).points(), range(2000), strict=False))


@pytest.mark.parametrize("workers", [1, 5])
def test_a_whole_grid_is_tried_in_keras_tuners_order_by_any_number_of_workers(workers: int) -> None:
    played = drive(grid(), workers=workers)
    assert played.waits == 0, "the oracle alone would let the others wait"
    assert [s.params for s in played.suggestions] == list(SMALL.points())
    assert played.end is not None and played.end.reason == "all 9 points of the space were tried"


def test_the_reason_tells_a_grid_from_a_space() -> None:
    played = drive(grid(CUT, trials=200), workers=2)
    assert len(played.new) == 125
    assert played.end is not None and played.end.reason == "all 125 points of the grid were tried"


def test_a_part_of_a_grid_has_seen_all_values() -> None:
    played = drive(grid(CUT, trials=40))
    for name in CUT.names:
        assert {s.params[name] for s in played.suggestions} == set(gridded(CUT)[name].values())


def test_a_part_may_grow_to_the_whole() -> None:
    searcher = grid(trials=4)
    drive(searcher)
    searcher.extend(100)
    rest = drive(searcher)
    assert len(rest.new) == 5 and isinstance(rest.new[0], Suggestion)


def test_its_size_is_said() -> None:
    assert engine_notes("grid", SMALL, 20) == ["the grid has 9 points; all are tried"]
    assert engine_notes("grid", CUT, 20) == [
        "the grid has 125 points; rate, drop, units cut into 5 values; 20 of them are tried, drawn at random "
        "(--trials 125 for all)"
    ]
