"""The engine for a given time, played in virtual time: who gets how much of it, and who wins."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fertune.config import SearchOptions
from fertune.errors import ConfigError
from fertune.searchers import Around, make_searcher, restore
from fertune.searchers.sprint import SprintSearcher
from fertune.searching.racing import FoldRacing
from fertune.space import Choice, Float, Int, Space
from fertune.testing.searchers import ACCURACY, LOSS, failed
from fertune.trial import Complete, Objective, Outcome, Pruned, Searcher, Suggestion, Wait

PARAMS = [Int("width", 8, 64), Float("rate", 1e-4, 1e-2, log=True), Choice("kind", ["a", "b"])]
START = {"width": 32, "rate": 1e-3, "kind": "a"}
BARE = Space("bare", PARAMS)
SPACE = Space("with_start", PARAMS, start=[START])
ROWS = 28_709


@dataclass
class Machine:
    """Workers in virtual time; a piece with ``seconds`` takes as many whole epochs as fit, one at least.

    Attributes:
        speed: Pictures a second of one worker; three times as many where it is alone.
        begin: Seconds that the first piece of a worker waits.
        overhead: Seconds of each piece beside its epochs.
    """

    budget: float
    workers: int = 4
    speed: float = 130.0
    begin: float = 8.0
    overhead: float = 4.0
    now: float = 0.0
    value: Callable[[Suggestion], float] = lambda piece: 0.3 + 0.001 * (piece.ticket % 3)
    fails: Callable[[Suggestion], bool] = lambda piece: False
    pieces: list[tuple[Suggestion, float, float, Outcome]] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)
    reason: str = ""

    def around(self) -> Around:
        return Around(time_left=lambda: self.budget - self.now, rows=ROWS)

    def play(self, searcher: Searcher, until: float = math.inf) -> Machine:
        """To the end, or to the first end of a piece after ``until`` or the budget, which is not told."""
        running: list[tuple[float, int, Suggestion, float]] = []
        while True:
            answer = searcher.ask() if len(running) < self.workers else Wait()
            if isinstance(answer, Suggestion):
                assert not answer.alone or not running, "it is not alone"
                self.calls.append(("ask", answer))
                heapq.heappush(running, (self.now + self._lasts(answer), answer.ticket, answer, self.now))
                continue
            if not isinstance(answer, Wait) and not running:
                self.reason = answer.reason
                return self
            end, _, piece, begun = heapq.heappop(running)
            self.now = end
            if self.now > min(self.budget, until):
                return self
            outcome = self._ends(searcher, piece)
            self.pieces.append((piece, begun, end, outcome))
            self.calls.append(("tell", piece.ticket, outcome))
            searcher.tell(piece.ticket, outcome)
        return self

    def _lasts(self, piece: Suggestion) -> float:
        if self.fails(piece):
            return self.overhead
        wait = self.begin if self.now < self.begin else 0.0
        epoch = ROWS * piece.share / (self.speed * (3 if piece.alone else 1))
        epochs = piece.budget
        if piece.seconds is not None:
            epochs = max(1, min(piece.budget, int((piece.seconds - self.overhead) / epoch)))
        return wait + self.overhead + epochs * epoch

    def _ends(self, searcher: Searcher, piece: Suggestion) -> Outcome:
        if self.fails(piece):
            return failed()
        going = searcher.report(piece.ticket, 1, self.value(piece))
        return Complete(self.value(piece)) if going else Pruned(self.value(piece))

    @property
    def finals(self) -> list[tuple[Suggestion, float, float, Outcome]]:
        return [p for p in self.pieces if p[0].alone]


def sprint(
    machine: Machine, space: Space = SPACE, objective: Objective = ACCURACY, seed: int = 0, **options: Any
) -> SprintSearcher:
    given = {"trials": None, "max_epochs": 30, **options}
    made = make_searcher("sprint", space, objective=objective, seed=seed, around=machine.around(), **given)
    assert isinstance(made, SprintSearcher)
    return made


def by_params(better: Mapping[str, Any], gain: float, base: float = 0.35) -> Callable[[Suggestion], float]:
    return lambda piece: base + (gain if all(piece.params[k] == v for k, v in better.items()) else 0.0)


@pytest.mark.parametrize("speed", [60.0, 130.0, 400.0])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_quarter_of_an_hour_on_slow_cores_is_one_training_of_the_start(speed: float, workers: int):
    machine = Machine(900.0, workers=workers, speed=speed)
    machine.play(sprint(machine))
    final, begun, end, outcome = machine.pieces[0]
    assert final.params == START and final.alone and isinstance(outcome, Complete)
    assert final.share == 1.0 and final.seconds is not None and final.seconds >= 0.97 * 900
    assert end < 900 and begun + final.seconds <= 900


def test_what_the_start_leaves_goes_to_looks_and_to_the_best_of_them():
    machine = Machine(3600.0, speed=800.0, value=by_params({"kind": "b"}, 0.08))
    machine.play(sprint(machine))
    first, *looks = [p for p in machine.pieces if p[1] < machine.finals[1][1]]
    assert first[0].params == START and first[0].alone
    assert looks and all(p[0].share < 0.2 and not p[0].alone for p in looks)
    assert sum(p[2] - p[1] for p in looks) / 4 < 0.25 * (3600 - first[2])
    assert machine.finals[1][0].params["kind"] == "b" and machine.finals[1][0].continues is not None
    machine = Machine(3600.0, speed=800.0, value=by_params({"kind": "b"}, -0.3, base=1.5))
    machine.play(sprint(machine, objective=LOSS))
    assert machine.finals[1][0].params["kind"] == "b"


def test_a_space_without_a_start_trains_the_best_of_the_longest_looks():
    machine = Machine(900.0, value=lambda piece: 0.3 + float(piece.params["width"]) / 1000)
    machine.play(sprint(machine, BARE))
    looked = [p[0] for p in machine.pieces if p[0].tags["rung"] == 1]
    assert machine.finals[0][0].params["width"] == max(p.params["width"] for p in looked)


def test_a_second_start_is_looked_at_before_any_that_is_drawn():
    space = Space("two", PARAMS, start=[START, {**START, "kind": "b"}])
    machine = Machine(3600.0, speed=800.0)
    machine.play(sprint(machine, space))
    assert [p[0].params for p in machine.pieces[:1]] == [START]
    assert machine.calls[2][1].params == {**START, "kind": "b"} and machine.calls[2][1].share < 1


@pytest.mark.parametrize("options", [{}, {"trials": 1}])
def test_little_time_or_one_trial_is_one_training(options: dict[str, Any]):
    machine = Machine(50.0 if not options else 900.0, speed=1000.0, begin=2.0)
    first = sprint(machine, **options).ask()
    assert isinstance(first, Suggestion) and first.alone and first.params == START and first.continues is None
    assert first.seconds == pytest.approx(machine.budget - (2.0 if not options else 13.5))


def test_looks_come_first_only_where_no_start_is_known():
    for space, looks in ((SPACE, False), (BARE, True)):
        first = sprint(Machine(200.0), space).ask()
        assert isinstance(first, Suggestion) and (first.share < 1) is looks


def test_where_no_look_came_to_its_end_the_best_of_those_broken_off_is_trained():
    machine = Machine(300.0, speed=20.0, begin=20.0, value=lambda piece: 0.2 + float(piece.params["width"]) / 1000)
    machine.play(sprint(machine, BARE), until=200.0)
    looked = [p[0] for p in machine.pieces]
    assert looked and all(isinstance(p[3], Pruned) for p in machine.pieces)
    final = machine.calls[-1][1]
    assert final.alone and final.params["width"] == max(p.params["width"] for p in looked)
    assert final.continues in {p.ticket for p in looked}


def test_a_failed_training_leaves_the_rest_to_the_best_of_others_and_what_fails_in_a_look_is_not_chosen():
    machine = Machine(
        900.0, fails=lambda piece: piece.params == START or piece.params["kind"] == "b" and not piece.alone
    )
    machine.play(sprint(machine))
    second = next(p for p in machine.finals if p[0].params != START)
    assert second[0].params["kind"] == "a" and second[0].continues is not None
    assert second[0].seconds == pytest.approx(900 - second[1] - 13.5)
    machine = Machine(900.0, fails=lambda piece: piece.alone and piece.ticket < 20)
    machine.play(sprint(machine, BARE, max_epochs=3))
    first, second = machine.finals[:2]
    assert second[0].continues is not None, "one that was looked at comes before a new one"
    assert second[0].seconds == pytest.approx(900 - first[2] - 13.5)


def test_when_everything_fails_it_ends():
    machine = Machine(900.0, fails=lambda piece: True)
    machine.play(sprint(machine, trials=12))
    assert machine.reason == "all 12 trials were asked for"
    machine = Machine(900.0, fails=lambda piece: True)
    assert machine.play(sprint(machine)).now >= 890
    assert all(p[0].seconds or 0 for p in machine.pieces)


def test_a_fast_machine_trains_one_after_another_to_the_end_until_the_time_is_spent():
    machine = Machine(3600.0, speed=5000.0)
    machine.play(sprint(machine))
    assert len(machine.finals) > 3
    assert len({SPACE.key(p[0].params) for p in machine.finals}) == len(machine.finals)
    assert machine.reason == "the time is spent" and 3600 * 0.85 < machine.now < 3600
    assert 3600 - machine.now < max(360, (machine.finals[0][2] - machine.finals[0][1]) / 2)
    assert all(p[2] - p[1] < (p[0].seconds or 0) for p in machine.finals), "max_epochs were enough"


def test_a_look_that_outlasts_the_looking_time_is_broken_off():
    machine = Machine(900.0, speed=25.0)
    machine.play(sprint(machine, BARE))
    late = [p for p in machine.pieces if p[2] > 0.17 * 900 and not p[0].alone]
    assert late and all(isinstance(p[3], Pruned) for p in late)


def test_killed_at_any_time_it_goes_on_with_a_new_budget():
    for killed in (30.0, 90.0, 140.0, 200.0):
        machine = Machine(900.0)
        machine.play(sprint(machine), until=killed)
        again = Machine(600.0)
        told = {call[1] for call in machine.calls if call[0] == "tell"}
        calls = [call for call in machine.calls if call[0] == "tell" or call[1].ticket in told]
        searcher = sprint(again)
        restore(searcher, calls)
        again.play(searcher)
        assert again.finals and again.finals[0][0].params == START
        assert len({p[0].ticket for p in (*machine.pieces, *again.pieces)}) == len(machine.pieces) + len(again.pieces)


def test_after_a_final_another_session_trains_the_next_best():
    machine = Machine(900.0, value=lambda piece: 0.3 + float(piece.params["width"]) / 10_000)
    machine.play(sprint(machine))
    again = Machine(300.0)
    searcher = sprint(again)
    restore(searcher, machine.calls)
    again.play(searcher)
    assert again.pieces[0][0].share < 1
    assert again.finals and all(p[0].params != START for p in again.finals)


def test_behind_cross_validation_looks_take_one_fold_and_the_final_takes_all():
    machine = Machine(900.0)
    racing = FoldRacing(sprint(machine), folds=4, slots=4)
    machine.play(racing)
    finals = [p[0] for p in machine.pieces if p[0].share == 1.0]
    assert [p.fold for p in finals[:4]] == [0, 1, 2, 3] and not any(p.alone for p in finals)
    assert all(p[0].fold == 0 for p in machine.pieces if p[0].share < 1.0)


def test_it_needs_a_time_budget():
    with pytest.raises(ConfigError, match="give --time-budget"):
        SearchOptions(tuner="sprint").check()
