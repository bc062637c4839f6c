"""What every Searcher must do, and a driver that plays loop and workers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from fertune.searchers import Call, restore
from fertune.searchers.restore import Extends
from fertune.space import Bool, Choice, Float, Int, Space
from fertune.trial import (
    OBJECTIVES,
    Complete,
    Exhausted,
    Failure,
    FailureKind,
    Objective,
    Outcome,
    Params,
    Pruned,
    Searcher,
    Suggestion,
    Wait,
)

ACCURACY, LOSS = OBJECTIVES["val_accuracy"], OBJECTIVES["val_loss"]

WIDE = Space(
    "wide",
    [
        Int("blocks", 2, 4),
        Int("units", 16, 256, log=True),
        Int("odd", 1, 9, step=2),
        Float("dropout", 0.1, 0.5, step=0.1),
        Choice("filters", [16, 32], {"blocks": [3, 4]}),
        Choice("mode", ["a", "b"], {"filters": [32]}),
        Bool("norm"),
        Float("rate", 1e-4, 1e-2, log=True),
        Float("slope", 0.0, 1.0, when={"norm": (True,)}),
    ],
)
FOUR = Space("four", [Choice("a", [1, 2]), Bool("b")])
TREE = Space("tree", [Int("a", 1, 3), Bool("b", {"a": (2, 3)}), Choice("c", ["x", "y", "z"], {"b": [True]})])
ONE = Space("one", [Choice("only", ["x"])])
EMPTY = Space("empty", [])


def failed(kind: FailureKind = FailureKind.CRASHED) -> Failure:
    return Failure(kind, "for the test")


@dataclass
class Played:
    """What a drive of a searcher brought."""

    suggestions: list[Suggestion] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    open: list[Suggestion] = field(default_factory=list)
    waits: int = 0
    end: Exhausted | None = None

    @property
    def new(self) -> list[Suggestion]:
        return [s for s in self.suggestions if s.continues is None]

    @property
    def promoted(self) -> list[Suggestion]:
        return [s for s in self.suggestions if s.continues is not None]


def drive(
    searcher: Searcher,
    *,
    workers: int = 1,
    seed: int = 0,
    fail: Callable[[Suggestion], bool] | float = 0.0,
    early: float = 0.0,
    steps: int = 10**6,
    value: Callable[[Params], float] | None = None,
    objective: Objective = ACCURACY,
    played: Played | None = None,
) -> Played:
    """Ask, report and tell with ``workers`` pieces in flight that end in random order: ``steps`` asks, or to the end.

    Sometimes it also asks where the last answer was Wait and nothing has changed since.

    Args:
        searcher: As the loop would have it.
        workers: Pieces in flight at most.
        seed: Of the order, the values and the failures.
        fail: Which pieces fail, or their share from 0 to 1.
        early: Share of the others that stop by themselves and are finished (``Complete.final``).
        steps: Suggestions that are taken.
        value: Params -> the value that training comes to; by default drawn.
        objective: Which of a piece's epochs is its best.
        played: What an earlier drive brought, to go on from.

    Returns:
        What was said, in order.

    Raises:
        AssertionError: A Wait although nothing is open, another answer right after a Wait, or a budget below 1.
    """
    rng = random.Random(seed)
    played = played or Played()
    while steps > 0:
        if len(played.open) < workers and not (played.end and played.open):
            answer = searcher.ask()
            if isinstance(answer, Suggestion):
                steps -= 1
                played.suggestions.append(answer)
                played.calls.append(("ask", answer))
                played.open.append(answer)
                continue
            if isinstance(answer, Wait):
                assert played.open, "Wait although nothing is open"
                played.waits += 1
                if rng.random() < 0.3:
                    assert isinstance(searcher.ask(), Wait), "Wait, and another answer right after"
            else:
                played.end = answer
                if not played.open:
                    return played
        piece = played.open.pop(rng.randrange(len(played.open)))
        _finish(searcher, piece, played, rng, fail, early, value, objective)
    return played


def _finish(
    searcher: Searcher,
    piece: Suggestion,
    played: Played,
    rng: random.Random,
    fail: Callable[[Suggestion], bool] | float,
    early: float,
    value: Callable[[Params], float] | None,
    objective: Objective,
) -> None:
    assert piece.budget >= 1, f"ticket {piece.ticket} has a budget of {piece.budget} epochs"
    broken = fail(piece) if callable(fail) else rng.random() < fail
    outcome: Outcome = failed()
    if not broken:
        goal = value(piece.params) if value else rng.random()
        epochs = rng.randrange(1, piece.budget + 1)
        best = None
        for step in range(1, epochs + 1):
            seen = goal * step / epochs
            best = seen if best is None or objective.better(seen, best) else best
            call: Call = ("report", piece.ticket, step, seen)
            played.calls.append(call)
            if not searcher.report(piece.ticket, step, seen):
                outcome = Pruned(best)
                break
        else:
            final = early > 0 and rng.random() < early
            outcome = Complete(best if best is not None else goal, final=final)
    searcher.tell(piece.ticket, outcome)
    played.calls.append(("tell", piece.ticket, outcome))
    played.outcomes[piece.ticket] = outcome


def worth(piece: Suggestion) -> tuple[float, float, int, float]:
    """Ascending: more rows, larger pictures, more epochs, more time."""
    return (piece.share, piece.side or math.inf, piece.budget, piece.seconds or math.inf)


class SearcherContract:
    """Derive a ``Test...`` class from it and give ``make``.

    Attributes:
        drawn: Whether other seeds give other suggestions; False for a searcher that draws nothing.
    """

    drawn = True

    def make(self, space: Space, **options: Any) -> Searcher:
        """A fresh searcher of ``space``.

        Args:
            space: What may be suggested.
            options: ``objective`` (an ``Objective``), ``seed`` (int), ``trials`` (int, or None for no limit) and
                ``max_epochs`` (int), all of them given.
        """
        raise NotImplementedError

    def fresh(self, space: Space = WIDE, **options: Any) -> Searcher:
        return self.make(space, **{"objective": ACCURACY, "seed": 0, "trials": 12, "max_epochs": 9, **options})

    @pytest.mark.parametrize("workers", [1, 3, 8])
    @pytest.mark.parametrize("fail", [0.0, 0.4, 1.0])
    def test_it_suggests_distinct_configurations_inside_the_space_and_ends(self, workers: int, fail: float) -> None:
        played = drive(self.fresh(), workers=workers, fail=fail, seed=workers)
        assert played.end is not None
        assert len(played.new) == 12
        assert len({WIDE.key(s.params) for s in played.new}) == 12
        assert all(WIDE.contains(s.params) for s in played.suggestions)
        assert all(1 <= s.budget <= 9 for s in played.suggestions)
        assert [s.ticket for s in played.suggestions] == list(range(len(played.suggestions)))

    def test_a_promotion_goes_on_from_a_finished_piece_that_did_not_fail(self) -> None:
        played = drive(self.fresh(trials=20), workers=3, fail=0.3)
        by_ticket = {s.ticket: s for s in played.suggestions}
        for promotion in played.promoted:
            earlier = by_ticket[promotion.continues or 0]
            assert promotion.params == earlier.params and worth(promotion) > worth(earlier)
            assert isinstance(played.outcomes[earlier.ticket], Complete)
        assert len({s.continues for s in played.promoted}) == len(played.promoted)

    @pytest.mark.parametrize("space", [FOUR, TREE, ONE, EMPTY], ids=lambda s: s.name)
    @pytest.mark.parametrize("workers", [1, 3])
    @pytest.mark.parametrize("seed", range(2))
    def test_a_finite_space_is_tried_point_by_point_and_ends(self, space: Space, workers: int, seed: int) -> None:
        played = drive(self.fresh(space, trials=40, seed=seed), workers=workers, seed=seed, fail=0.2)
        assert sorted(space.key(s.params) for s in played.new) == sorted(space.key(p) for p in space.points())
        assert played.end is not None and played.end.reason

    @pytest.mark.parametrize("space", [WIDE, FOUR])
    def test_exhausted_stays_exhausted(self, space: Space) -> None:
        searcher = self.fresh(space)
        played = drive(searcher)
        assert [searcher.ask() for _ in range(3)] == [played.end] * 3

    def test_one_trial_is_one_trial(self) -> None:
        played = drive(self.fresh(trials=1))
        assert len(played.new) == 1

    @pytest.mark.parametrize("objective", [ACCURACY, LOSS], ids=lambda o: o.direction)
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e300, 0.0])
    def test_strange_values_do_not_stop_it(self, objective: Objective, value: float) -> None:
        searcher = self.fresh(objective=objective)
        while isinstance(piece := searcher.ask(), Suggestion):
            assert searcher.report(piece.ticket, 1, value) in (True, False)
            searcher.tell(piece.ticket, Complete(value))
        assert isinstance(piece, Exhausted)

    def test_a_ticket_is_told_once(self) -> None:
        searcher = self.fresh()
        piece = searcher.ask()
        assert isinstance(piece, Suggestion)
        searcher.tell(piece.ticket, Complete(0.5))
        for wrong in (piece.ticket, 99):
            with pytest.raises((RuntimeError, LookupError, ValueError)):
                searcher.tell(wrong, Complete(0.5))

    @pytest.mark.parametrize("seed", [0, 1, 2**40])
    def test_the_same_calls_give_the_same_answers(self, seed: int) -> None:
        one = drive(self.fresh(seed=seed), workers=3, fail=0.2, seed=1)
        two = drive(self.fresh(seed=seed), workers=3, fail=0.2, seed=1)
        assert one.suggestions == two.suggestions

    def test_another_seed_gives_other_suggestions(self) -> None:
        if not self.drawn:
            pytest.skip("this searcher draws nothing")
        keys = [{WIDE.key(s.params) for s in drive(self.fresh(seed=seed)).new} for seed in range(4)]
        assert len(set.union(*keys)) == sum(len(k) for k in keys)

    @pytest.mark.parametrize("seed", range(6))
    def test_a_restored_searcher_goes_on_as_the_undisturbed_one(self, seed: int) -> None:
        """Killed after any number of asks, with 1 to 4 in flight; asks that were answered with Wait are not known."""
        workers = 1 + seed % 4
        space = (WIDE, TREE)[seed % 2]
        searcher = self.fresh(space, trials=25, seed=seed)
        played = drive(searcher, workers=workers, seed=seed, fail=0.25, steps=2 + seed * 3)
        again = self.fresh(space, trials=25, seed=seed)
        restore(again, played.calls)
        before = len(played.suggestions)
        rest = drive(searcher, workers=workers, seed=99, fail=0.25, played=_copy(played))
        other = drive(again, workers=workers, seed=99, fail=0.25, played=_copy(played))
        assert rest.suggestions[before:] == other.suggestions[before:]
        assert rest.end == other.end

    def test_each_session_may_ask_for_more_trials(self) -> None:
        """Four sessions, each restored from the calls of all before it; the last has nothing left to do."""
        if not isinstance(self.fresh(), Extends):
            pytest.skip("this searcher has no extend(trials)")
        played = Played()
        for trials in (4, 7, 23, 23):
            searcher = self.fresh(trials=4)
            restore(searcher, played.calls)
            if trials > 4 and isinstance(searcher, Extends):
                searcher.extend(trials)
                played.calls.append(("extend", trials))
            played.end = None
            before = len(played.suggestions)
            played = drive(searcher, workers=2, seed=trials, fail=0.1, played=played)
            assert len(played.new) == trials
            assert len({WIDE.key(s.params) for s in played.new}) == trials
        assert len(played.suggestions) == before

    def test_a_searcher_of_no_limit_goes_on(self) -> None:
        played = drive(self.fresh(trials=None), workers=2, steps=30)
        assert len(played.suggestions) == 30 or played.end is not None


def _copy(played: Played) -> Played:
    return Played(list(played.suggestions), list(played.calls), dict(played.outcomes), list(played.open))
