"""One objective or two, and the trials that no other beats in both."""

from __future__ import annotations

import pytest

from fertune.config import SearchOptions
from fertune.errors import ConfigError
from fertune.trial import OBJECTIVES, SECOND_OBJECTIVES, Rung, State, Trial, objectives, pareto_front

ACCURACY, LOSS, PARAMETERS = OBJECTIVES["val_accuracy"], OBJECTIVES["val_loss"], SECOND_OBJECTIVES["parameters"]


def test_one_or_two() -> None:
    assert objectives("val_loss") == (LOSS, None)
    assert objectives("val_accuracy,parameters") == objectives("val_accuracy, parameters") == (ACCURACY, PARAMETERS)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("val_acuracy", "did you mean 'val_accuracy'"),
        ("latency", "the cost stands second, as in val_accuracy,latency"),
        ("latency,val_accuracy", "the cost stands second"),
        ("val_accuracy,val_loss", "legal beside 'val_accuracy': val_accuracy,parameters, val_accuracy,latency"),
        ("val_accuracy,latncy", "did you mean 'val_accuracy,latency'"),
        ("val_accuracy,parameters,latency", "no pair of objectives"),
        ("val_accuracy,", "no pair of objectives"),
    ],
)
def test_what_is_no_objective_is_told(text: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=wanted):
        objectives(text)


def test_two_objectives_go_with_nsga2_alone_and_nsga2_goes_with_one() -> None:
    assert SearchOptions(tuner="nsga2", objective="val_accuracy,latency").check()
    assert SearchOptions(tuner="nsga2").check()
    for tuner in ("random", "hyperband", "tpe", "bayesian", "grid", "gp", "cmaes", "qmc", "own:Mine"):
        assert SearchOptions(tuner=tuner).check()
        with pytest.raises(ConfigError, match="two objectives, which --tuner nsga2 alone takes"):
            SearchOptions(tuner=tuner, objective="val_accuracy,latency").check()


def test_pruners_go_with_those_that_can_prune() -> None:
    for tuner in ("tpe", "gp", "cmaes", "qmc"):
        assert SearchOptions(tuner=tuner, pruner="median").check()
    for tuner in ("random", "hyperband", "bayesian", "grid", "nsga2", "own:Mine"):
        with pytest.raises(ConfigError, match="--pruner median goes with --tuner tpe, gp, cmaes, qmc"):
            SearchOptions(tuner=tuner, pruner="median").check()


def trial(number: int, value: float, weights: float, state: State = State.COMPLETED) -> Trial:
    values = {"val_accuracy": value, "val_loss": value, "parameters": weights}
    return Trial(number, {}, state, (Rung(1),), value=value, values=values)


def test_the_front_is_what_no_other_beats_in_both() -> None:
    trials = [trial(0, 0.5, 10), trial(1, 0.6, 20), trial(2, 0.6, 30), trial(3, 0.4, 10), trial(4, 0.7, 90)]
    assert pareto_front(trials, ACCURACY, PARAMETERS) == [4, 1, 0]
    assert pareto_front(trials, LOSS, PARAMETERS) == [3]


def test_equal_ones_are_both_in_and_failed_ones_are_not() -> None:
    trials = [trial(0, 0.5, 10), trial(1, 0.5, 10), trial(2, 0.9, 1, State.FAILED)]
    assert pareto_front(trials, ACCURACY, PARAMETERS) == [0, 1]
    assert pareto_front([], ACCURACY, PARAMETERS) == []
