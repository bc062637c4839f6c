"""Engines that begin with trials of an earlier run."""

from __future__ import annotations

from typing import Any

import pytest

from fertune.errors import ConfigError
from fertune.searchers import make_searcher, restore
from fertune.searching import read_progress
from fertune.space import Choice, Float, Int, Space
from fertune.store.known_trials import known_line
from fertune.store.trials import Trials
from fertune.testing import drive
from fertune.trial import OBJECTIVES, Complete, Exhausted, Failure, FailureKind, Rung, State, Suggestion, Trial

SMALL = Space("small", [Int("a", 0, 4), Choice("b", ["x", "y"])])
WIDE = Space("wide", [Float("rate", 0.0, 1.0), Int("units", 8, 64)])
OPTIONS: dict[str, Any] = {"objective": OBJECTIVES["val_accuracy"], "seed": 1, "max_epochs": 3}
BAYESIAN = pytest.param("bayesian", marks=pytest.mark.slow)
ENGINES = ["random", "grid", "tpe", "qmc", "hyperband", "asha", BAYESIAN]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_known_is_not_suggested_again_and_does_not_count(engine: str) -> None:
    points = list(SMALL.points())
    searcher = make_searcher(engine, SMALL, trials=4, **OPTIONS)
    for i, params in enumerate(points[:5]):
        searcher.learn(params, Complete(i / 10))
    played = drive(searcher)
    keys = {SMALL.key(s.params) for s in played.new}
    assert len(keys) == 4 and not keys & {SMALL.key(p) for p in points[:5]}


@pytest.mark.parametrize("engine", ["random", "grid", "tpe", BAYESIAN])
def test_a_finite_space_ends_when_the_rest_was_tried(engine: str) -> None:
    points = list(SMALL.points())
    searcher = make_searcher(engine, SMALL, trials=None, **OPTIONS)
    for params in points[:7]:
        searcher.learn(params, Complete(0.5))
    played = drive(searcher)
    assert sorted(SMALL.key(s.params) for s in played.new) == sorted(SMALL.key(p) for p in points[7:])


@pytest.mark.parametrize("engine", ["tpe", BAYESIAN])
def test_a_model_learns_of_what_is_known(engine: str) -> None:
    """Twenty trials that are the better the nearer their rate is to 0.2: the first suggestions lie there."""
    searcher = make_searcher(engine, WIDE, trials=4, **OPTIONS)
    for i in range(20):
        searcher.learn({"rate": i / 20, "units": 8 + i}, Complete(1 - abs(i / 20 - 0.2)))
    rates = []
    for _ in range(4):
        made = searcher.ask()
        assert isinstance(made, Suggestion)
        rates.append(float(made.params["rate"]))
        searcher.tell(made.ticket, Complete(1 - abs(rates[-1] - 0.2)))
    assert sum(abs(r - 0.2) < 0.3 for r in rates) >= 3
    assert isinstance(searcher.ask(), Exhausted)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_warm_search_is_restored_from_its_journal(engine: str) -> None:
    known = [("known", p, Complete(0.1 * i)) for i, p in enumerate(list(SMALL.points())[:3])]
    quiet = make_searcher(engine, SMALL, trials=5, **OPTIONS)
    restore(quiet, known)
    whole = drive(quiet, seed=3)
    broken = make_searcher(engine, SMALL, trials=5, **OPTIONS)
    restore(broken, known)
    part = drive(broken, seed=3, steps=3)
    again = make_searcher(engine, SMALL, trials=5, **OPTIONS)
    restore(again, [*known, *part.calls])
    following = [s for s in whole.suggestions if s.ticket == len(part.suggestions)]
    for piece in list(part.open):
        again.tell(piece.ticket, whole.outcomes[piece.ticket])
    made = again.ask()
    assert isinstance(made, Suggestion) and made.ticket == len(part.suggestions)
    if engine in ("random", "grid"):
        assert made.params == following[0].params


def test_a_searcher_that_cannot_learn_says_so() -> None:
    class Own:
        def ask(self) -> Exhausted:
            return Exhausted("x")

        def report(self, ticket: int, step: int, value: float) -> bool:
            return True

        def tell(self, ticket: int, outcome: Any) -> None:
            return

    with pytest.raises(ConfigError, match="no learn"):
        restore(Own(), [("known", {"a": 1}, Complete(0.5))])


def test_known_trials_stand_in_the_journal_as_trials() -> None:
    row = {"epoch": 1, "value": 0.4, "loss": 1.0}
    old = Trial(
        7,
        {"a": 1, "b": "x"},
        State.COMPLETED,
        (Rung(3, {}, 0.4, 3, 12.5),),
        (row,),
        0.4,
        1,
        1234,
        values={"val_accuracy": 0.4},
    )
    line = {"event": "known", "time": 5.0, "trials": known_line([(old.but(id=0), "runs/old")])}
    line["trials"][0]["origin"]["trial"] = 7
    (trial,) = Trials([line]).all()
    assert (trial.id, trial.value, trial.seconds, trial.history) == (0, 0.4, 12.5, (row,))
    assert trial.note == "known from runs/old 7" and trial.state is State.COMPLETED
    assert read_progress([line]).calls == [("known", {"a": 1, "b": "x"}, Complete(0.4))]


def test_failures_teach_a_study_nothing() -> None:
    searcher = make_searcher("tpe", SMALL, trials=2, **OPTIONS)
    searcher.learn({"a": 1, "b": "x"}, Failure(FailureKind.NAN_LOSS, "x"))
    assert searcher.asked == 0 and isinstance(searcher.ask(), Suggestion)
