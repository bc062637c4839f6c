"""Names and options of searchers, and what a journal that does not fit says."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from fertune.config import PRUNERS
from fertune.errors import ConfigError, RunError
from fertune.searchers import hyperband_size, make_searcher, restore
from fertune.searchers.engine import derive
from fertune.testing.searchers import ACCURACY, FOUR, WIDE, drive
from fertune.trial import TUNERS, Complete, Suggestion

INSTALLED = [t.name for t in TUNERS.values() if all(importlib.util.find_spec(module) for module, *_ in t.needs)]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"engine": "hyberband"}, "did you mean 'hyperband'"),
        ({"pruner": "medain"}, "did you mean 'median'"),
        ({"pruner": "asha"}, "works with tuner 'tpe', 'gp', 'cmaes' or 'qmc', not with tuner 'random'"),
        ({"engine": "nsga2", "pruner": "median"}, "not with tuner 'nsga2'"),
        ({"trials": 0}, "trials is 0"),
        ({"max_epochs": 0}, "max_epochs is 0"),
    ],
)
def test_wrong_options(options: dict[str, Any], wanted: str):
    given = {"engine": "random", "objective": ACCURACY, "seed": 0, "trials": 3, "max_epochs": 3, **options}
    with pytest.raises(ConfigError, match=wanted):
        make_searcher(given.pop("engine"), WIDE, **given)


def test_every_engine_and_pruner_by_its_name():
    for engine in INSTALLED:
        make_searcher(engine, FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=3, pruner="none")
    for engine in (name for name in INSTALLED if TUNERS[name].prunes):
        for pruner in PRUNERS:
            made = make_searcher(engine, WIDE, objective=ACCURACY, seed=0, trials=3, max_epochs=4, pruner=pruner)
            assert len(drive(made).new) == 3


def test_a_finite_space_ends_with_a_reason_that_says_so():
    for engine in INSTALLED:
        made = make_searcher(engine, FOUR, objective=ACCURACY, seed=0, trials=9, max_epochs=3)
        end = drive(made).end
        assert end is not None and end.reason.startswith("all 4 points of the space were tried"), engine


def test_an_unknown_ticket_is_refused():
    for engine in INSTALLED:
        made = make_searcher(engine, FOUR, objective=ACCURACY, seed=0, trials=9, max_epochs=3)
        for call in (lambda made=made: made.tell(7, Complete(0.5)), lambda made=made: made.report(7, 1, 0.5)):
            with pytest.raises(RuntimeError, match="ticket 7 is not open"):
                call()


def test_seeds_are_spread_and_never_zero():
    assert len({derive("x", seed) for seed in range(1000)}) == 1000
    assert all(0 < derive("x", seed) < 2**31 for seed in range(1000))
    assert derive("a", 1, 23) != derive("a", 12, 3)


def test_the_size_of_an_iteration():
    assert [hyperband_size(n) for n in (1, 2, 3, 9, 27, 81)] == [1, 2, 5, 17, 49, 143]


@pytest.mark.parametrize("engine", ["random", "hyperband"])
def test_a_journal_of_another_search_is_refused_with_the_first_difference(engine: str):
    def make(seed: int = 0, trials: int = 6) -> Any:
        return make_searcher(engine, WIDE, objective=ACCURACY, seed=seed, trials=trials, max_epochs=9)

    calls = drive(make()).calls
    with pytest.raises(RunError, match="suggestion 0 is another one now") as caught:
        restore(make(seed=1), calls, written_by="keras-tuner 1.4.7")
    assert " now, " in caught.value.details[0]
    assert caught.value.details[1] == "the journal was written with keras-tuner 1.4.7"
    assert caught.value.help == 'pip install "keras-tuner==1.4.7"'
    with pytest.raises(RunError, match="suggestion 2 is another"):
        restore(make(trials=2), [c for c in calls if c[0] != "ask" or c[1].continues is None][:99])


def test_restoring_nothing_changes_nothing():
    for engine in INSTALLED:
        one, two = (make_searcher(engine, WIDE, objective=ACCURACY, seed=0, trials=5, max_epochs=3) for _ in range(2))
        restore(two, [])
        first = one.ask()
        assert first == two.ask() and isinstance(first, Suggestion)
        two.tell(first.ticket, Complete(0.5))
