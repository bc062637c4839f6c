"""Fold racing over scripted training: which folds are trained, what the engine hears, and that a killed run resumes."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fertune.errors import ConfigError, RunError
from fertune.searchers import make_searcher, restore
from fertune.searching import Search
from fertune.searching.loop import BEHIND
from fertune.searching.racing import FoldRacing
from fertune.space import Choice, Float, Int, Space
from fertune.trial import (
    Complete,
    Exhausted,
    Failure,
    FailureKind,
    Pruned,
    State,
    Suggestion,
    TrainResult,
    Trial,
    Wait,
)
from tests.racing.played import ACCURACY, FOLDS, Line, play, play_on, trained, worth

SPACE = Space("s", [Int("x", 0, 400), Float("rate", 1e-4, 1e-1, log=True), Choice("kind", ["a", "b"])])


def weigh(trial: Trial, suggestion: Suggestion, result: TrainResult) -> TrainResult:
    """Below 0.4 a configuration is weak on sight, below 0.6 after two folds."""
    value = worth(suggestion.params, suggestion.fold or 0)
    weak = value < 0.4 or value < 0.6 and suggestion.fold == 1
    return replace(result, value=value, **({"ended_by": BEHIND, "note": "behind"} if weak else {}))


def race(path: Path, engine: str, *, trials: int = 9, **more: Any) -> tuple[Search, list[Line]]:
    """Some fail, and seconds differ."""
    return play(
        path,
        make_searcher(engine, SPACE, objective=ACCURACY, seed=0, trials=trials, max_epochs=2),
        trials=trials,
        weigh=weigh,
        fails=lambda job: Failure(FailureKind.NAN_LOSS, "scripted") if job.params["x"] % 11 == 7 else None,
        seconds=lambda job, step: 1 + (job.params["x"] * 7 % 5),
        **more,
    )


@pytest.mark.parametrize("engine", ["random", "tpe", "grid", pytest.param("bayesian", marks=pytest.mark.slow)])
@pytest.mark.parametrize("slots", [1, 4])
def test_weak_ones_stop_and_the_others_get_every_fold(tmp_path: Path, engine: str, slots: int) -> None:
    search, lines = race(tmp_path, engine, slots=slots)
    trials = search.trials.all()
    assert len(trials) == 9
    for t in trials:
        if t.state is State.FAILED:
            continue
        values = [worth(t.params, i) for i in range(FOLDS)]
        if values[0] < 0.4:
            assert t.state is State.PRUNED and t.folds_done == 0 and t.value == values[0]
        elif values[1] < 0.6:
            # the third fold may have run beside the second one where a worker was idle
            assert t.state is State.PRUNED and t.folds[1].outcome == "pruned"
        else:
            assert t.state is State.COMPLETED and t.folds_done == FOLDS
            assert t.value == pytest.approx(sum(values) / FOLDS) and t.spread == pytest.approx(0.001)
    asked = Counter((line["trial"], line["fold"]) for line in lines if line["event"] == "asked")
    assert set(asked.values()) == {1}, "no fold is asked for twice"
    best = search.best
    assert best is not None and best.state is State.COMPLETED
    if slots == 1:
        assert all(len(t.folds) <= 2 for t in trials if t.state is State.PRUNED)


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("engine", ["random", "tpe"])
def test_killed_at_random_instants_it_ends_as_if_undisturbed(tmp_path: Path, engine: str, slots: int) -> None:
    chance = random.Random(7)

    def killed() -> tuple[Search, list[Line]]:
        return race(tmp_path / "killed", engine, slots=slots, chance=chance)

    quiet, _ = race(tmp_path / "quiet", engine, slots=slots)
    search, lines = play_on(killed)
    asked = Counter((line["trial"], line["fold"]) for line in lines if line["event"] == "asked")
    assert set(asked.values()) == {1}
    keys = [SPACE.key(t.params) for t in search.trials.all()]
    assert len(keys) == len(set(keys)) == 9
    if slots == 1:
        assert trained(search) == trained(quiet)


def test_a_resumed_run_may_have_more_trials(tmp_path: Path) -> None:
    race(tmp_path, "random", trials=4)
    search, _ = race(tmp_path, "random", trials=6)
    whole, _ = race(tmp_path / "whole", "random", trials=6)
    assert trained(search) == trained(whole)


class Engine:
    """Says what it is given, and keeps what it is told."""

    def __init__(self, *suggestions: Suggestion) -> None:
        self.left, self.told, self.heard = list(suggestions), {}, []

    def ask(self) -> Suggestion | Wait | Exhausted:
        return self.left.pop(0) if self.left else Exhausted("scripted end")

    def report(self, ticket: int, step: int, value: float) -> bool:
        self.heard.append((ticket, step))
        return value > 0

    def tell(self, ticket: int, outcome: Any) -> None:
        assert ticket not in self.told
        self.told[ticket] = outcome


def one(ticket: int = 0, **more: Any) -> Suggestion:
    return Suggestion(ticket, {"x": ticket}, 2, **more)


def test_the_engine_is_told_the_mean_and_only_once() -> None:
    engine = Engine(one())
    racing = FoldRacing(engine, folds=2)
    first = racing.ask()
    assert isinstance(first, Suggestion) and (first.fold, first.continues) == (0, None)
    racing.tell(first.ticket, Complete(0.4))
    assert engine.told == {}
    second = racing.ask()
    assert isinstance(second, Suggestion) and (second.fold, second.continues) == (1, first.ticket)
    racing.tell(second.ticket, Complete(0.6))
    assert engine.told == {0: Complete(0.5)}
    assert isinstance(racing.ask(), Exhausted)


def test_folds_run_side_by_side_where_workers_would_be_idle_and_end_with_their_trial() -> None:
    engine = Engine(one())
    racing = FoldRacing(engine, folds=3, slots=3)
    pieces = [racing.ask() for _ in range(3)]
    assert [p.fold for p in pieces if isinstance(p, Suggestion)] == [0, 1, 2]
    assert isinstance(racing.ask(), Wait)
    assert racing.report(0, 1, 0.1) and racing.report(1, 1, 0.1)
    assert engine.heard == [(0, 1)], "the epochs of fold 0 only"
    racing.tell(0, Pruned(0.2))
    assert not racing.report(1, 2, 0.1) and not racing.report(2, 1, 0.1)
    racing.tell(1, Pruned(0.9))
    assert engine.told == {}
    racing.tell(2, Pruned(0.9))
    assert engine.told == {0: Pruned(0.2)}, "what was broken off counts for nothing"


def test_a_failed_fold_fails_the_configuration() -> None:
    engine = Engine(one(), one(1))
    racing = FoldRacing(engine, folds=3)
    racing.ask()
    racing.tell(0, Complete(0.5))
    racing.ask()
    failure = Failure(FailureKind.NAN_LOSS, "x")
    racing.tell(1, failure)
    assert engine.told == {0: failure}
    following = racing.ask()
    assert isinstance(following, Suggestion) and following.params == {"x": 1}


def test_a_probe_has_one_fold_and_a_long_training_all_at_once_in_its_time() -> None:
    engine = Engine(one(share=0.1), one(1, continues=0, alone=True, seconds=100.0))
    racing = FoldRacing(engine, folds=3, slots=2)
    probe = racing.ask()
    assert isinstance(probe, Suggestion) and (probe.fold, probe.tags, probe.share) == (0, {"fold": 0, "of": 1}, 0.1)
    racing.tell(0, Complete(0.3))
    assert engine.told == {0: Complete(0.3)}
    pieces = [racing.ask() for _ in range(3)]
    assert [(p.fold, p.alone, p.seconds, p.continues) for p in pieces if isinstance(p, Suggestion)] == [
        (0, False, 50.0, 0), (1, False, 50.0, 1), (2, False, 50.0, 1),
    ]  # fmt: skip


def test_promotions_are_refused() -> None:
    racing = FoldRacing(Engine(one(), one(1, continues=0)), folds=2)
    for ticket in (0, 1):
        racing.ask()
        racing.tell(ticket, Complete(0.5))
    with pytest.raises(RunError, match="which --cv does not do"):
        racing.ask()


def test_what_an_engine_cannot_learn_is_said() -> None:
    with pytest.raises(ConfigError, match="--warm-start"):
        FoldRacing(Engine(), folds=2).learn({"x": 1}, Complete(0.5))


def test_probes_and_long_trainings_are_replayed() -> None:
    def script() -> tuple[Suggestion, ...]:
        probe = one(share=0.1, tags={"rung": 0})
        long = Suggestion(1, {"x": 0}, 2, continues=0, alone=True, seconds=100.0, tags={"rung": 2})
        return probe, long, one(2, tags={"rung": 0}, share=0.1)

    engine = Engine(*script())
    racing, calls = FoldRacing(engine, folds=3, slots=2), []
    for outcome in (Complete(0.3), Complete(0.5), Complete(0.6)):
        piece = racing.ask()
        assert isinstance(piece, Suggestion)
        racing.report(piece.ticket, 1, 0.2)
        racing.tell(piece.ticket, outcome)
        calls += [("ask", piece), ("report", piece.ticket, 1, 0.2), ("tell", piece.ticket, outcome)]
    fresh = Engine(*script())
    again = FoldRacing(fresh, folds=3, slots=2)
    restore(again, calls)
    assert fresh.told == engine.told == {0: Complete(0.3)} and fresh.heard == engine.heard
    assert again.ask() == racing.ask()
    for one_of_two in (racing, again):
        one_of_two.tell(3, Complete(0.7))
    assert fresh.told == engine.told and fresh.told[1] == Complete(pytest.approx(0.6))
    assert again.ask() == racing.ask()
