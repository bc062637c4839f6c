"""Rungs that train anew, from the journal to the leaderboard; which engine a search has; what stops by itself."""

from __future__ import annotations

from typing import Any

import pytest

from fertune.api.resuming import new_options, resumed_options
from fertune.config import DEFAULT_MAX_EPOCHS, DEFAULT_TRIALS, SPRINT_MAX_EPOCHS
from fertune.errors import ConfigError
from fertune.searching import read_progress
from fertune.space import Bool, Space
from fertune.store.trials import Trials
from fertune.testing.searchers import ACCURACY
from fertune.trial import Complete, State

SPACE = Space("two", [Bool("a")], tuner="tpe")


def asked(trial: int, ticket: int, **more: Any) -> dict[str, Any]:
    line = {"event": "asked", "time": 1.0, "trial": trial, "ticket": ticket, "params": {"a": bool(trial)}}
    return line | {"budget": 3, "continues": None, "tags": {"rung": 0}} | more


def epoch(trial: int, ticket: int, step: int, value: float) -> dict[str, Any]:
    logs = {"val_accuracy": value, "seconds": 1.0}
    return {
        "event": "epoch", "time": 2.0, "trial": trial, "ticket": ticket, "step": step, "value": value, "logs": logs,
    }  # fmt: skip


def told(trial: int, ticket: int, value: float, **more: Any) -> dict[str, Any]:
    line = {"event": "told", "time": 3.0, "trial": trial, "ticket": ticket, "outcome": "completed", "value": value}
    return line | {"best_epoch": 1, "epochs": 2, "seconds": 5.0, "note": ""} | more


LINES = [
    asked(0, 0, share=1 / 3),
    *(epoch(0, 0, step, 0.6) for step in (1, 2)),
    told(0, 0, 0.6),
    asked(1, 1, share=1 / 3),
    told(1, 1, 0.9),
    asked(0, 2, continues=0, tags={"rung": 1}),
]


def test_a_score_on_fewer_rows_never_beats_one_on_all():
    before = Trials(LINES).all()
    assert [t.id for t in sorted(before, key=lambda t: t.place(ACCURACY))] == [1, 0]
    after = Trials([*LINES, told(0, 2, 0.5)]).all()
    assert [t.id for t in sorted(after, key=lambda t: t.place(ACCURACY))] == [0, 1]
    assert [t.measured_on for t in after] == ["", "33 % of the rows"]
    small = Trials([asked(0, 0, side=24), told(0, 0, 0.9), asked(1, 1), told(1, 1, 0.1)]).all()
    assert [t.id for t in sorted(small, key=lambda t: t.place(ACCURACY))] == [1, 0]
    assert small[0].measured_on == "at 24 px"
    assert small[0].to_json()["rungs"][0]["side"] == 24 and "side" not in small[1].to_json()["rungs"][0]


def test_another_fidelity_begins_with_epoch_one():
    trial = Trials(LINES).by_id[0]
    assert (trial.epochs, trial.epochs_before, trial.state) == (0, 0, State.RUNNING)
    trial = Trials([*LINES, epoch(0, 2, 1, 0.4)]).by_id[0]
    assert len(trial.history) == 1 and trial.epochs == 1 and trial.rungs[0].epochs == 2
    again = Trials([*LINES, epoch(0, 2, 1, 0.4), {"event": "retried", "time": 4.0, "trial": 0, "ticket": 2}]).by_id[0]
    assert again.epochs == 0 and again.history == () and again.value == 0.6 and again.rungs[1].share == 1.0
    further = [asked(0, 0), *(epoch(0, 0, s, 0.6) for s in (1, 2)), told(0, 0, 0.6), asked(0, 1, budget=9, continues=0)]
    assert Trials(further).by_id[0].epochs == 2, "with more epochs it goes on"


def test_that_it_stopped_by_itself_is_in_the_journal_and_old_ones_know_nothing_of_it():
    calls = read_progress([asked(0, 0), told(0, 0, 0.6, final=True, note="early stopping")]).calls
    assert calls[-1] == ("tell", 0, Complete(0.6, None, True))
    calls = read_progress([asked(0, 0), told(0, 0, 0.6, note="early stopping")]).calls
    assert calls[-1] == ("tell", 0, Complete(0.6, None, False))


@pytest.mark.parametrize(
    ("given", "tuner", "trials"),
    [
        ({}, "tpe", DEFAULT_TRIALS),
        ({"time_budget": 900.0}, "sprint", None),
        ({"time_budget": 900.0, "trials": 7}, "tpe", 7),
        ({"time_budget": 900.0, "max_epochs": 7}, "tpe", DEFAULT_TRIALS),
        ({"time_budget": 900.0, "pruner": "median"}, "tpe", DEFAULT_TRIALS),
        ({"time_budget": 900.0, "tuner": "asha"}, "asha", None),
        ({"tuner": "asha"}, "asha", DEFAULT_TRIALS),
        ({"tuner": "hyperband"}, "hyperband", None),
        ({"time_budget": 900.0, "tuner": "sprint", "max_epochs": 90}, "sprint", None),
    ],
)
def test_a_time_budget_alone_is_a_sprint(given: dict[str, Any], tuner: str, trials: int | None):
    options = new_options(SPACE, given)
    assert (options.tuner, options.trials) == (tuner, trials)
    epochs = SPRINT_MAX_EPOCHS if tuner == "sprint" else DEFAULT_MAX_EPOCHS
    assert options.max_epochs == given.get("max_epochs", epochs)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tuner": "sprint"}, "give --time-budget"),
        ({"tuner": "random", "fidelity": "data"}, "goes with --tuner hyperband and asha; random has no rungs"),
        ({"tuner": "asha", "fidelity": "rows"}, "'rows' is none of epochs, data, resolution"),
    ],
)
def test_what_does_not_go_together_is_said(given: dict[str, Any], says: str):
    with pytest.raises(ConfigError, match=says):
        new_options(SPACE, given)


def test_a_sprint_that_is_resumed_has_its_time_again():
    stored = {"tuner": "sprint", "trials": None, "max_epochs": 30, "time_budget": 900.0}
    assert resumed_options({"options": stored}, {}).time_budget == 900.0
    assert resumed_options({"options": stored}, {"time_budget": 60.0}).time_budget == 60.0
    old = {"tuner": "hyperband", "trials": None, "max_epochs": 30, "time_budget": 900.0}
    assert resumed_options({"options": old}, {}).time_budget is None
    assert resumed_options({"options": old}, {"fidelity": "epochs"}).fidelity == "epochs"
