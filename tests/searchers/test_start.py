"""Every engine tries the ``start`` configurations of a space first, and resumes as if nothing had happened."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import Any

import pytest

from fertune.searchers import ENGINES, make_searcher, restore
from fertune.searchers.own import find_own
from fertune.searchers.start import start_notes, starts
from fertune.space import Choice, Float, Int, Space
from fertune.testing.searchers import ACCURACY, WIDE, drive
from fertune.trial import TUNERS, Complete, Exhausted, Suggestion

WHOLE = {"blocks": 3, "units": 100, "odd": 5, "dropout": 0.3, "filters": 32, "mode": "b", "norm": False, "rate": 0.005}
STARTED = replace(WIDE, start=[WHOLE, {"dropout": 0.1, "norm": True}])


def engine(name: str, space: Space, trials: int = 8, seed: int = 1) -> Any:
    for module, *_ in TUNERS[name].needs:
        if importlib.util.find_spec(module) is None:
            pytest.skip(reason=f"{module}, of an extra, is not installed")
    return make_searcher(name, space, objective=ACCURACY, seed=seed, trials=trials, max_epochs=3)


@pytest.mark.parametrize("name", ENGINES)
def test_start_comes_first_and_counts(name: str):
    played = drive(engine(name, STARTED), value=lambda params: float(params["rate"]))
    new = played.new
    assert len(new) == 8 and len({STARTED.key(s.params) for s in new}) == 8
    assert dict(new[0].params) == WHOLE
    assert new[1].params["dropout"] == 0.1 and new[1].params["norm"] is True
    for suggestion in new[:2]:
        STARTED.validate(suggestion.params)
    assert [dict(s.params) for s in new[:2]] == starts(STARTED, 1)


@pytest.mark.parametrize("name", ENGINES)
def test_a_search_that_was_cut_off_goes_on_the_same(name: str):
    whole = drive(engine(name, STARTED), seed=4, value=lambda params: float(params["rate"]))
    for cut in (1, 3):
        first = drive(engine(name, STARTED), seed=4, value=lambda params: float(params["rate"]), steps=cut)
        again = engine(name, STARTED)
        restore(again, first.calls)
        told = {call[1] for call in first.calls if call[0] == "tell"}
        for ticket in range(len(first.suggestions)):
            if ticket not in told:
                again.tell(ticket, Complete(float(first.suggestions[ticket].params["rate"])))
        following = again.ask()
        assert isinstance(following, Suggestion)
        if name in ("random", "grid", "qmc"):
            assert following == whole.suggestions[cut]
        assert following.params not in [s.params for s in first.new] or following.continues is not None


def test_hyperband_promotes_a_start_configuration():
    played = drive(engine("hyperband", STARTED), value=lambda params: 1.0 if params == WHOLE else 0.1)
    assert played.new[0].budget == 1 and played.new[0].tags == {"bracket": 1, "rung": 0}
    assert {s.continues for s in played.promoted} >= {0}
    assert [s.budget for s in played.suggestions if dict(s.params) == WHOLE] == [1, 3]


def test_a_grid_takes_points_that_are_not_of_it_and_then_all_of_its_own():
    space = Space("s", [Float("a", 0.0, 1.0), Choice("b", [1, 2])], start=[{"a": 0.123, "b": 1}, {"a": 0.0, "b": 2}])
    played = drive(make_searcher("grid", space, objective=ACCURACY, seed=0, trials=None, max_epochs=1))
    assert [s.params["a"] for s in played.new[:2]] == [0.123, 0.0]
    assert len(played.new) == 11 and isinstance(played.end, Exhausted)


def test_what_is_left_open_follows_from_the_seed():
    assert starts(STARTED, 1) == starts(STARTED, 1) != starts(STARTED, 2)
    assert starts(WIDE, 1) == []
    small = Space("small", [Int("a", 1, 2), Int("b", 1, 2)], start=[{"a": 1}, {"b": 2}, {"b": 1}, {"a": 2}])
    assert len({small.key(s) for s in starts(small, 0)}) == len(starts(small, 0)) >= 3


def test_what_people_are_told():
    assert start_notes(WIDE, 8) == []
    said = start_notes(STARTED, 8)
    assert said[0] == "the first 2 trials are start of space wide"
    assert said[1] == (
        "drawn by the seed where start leaves it open: start[1]: blocks, units, odd, filters, mode, rate, slope"
    )
    assert start_notes(STARTED, 1) == ["the first trial is start of space wide; 1 more of them need more --trials"]


class Counting:
    """Suggests ``a`` = 1, 2, 3, ... and promotes the first one at the end."""

    def __init__(self, space: Space, *, objective: Any, seed: int, trials: int | None, max_epochs: int) -> None:
        self.trials, self.asked = trials, 0
        self.told: list[int] = []

    def ask(self) -> Any:
        if self.asked == self.trials:
            self.asked += 1
            return Suggestion(self.asked - 1, {"a": 1}, 3, continues=0)
        if self.trials is not None and self.asked > self.trials:
            return Exhausted("done")
        self.asked += 1
        return Suggestion(self.asked - 1, {"a": self.asked}, 2)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Any) -> None:
        self.told.append(ticket)


def test_a_searcher_of_ones_own_comes_after_start():
    own = find_own(Counting)
    assert own is not None
    space = Space("s", [Int("a", 1, 50)], start=[{"a": 40}, {"a": 41}])
    searcher = own.make(space, objective=ACCURACY, seed=0, trials=5, max_epochs=3)
    played = drive(searcher)
    assert [(s.ticket, s.params["a"], s.continues) for s in played.suggestions] == [
        (0, 40, None), (1, 41, None), (2, 1, None), (3, 2, None), (4, 3, None), (5, 1, 2)
    ]  # fmt: skip
    assert played.end == Exhausted("all 5 trials were asked for")
    few = drive(own.make(space, objective=ACCURACY, seed=0, trials=1, max_epochs=3))
    assert [s.params["a"] for s in few.suggestions] == [40]
    assert few.end == Exhausted("the one trial was asked for")
