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
ROWS, WATCHED = 28_709, 3_589


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
        return Around(time_left=lambda: self.budget - self.now, rows=ROWS, watched=WATCHED)

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
def test_a_quarter_of_an_hour_on_slow_cores_is_mostly_the_final(speed: float, workers: int):
    machine = Machine(900.0, workers=workers, speed=speed)
    machine.play(sprint(machine))
    final, begun, end, outcome = machine.finals[0]
    assert final.params == START and isinstance(outcome, Complete)
    assert final.share == 1.0 and final.seconds is not None and final.seconds >= 0.78 * 900
    assert end < 900 and begun + final.seconds <= 900
    probes = [p for p in machine.pieces if not p[0].alone]
    assert probes and all(p[0].share < 0.2 for p in probes)


def test_a_clear_gain_displaces_the_start_and_noise_does_not():
    for gain, wins in ((0.02, False), (0.08, True)):
        machine = Machine(900.0, value=by_params({"kind": "b"}, gain))
        machine.play(sprint(machine))
        assert any(p[0].params["kind"] == "b" and p[0].tags["rung"] == 1 for p in machine.pieces)
        assert (machine.finals[0][0].params["kind"] == "b") is wins
    machine = Machine(900.0, value=by_params({"kind": "b"}, -0.3, base=1.5))
    machine.play(sprint(machine, objective=LOSS))
    assert machine.finals[0][0].params["kind"] == "b"


def test_a_space_without_a_start_trains_the_best_of_the_longest_looks():
    machine = Machine(900.0, value=lambda piece: 0.3 + float(piece.params["width"]) / 1000)
    machine.play(sprint(machine, BARE))
    looked = [p[0] for p in machine.pieces if p[0].tags["rung"] == 1]
    assert machine.finals[0][0].params["width"] == max(p.params["width"] for p in looked)


def test_the_leading_start_is_the_one_that_did_best_in_its_looks():
    space = Space("two", PARAMS, start=[START, {**START, "kind": "b"}])
    machine = Machine(900.0, value=by_params({**START, "kind": "b"}, 0.01))
    machine.play(sprint(machine, space))
    assert machine.finals[0][0].params == {**START, "kind": "b"}


@pytest.mark.parametrize("options", [{}, {"trials": 1}])
def test_little_time_or_one_trial_is_one_training(options: dict[str, Any]):
    machine = Machine(50.0 if not options else 900.0, speed=1000.0, begin=2.0)
    first = sprint(machine, **options).ask()
    assert isinstance(first, Suggestion) and first.alone and first.params == START and first.continues is None
    assert first.seconds == pytest.approx(machine.budget - (2.0 if not options else 13.5))


def test_minutes_are_probed_only_where_no_start_is_known():
    for space, probed in ((SPACE, False), (BARE, True)):
        first = sprint(Machine(200.0), space).ask()
        assert isinstance(first, Suggestion) and (first.share < 1) is probed


def test_where_no_look_came_to_its_end_the_best_of_those_broken_off_is_trained():
    machine = Machine(300.0, speed=20.0, begin=20.0, value=lambda piece: 0.2 + float(piece.params["width"]) / 1000)
    machine.play(sprint(machine, BARE), until=200.0)
    looked = [p[0] for p in machine.pieces]
    assert looked and all(isinstance(p[3], Pruned) for p in machine.pieces)
    final = machine.calls[-1][1]
    assert final.alone and final.params["width"] == max(p.params["width"] for p in looked)
    assert final.continues in {p.ticket for p in looked}


def test_what_fails_in_a_look_is_not_chosen_and_a_failed_final_leaves_the_rest_to_the_next():
    machine = Machine(900.0, fails=lambda piece: piece.params == START)
    machine.play(sprint(machine))
    assert machine.finals and machine.finals[0][0].params != START
    machine = Machine(900.0, fails=lambda piece: piece.alone and piece.params == START)
    machine.play(sprint(machine, max_epochs=3))
    first, second = machine.finals[:2]
    assert first[0].params == START and second[0].params != START
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


def test_a_look_that_outlasts_the_probing_time_is_broken_off():
    machine = Machine(900.0, speed=25.0)
    machine.play(sprint(machine))
    late = [p for p in machine.pieces if p[2] > 0.17 * 900 and not p[0].alone]
    assert late and all(isinstance(p[3], Pruned) for p in late)
    assert machine.finals[0][0].params == START


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
    piece = searcher.ask()
    assert isinstance(piece, Suggestion) and piece.alone and piece.params != START
    assert piece.continues is not None and piece.seconds == pytest.approx(300 - 4.5)


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
