"""The costliest first: the order, and that journals of any order are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fertune.errors import RunError
from fertune.searchers import Engine, costliest, make_searcher, restore
from fertune.searchers.costliest import CostliestFirst
from fertune.searchers.start import starts
from fertune.space import Choice, Float, Int, Space
from fertune.testing import SearcherContract
from fertune.testing.searchers import ACCURACY, WIDE, drive
from fertune.trial import TUNERS, Exhausted, Params, Suggestion

SPACE = Space("s", [Int("x", 0, 10_000), Float("rate", 0.0, 1.0)])
BLIND = [name for name, tuner in TUNERS.items() if tuner.blind]


def engine(tuner: str = "random", space: Space = SPACE, **options: Any) -> Engine:
    return make_searcher(tuner, space, **{"objective": ACCURACY, "seed": 5, "trials": 12, "max_epochs": 3, **options})


def by_x(params: Params) -> float:
    return float(params["x"])


def first_of(tuner: str = "random", cost: Callable[[Params], float | None] = by_x, **options: Any) -> CostliestFirst:
    return CostliestFirst(engine(tuner, **options), cost)


def asked(searcher: Any, **more: Any) -> list[dict[str, Any]]:
    return [dict(s.params) for s in drive(searcher, **more).suggestions]


class TestRandomInOrder(SearcherContract):
    def make(self, space: Space, **options: Any) -> CostliestFirst:
        return CostliestFirst(make_searcher("random", space, **options), lambda params: float(len(params)))


class TestGridInOrder(SearcherContract):
    def make(self, space: Space, **options: Any) -> CostliestFirst:
        return CostliestFirst(make_searcher("grid", space, **options), lambda params: float(len(params)))


class TestRandomInSmallWindows(TestRandomInOrder):
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(costliest, "WINDOW", 5)


def test_random_and_grid_know_of_no_results() -> None:
    assert BLIND == ["random", "grid"]


@pytest.mark.parametrize("tuner", BLIND)
def test_what_they_suggest_depends_on_no_result_and_they_promote_nothing(tuner: str) -> None:
    whole = drive(engine(tuner, WIDE, trials=40), seed=1)
    other = drive(engine(tuner, WIDE, trials=40), workers=40, seed=2, fail=0.5)
    assert [s.params for s in whole.suggestions] == [s.params for s in other.suggestions]
    assert not whole.promoted and not whole.waits + other.waits and not hasattr(engine(tuner), "promotable")


@pytest.mark.parametrize("tuner", BLIND)
@pytest.mark.parametrize("workers", [1, 4])
def test_the_cheapest_is_a_scout_and_then_come_the_costliest(tuner: str, workers: int) -> None:
    drawn = asked(engine(tuner))
    cheapest = min(drawn, key=by_x)
    rest = sorted((params for params in drawn if params != cheapest), key=by_x, reverse=True)
    played = drive(first_of(tuner), workers=workers, seed=workers, fail=0.3)
    assert [dict(s.params) for s in played.suggestions] == [cheapest, *rest] != drawn
    assert played.end == Exhausted("all 12 trials were asked for")


def test_of_equal_cost_they_come_as_drawn() -> None:
    drawn = asked(engine())
    assert asked(first_of(cost=lambda params: 7.0)) == drawn


def test_where_a_cost_is_unknown_the_order_stays_as_drawn() -> None:
    drawn = asked(engine())
    assert asked(CostliestFirst(engine())) == drawn
    assert asked(first_of(cost=lambda params: None if params == drawn[8] else by_x(params))) == drawn


def test_what_is_not_trained_comes_last_and_is_no_scout() -> None:
    found = asked(first_of(cost=lambda params: by_x(params) if params["x"] % 2 else 0))
    odd = [params["x"] % 2 for params in found]
    assert odd == sorted(odd, reverse=True) and 0 < sum(odd) < 12
    assert found[0]["x"] == min(params["x"] for params in found if params["x"] % 2)


def test_start_configurations_stay_ahead_and_the_first_of_them_first() -> None:
    space = replace(SPACE, start=[{"x": 50}, {"x": 60, "rate": 0.5}, {"x": 9999}])
    given = starts(space, 5)
    found = asked(CostliestFirst(engine(space=space), by_x, given))
    assert found[:3] == [given[0], given[2], given[1]]
    assert [by_x(p) for p in found[4:]] == sorted((by_x(p) for p in found[4:]), reverse=True)


def test_long_searches_are_sorted_window_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costliest, "WINDOW", 5)
    drawn, found = asked(engine()), asked(first_of())
    for begin in (0, 5, 10):
        window, there = drawn[begin : begin + 5], found[begin : begin + 5]
        assert sorted(map(str, window)) == sorted(map(str, there))
        assert [by_x(p) for p in there[1:]] == sorted((by_x(p) for p in there[1:]), reverse=True)
    endless = first_of(trials=None)
    assert len(drive(endless, steps=23).suggestions) == 23


@pytest.mark.parametrize("tuner", BLIND)
@pytest.mark.parametrize("taken", [0, 1, 5, 11, 12])
def test_a_journal_as_drawn_goes_on_with_what_is_left_in_order(tuner: str, taken: int) -> None:
    """Of an older run, or of one that had a time budget."""
    played = drive(engine(tuner), workers=2, steps=taken)
    again = first_of(tuner)
    restore(again, played.calls)
    rest = drive(again, played=played)
    left = [s.params for s in rest.suggestions[taken:]]
    whole = [dict(s.params) for s in rest.suggestions]
    assert sorted(map(str, whole)) == sorted(map(str, asked(engine(tuner))))
    assert [p for p in asked(first_of(tuner)) if p in left] == left
    assert [s.ticket for s in rest.suggestions] == list(range(12))


def test_more_trials_come_after_those_that_were_drawn_already() -> None:
    cut = drive(first_of(), workers=2, steps=5)
    searcher = first_of()
    restore(searcher, [*cut.calls, ("extend", 20)])
    found = [dict(s.params) for s in drive(searcher, played=cut).suggestions]
    assert found[:12] == asked(first_of()) and len(found) == 20
    assert sorted(map(str, found)) == sorted(map(str, asked(engine(trials=20))))


def test_what_is_known_is_not_drawn() -> None:
    space = Space("small", [Int("x", 0, 4), Choice("kind", ["a", "b"])])
    points = list(space.points())
    searcher = first_of(space=space, trials=None)
    restore(searcher, [("known", params, None) for params in points[:7]])  # type: ignore[list-item]
    assert [p["x"] for p in asked(searcher)] == [3, 4, 4]


@pytest.mark.parametrize("moved", [0, 3])
def test_a_journal_of_another_search_is_refused(moved: int) -> None:
    calls: list[Any] = list(drive(first_of(), steps=6, workers=6).calls)
    calls[moved] = ("ask", replace(calls[moved][1], params={"x": 1, "rate": 0.123}))
    with pytest.raises(RunError, match=f"suggestion {moved} is another one now") as caught:
        restore(first_of(), calls, written_by="keras-tuner 1.4.7")
    assert any("now" in fault and "then" in fault for fault in caught.value.details)
    assert caught.value.help == 'pip install "keras-tuner==1.4.7"'


def test_a_ticket_is_the_inner_ones_own_where_it_is_told() -> None:
    class Inner(Engine):
        told: list[int] = []

        def ask(self) -> Suggestion | Exhausted:
            params = {"x": self.asked, "rate": 0.5}
            return self._end() or self._suggest(params, 1)

        def report(self, ticket: int, step: int, value: float) -> bool:
            return ticket != 2

        def tell(self, ticket: int, outcome: Any) -> None:
            self.told.append(ticket)

    inner = Inner(SPACE, objective=ACCURACY, seed=0, trials=4, max_epochs=1)
    searcher = CostliestFirst(inner, lambda params: 1.0 + by_x(params))
    pieces = [searcher.ask() for _ in range(4)]
    assert [s.params["x"] for s in pieces if isinstance(s, Suggestion)] == [0, 3, 2, 1]
    assert [searcher.report(ticket, 1, 0.5) for ticket in range(4)] == [True, True, False, True]
    for ticket in range(4):
        searcher.tell(ticket, None)  # type: ignore[arg-type]
    assert inner.told == [0, 3, 2, 1]
