"""TPE and the pruners: what a rebuilt study must equal, repeats, pruning, silence."""

from __future__ import annotations

import builtins
import logging
import math
import warnings
from typing import Any

import pytest

from fertune.errors import MissingPackage, RunError
from fertune.searchers import Restored, make_searcher, restore
from fertune.searchers.optuna import TpeSearcher, coded, decoded
from fertune.space import Bool, Choice, Float, Space
from fertune.testing.searchers import ACCURACY, FOUR, LOSS, WIDE, Played, drive, failed
from fertune.trial import Complete, Pruned, Suggestion

PRUNERS = ["none", "median", "hyperband", "asha"]


def tpe(space: Space = WIDE, **options: Any) -> TpeSearcher:
    made = make_searcher(
        "tpe", space, **{"objective": ACCURACY, "seed": 0, "trials": 60, "max_epochs": 9, "pruner": "none", **options}
    )
    assert isinstance(made, TpeSearcher)
    return made


def good(params: Any) -> float:
    """1 at rate 1e-3 and dropout 0.3, less elsewhere."""
    return 1 - abs(math.log10(params["rate"]) + 3) / 2 - abs(params["dropout"] - 0.3)


def test_it_learns():
    played = drive(tpe(seed=1), value=good)
    values = [good(s.params) for s in played.suggestions]
    assert sum(values[-20:]) / 20 > sum(values[:20]) / 20 + 0.1


def test_it_learns_where_less_is_better():
    played = drive(tpe(seed=1, objective=LOSS), value=lambda p: 2 - good(p), objective=LOSS)
    values = [good(s.params) for s in played.suggestions]
    assert sum(values[-20:]) / 20 > sum(values[:20]) / 20 + 0.1


@pytest.mark.parametrize("pruner", PRUNERS)
@pytest.mark.parametrize("workers", [1, 4])
def test_after_the_random_start_a_rebuilt_study_goes_on_as_the_undisturbed_one(pruner: str, workers: int):
    """Deep enough that TPE's model, its groups and its running trials all matter."""
    searcher = tpe(pruner=pruner, seed=7)
    played = drive(searcher, workers=workers, seed=3, fail=0.2, steps=35, value=good)
    again = tpe(pruner=pruner, seed=7)
    restore(again, played.calls)
    for _ in range(5):
        one, two = searcher.ask(), again.ask()
        assert one == two and isinstance(one, Suggestion)
        for step in (1, 2, 3, 4):
            assert searcher.report(one.ticket, step, 0.4) == again.report(one.ticket, step, 0.4)
        searcher.tell(one.ticket, Complete(0.4))
        again.tell(one.ticket, Complete(0.4))
    assert [t.system_attrs.get("completed_rung_0") for t in again._study.trials] == [
        t.system_attrs.get("completed_rung_0") for t in searcher._study.trials
    ]


def test_two_in_flight_do_not_repeat_each_other_and_seeds_differ_between_asks():
    searcher = tpe()
    pieces = [searcher.ask() for _ in range(20)]
    assert len({WIDE.key(p.params) for p in pieces if isinstance(p, Suggestion)}) == 20


def test_repeats_are_asked_again_and_leave_only_their_number():
    space = Space("few", [Choice("a", [1, 2, 3]), Bool("b"), Choice("c", ["x", "y"])])
    searcher = tpe(space, trials=40, seed=2)
    played = drive(searcher, value=lambda p: float(p["a"]))
    assert len(played.suggestions) == 12 == space.size()
    numbers = [s.tags.get("number", s.ticket) for s in played.suggestions]
    assert numbers == sorted(numbers) and numbers[-1] > 11, "this seed shall repeat, or the test shows nothing"
    states = [t.state.name for t in searcher._study.trials]
    assert states.count("COMPLETE") == 12 and set(states) == {"COMPLETE", "FAIL"}
    again = tpe(space, trials=40, seed=2)
    restore(again, played.calls)
    assert [t.state.name for t in again._study.trials] == states[: numbers[-1] + 1]


@pytest.mark.parametrize("pruner", ["median", "hyperband", "asha"])
@pytest.mark.parametrize("objective", [ACCURACY, LOSS], ids=lambda o: o.direction)
def test_a_pruner_stops_the_bad_and_spares_the_good(pruner: str, objective: Any):
    searcher = tpe(pruner=pruner, trials=None, objective=objective)
    sign = 1 if objective.direction == "max" else -1
    stopped = {"good": 0, "bad": 0}
    for i in range(40):
        piece = searcher.ask()
        assert isinstance(piece, Suggestion)
        kind = "bad" if i % 2 else "good"
        level = sign * ((0.9 + i / 1000) if kind == "good" else 0.1)
        for step in range(1, 10):
            if not searcher.report(piece.ticket, step, level):
                stopped[kind] += 1
                searcher.tell(piece.ticket, Pruned(level))
                break
        else:
            searcher.tell(piece.ticket, Complete(level))
    assert stopped["bad"] >= 10 and stopped["good"] <= 3, stopped


def test_without_a_pruner_nothing_is_stopped():
    searcher = tpe()
    for value in (0.9, 0.9, 0.9, 0.0):
        piece = searcher.ask()
        assert isinstance(piece, Suggestion)
        assert all(searcher.report(piece.ticket, step, value) for step in range(1, 10))
        searcher.tell(piece.ticket, Complete(value))


def test_a_trial_that_is_trained_again_reports_its_epochs_again_without_harm():
    searcher = tpe(pruner="asha")
    piece = searcher.ask()
    assert isinstance(piece, Suggestion)
    for _ in range(2):
        assert [searcher.report(piece.ticket, step, 0.5) for step in (1, 2, 3)] == [True] * 3
    assert searcher._study.trials[0].intermediate_values == {1: 0.5, 2: 0.5, 3: 0.5}


def test_failures_are_failures_of_the_study_and_teach_it_nothing():
    searcher = tpe()
    played = drive(searcher, fail=1.0, steps=15)
    assert len(played.suggestions) == 15
    assert {t.state.name for t in searcher._study.trials[:14]} == {"FAIL"}


def test_rebuilding_refuses_what_is_not_of_this_search():
    with pytest.raises(RunError, match="trial 0 is not of this search") as caught:
        tpe(FOUR).restore([Restored(Suggestion(0, {"a": 3, "b": True}, 9))])
    assert caught.value.details == ("a: 3 is not one of 1, 2",)
    with pytest.raises(RunError, match="trial 0"):
        tpe(FOUR).restore([Restored(Suggestion(1, {"a": 1, "b": True}, 9))])
    used = tpe(FOUR)
    used.ask()
    with pytest.raises(RuntimeError, match="before it is asked"):
        used.restore([])


def test_running_and_failed_trials_are_rebuilt_too():
    records = [
        Restored(Suggestion(0, {"a": 1, "b": True}, 9), ((1, 0.5),), Complete(0.5)),
        Restored(Suggestion(1, {"a": 1, "b": False}, 9), (), failed()),
        Restored(Suggestion(2, {"a": 2, "b": False}, 9, tags={"number": 4})),
    ]
    searcher = tpe(FOUR, trials=9)
    searcher.restore(records)
    assert [t.state.name for t in searcher._study.trials] == ["COMPLETE", "FAIL", "FAIL", "FAIL", "RUNNING"]
    searcher.tell(2, Complete(0.1))
    last = searcher.ask()
    assert isinstance(last, Suggestion) and last.params == {"a": 2, "b": True} and last.ticket == 3


def test_stepped_floats_travel_by_index():
    param = Float("d", 0.1, 0.5, step=0.1)
    assert [coded(param, v) for v in param.values()] == [0, 1, 2, 3, 4]
    assert [decoded(param, i) for i in range(5)] == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_it_says_nothing(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.INFO)
    before = optuna.logging.get_verbosity()
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        drive(tpe(pruner="hyperband", trials=12), fail=0.2)
    assert [str(w.message) for w in caught] == []
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


def test_a_missing_package_ends_with_the_install_line(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackage, match="'optuna' is not installed") as caught:
        tpe()
    assert caught.value.help == 'pip install "fertune[cpu]"'


def test_the_rebuilt_trials_have_their_reports():
    searcher = tpe(pruner="median")
    played = drive(searcher, steps=6, workers=2, seed=4)
    again = tpe(pruner="median")
    restore(again, played.calls)
    assert [t.intermediate_values for t in again._study.trials] == [
        t.intermediate_values for t in searcher._study.trials
    ]
    assert isinstance(played, Played)
