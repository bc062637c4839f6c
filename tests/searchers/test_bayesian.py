"""Keras Tuner's Bayesian optimisation: its start, what it is rebuilt from, what fertune relies on."""

from __future__ import annotations

from typing import Any

import pytest

from fertune.errors import RunError
from fertune.searchers import Restored, restore
from fertune.searchers.bayesian import BayesianSearcher
from fertune.space import Bool, Float, Space
from fertune.testing.searchers import ACCURACY, FOUR, drive
from fertune.trial import Complete, Failure, FailureKind, Suggestion

LINE = Space("line", [Float("x", 0.0, 1.0), Float("z", 0.1, 0.5, step=0.1), Bool("b")])


def bayesian(space: Space = LINE, **options: Any) -> BayesianSearcher:
    made = BayesianSearcher(
        space, **{"objective": ACCURACY, "seed": 0, "trials": 40, "max_epochs": 3, "start": 4, **options}
    )
    made._oracle.gpr.n_restarts_optimizer = 1  # for speed; the oracle's own is 20
    return made


def high(params: Any) -> float:
    return 1 - (params["x"] - 0.7) ** 2


@pytest.mark.slow
def test_after_its_start_it_goes_where_values_are_high() -> None:
    played = drive(bayesian(Space("x", [Float("x", 0.0, 1.0)]), trials=8), value=high)
    assert max(high(s.params) for s in played.suggestions[4:]) > 0.995


def test_the_oracle_still_has_what_is_used_of_it() -> None:
    """When this fails, read the release notes of keras-tuner and mend searchers/bayesian.py."""
    oracle = bayesian()._oracle
    assert callable(oracle._random_state.seed) and callable(oracle.gpr.fit)
    assert oracle.num_initial_points == 1 and [p.name for p in oracle.hyperparameters.space] == ["x", "z", "b"]


@pytest.mark.parametrize("workers", [1, 2])
def test_rebuilt_it_goes_on_as_the_undisturbed_one_without_fitting_anything(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = bayesian(seed=5)
    played = drive(searcher, workers=workers, seed=1, fail=lambda s: s.ticket == 2, steps=6, value=high)
    again = bayesian(seed=5)
    with monkeypatch.context() as patch:
        patch.setattr(again, "_modelled", lambda: pytest.fail("drawn again"))
        restore(again, played.calls)
    for _ in range(1 if workers > 1 else 2):
        one, two = searcher.ask(), again.ask()
        assert one == two and isinstance(one, Suggestion)
        for each in (searcher, again):
            each.tell(one.ticket, Complete(high(one.params)))


def test_failures_teach_it_nothing_and_do_not_end_it() -> None:
    searcher = bayesian(FOUR)
    for _ in range(4):
        piece = searcher.ask()
        assert isinstance(piece, Suggestion)
        searcher.tell(piece.ticket, Failure(FailureKind.CRASHED, "for the test"))
    assert {t.status for t in searcher._oracle.trials.values()} == {"FAILED"}
    assert not isinstance(searcher.ask(), Suggestion)


def test_a_record_of_another_search_is_refused() -> None:
    with pytest.raises(RunError, match="trial 0 is not of this search"):
        bayesian(FOUR).restore([Restored(Suggestion(0, {"a": 3, "b": True}, 9))])
    used = bayesian(FOUR)
    used.ask()
    with pytest.raises(RuntimeError, match="before it is asked"):
        used.restore([])
