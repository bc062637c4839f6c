"""Keras Tuner's Bayesian optimisation: a Gaussian process over all parameters, upper confidence bound.

The oracle has a random start of three times as many trials as parameters, which most searches never leave; fertune's
is that of ``startup``. What may be tried next is asked of the oracle, what is tried is given to it, so that a search
can be rebuilt from a journal without fitting anything again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from threadpoolctl import threadpool_limits

from fertune.searchers.engine import Common, Rebuilt, derive
from fertune.searchers.keras_tuner import NEVER, OracleSearcher, plain_value, quiet
from fertune.searchers.modelled import startup
from fertune.space import Bool, Float, Param, Space
from fertune.trial import Exhausted, Failure, Outcome, Params, Suggestion, Value, Wait

LARGEST = 1e9
"""Values beyond it are told as it, lest their squares overflow."""


class BayesianSearcher(Rebuilt, OracleSearcher):
    """Matern 5/2 Gaussian process; an inactive parameter counts as its first value, as in the oracle.

    Failed trials teach it nothing. What runs is taken for as good as the model says, a standard deviation worse.

    Args:
        start: Random trials before the model; by default ``startup(trials)``.
    """

    salted = False

    def __init__(self, space: Space, *, start: int | None = None, **common: Unpack[Common]) -> None:
        self._warm_up = startup(common["trials"]) if start is None else start
        super().__init__(space, **common)

    def _make_oracle(self, **options: Any) -> Any:
        class Oracle(self._kt.oracles.BayesianOptimizationOracle):  # type: ignore[misc,name-defined]  # of a module without types
            """One that is given the values of its next trial."""

            given: dict[str, Any] = {}

            def populate_space(self, trial_id: str) -> dict[str, Any]:
                return {"status": "RUNNING", "values": self.given}

        return Oracle(max_trials=NEVER, num_initial_points=1, **options)

    def ask(self) -> Suggestion | Wait | Exhausted:
        end = self._end()
        if end:
            return end
        params = self._given() or self._modelled()
        if params is None or not self._is_new(params):
            params = self._untried()
        if params is None:
            return Exhausted("no new configuration was found in the space")
        return self._begin(params)

    def _begin(self, params: Params) -> Suggestion:
        self._oracle.given = {name: oracle_value(self.space[name], value) for name, value in params.items()}
        trial = self._create()
        suggestion = self._suggest(params, self.max_epochs)
        self._running[suggestion.ticket] = trial
        return suggestion

    def learn(self, params: Params, outcome: Outcome) -> None:
        """One more finished trial of the oracle."""
        if isinstance(outcome, Failure) or not self._is_new(params):
            return
        super().learn(params, outcome)
        self._oracle.given = {name: oracle_value(self.space[name], value) for name, value in params.items()}
        self._finish(self._create(), outcome.value)

    def _modelled(self) -> dict[str, Value] | None:
        """What the Gaussian process wants next; None while too few trials are known."""
        known = [t for t in self._oracle.trials.values() if t.status == "COMPLETED"]
        if len(known) < self._warm_up:
            return None
        # All that is left of its earlier calls in the oracle: the state of a generator, and a fit for what runs.
        self._oracle._random_state.seed(derive("bayesian", self.seed, self._next_ticket))
        # matrices this small are slower on several threads, many times so where other processes want the cores too
        with quiet(), threadpool_limits(1):
            if self._running:
                self._fit(known)
            drawn = self._kt.oracles.BayesianOptimizationOracle.populate_space(self._oracle, "")["values"]
        return self.space.walk(lambda param: plain_value(param, drawn[param.name]))

    def _fit(self, known: Sequence[Any]) -> None:
        """Fit the process to what is finished: the oracle asks it what the running trials may come to."""
        points = self._oracle.hyperparameters.space
        sign = -1.0 if self.objective.direction == "max" else 1.0
        self._oracle.gpr.fit(
            [[p.value_to_prob(t.hyperparameters.values.get(p.name, p.default)) for p in points] for t in known],
            [sign * t.score for t in known],
        )

    def _finish(self, trial: Any, value: float | None) -> None:
        if value is not None and math.isfinite(value):
            super()._finish(trial, min(max(value, -LARGEST), LARGEST))
            return
        with quiet():
            trial.status = "FAILED"
            self._oracle.end_trial(trial)

    def _again(self, suggestion: Suggestion) -> None:
        self._begin(suggestion.params)

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        self._finish(self._running.pop(ticket), None if isinstance(outcome, Failure) else outcome.value)


def oracle_value(param: Param, value: Value) -> Value:
    """The other way round of ``plain_value``."""
    if isinstance(param, Float) and param.step is not None:
        return round((float(value) - param.low) / param.step)
    return bool(value) if isinstance(param, Bool) else value
