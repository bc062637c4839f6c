"""An Optuna study and its pruners behind Searcher; TPE. The only file of this room that imports optuna.

Only ``study.ask`` and ``study.tell`` are used. Each ask has a fresh sampler, seeded from (seed, number of the trial):
the next suggestion follows from the study alone, never from how a sampler came to it. Where a study is no more than
its trials (``RebuiltStudy``), one that is rebuilt from a journal goes on as the undisturbed one would have; where a
sampler keeps notes in it, the calls are repeated.
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

from fertune.errors import MissingPackage
from fertune.searchers.engine import Common, Engine, Rebuilt, derive
from fertune.searchers.modelled import startup
from fertune.space import Bool, Choice, Float, Int, Param, Space
from fertune.trial import Complete, Exhausted, Objective, Outcome, Params, Pruned, Suggestion, Value, Wait

STUDY = "fertune"
"""HyperbandPruner hashes the name of the study, so it is the same for every run."""
REPEATS = 20
"""So many repeats in a row before a configuration is taken that was not suggested yet."""


def import_optuna() -> Any:
    """The module ``optuna``.

    Raises:
        MissingPackage: It is not installed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"this tuner needs optuna; {error.name!r} is not installed", help='pip install "fertune[cpu]"'
        ) from error
    return optuna


class StudySearcher(Engine):
    """A study, its sampler and its pruner.

    A draw that repeats an earlier configuration is told as failed at once, which leaves no trace but its number; the
    tag ``number`` of a suggestion is Optuna's trial number where that is not the ticket.

    Args:
        pruner: ``none``, ``median``, ``hyperband`` or ``asha``.
    """

    directions: tuple[str, ...] = ()
    """Of several objectives; by default the one of ``objective``."""

    def __init__(self, space: Space, *, pruner: str = "none", **common: Unpack[Common]) -> None:
        super().__init__(space, **common)
        self._optuna = import_optuna()
        self._pruner = pruner
        self._startup = startup(common["trials"])
        with self._quiet():
            self._study = self._optuna.create_study(
                study_name=STUDY,
                directions=list(self.directions or (study_direction(self.objective),)),
                pruner=self._make_pruner(pruner),
            )
        self._drawn = 0
        self._trials: dict[int, Any] = {}
        self._steps: dict[int, int] = {}

    @abstractmethod
    def _make_sampler(self, seed: int) -> Any:
        """A fresh sampler for one ask; ``seed`` follows from the search's and the number of the trial."""

    def _make_pruner(self, name: str) -> Any:
        pruners = self._optuna.pruners
        if name == "median":
            return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=max(1, self.max_epochs // 4))
        if name == "hyperband":
            return pruners.HyperbandPruner(min_resource=1, max_resource=self.max_epochs, reduction_factor=3)
        if name == "asha":
            return pruners.SuccessiveHalvingPruner(min_resource=max(1, self.max_epochs // 9), reduction_factor=3)
        return pruners.NopPruner()

    def ask(self) -> Suggestion | Wait | Exhausted:
        end = self._end()
        if end:
            return end
        with self._quiet():
            given = self._given()
            if given is not None:
                return self._take(*self._fixed_draw(given))
            for _ in range(REPEATS):
                trial, params = self._draw()
                if self._is_new(params):
                    return self._take(trial, params)
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            untried = self._untried()
            if untried is None:
                return Exhausted("no new configuration was found in the space")
            return self._take(*self._fixed_draw(untried))

    def report(self, ticket: int, step: int, value: float) -> bool:
        """Record an epoch; False where the pruner stops the trial.

        An epoch that was reported before (a trial that is trained again) and a value that is no number change nothing.
        """
        self._check_open(ticket)
        if step <= self._steps.get(ticket, -1) or not math.isfinite(value):
            return True
        self._steps[ticket] = step
        with self._quiet():
            self._trials[ticket].report(value, step)
            return self._pruner == "none" or not self._trials[ticket].should_prune()

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        trial = self._trials.pop(ticket)
        state = self._optuna.trial.TrialState
        with self._quiet():
            if isinstance(outcome, Complete) and math.isfinite(outcome.value):
                self._study.tell(trial, outcome.value)
            elif isinstance(outcome, Pruned):
                self._study.tell(trial, state=state.PRUNED)
            else:
                self._study.tell(trial, state=state.FAIL)

    def learn(self, params: Params, outcome: Outcome) -> None:
        """One more trial of the study, complete with its values."""
        values = _values(outcome, len(self._study.directions))
        if values is None or not self._is_new(params):
            return
        super().learn(params, outcome)
        with self._quiet():
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    values=values,
                    params={n: coded(self.space[n], v) for n, v in params.items()},
                    distributions={n: self._distribution(self.space[n]) for n in params},
                )
            )
        self._drawn += 1

    def _fixed_draw(self, params: Params) -> tuple[Any, dict[str, Value]]:
        """A trial with these values."""
        self._study.enqueue_trial({n: coded(self.space[n], v) for n, v in params.items()})
        return self._draw()

    def _draw(self) -> tuple[Any, dict[str, Value]]:
        self._study.sampler = self._make_sampler(derive("optuna", self.seed, self._drawn))
        self._drawn += 1
        trial = self._study.ask()
        params = self.space.walk(lambda param: decoded(param, self._pull(trial, param)))
        self._forget_inactive(trial)
        return trial, params

    def _pull(self, trial: Any, param: Param) -> Any:
        if isinstance(param, Float) and param.step is None:
            return trial.suggest_float(param.name, param.low, param.high, log=param.log)
        if isinstance(param, Float):
            return trial.suggest_int(param.name, 0, (param.count or 1) - 1)
        if isinstance(param, Int):
            return trial.suggest_int(param.name, param.low, param.high, step=param.step, log=param.log)
        return trial.suggest_categorical(param.name, list(param.values()))

    def _distribution(self, param: Param) -> Any:
        """What ``_pull`` makes of a parameter."""
        kinds = self._optuna.distributions
        if isinstance(param, Float) and param.step is None:
            return kinds.FloatDistribution(param.low, param.high, log=param.log)
        if isinstance(param, Float):
            return kinds.IntDistribution(0, (param.count or 1) - 1)
        if isinstance(param, Int):
            return kinds.IntDistribution(param.low, param.high, step=param.step, log=param.log)
        return kinds.CategoricalDistribution(list(param.values()))

    def _forget_inactive(self, trial: Any) -> None:
        """Drop what the sampler noted of a running trial for parameters that turned out inactive.

        It is not in a journal, so a rebuilt study cannot have it; with it the next ask would differ.
        """
        for name in trial.storage.get_trial(trial._trial_id).system_attrs:
            if "relative_params" in name:
                trial.storage.set_trial_system_attr(trial._trial_id, name, "")

    def _take(self, trial: Any, params: Params) -> Suggestion:
        number = trial.number
        suggestion = self._suggest(
            params, self.max_epochs, tags={} if number == self._next_ticket else {"number": number}
        )
        self._trials[suggestion.ticket] = trial
        return suggestion

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """No log lines, and no warnings that ``group`` and friends are experimental."""
        logging = self._optuna.logging
        level = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logging.set_verbosity(level)


class RebuiltStudy(Rebuilt, StudySearcher):
    """One whose next suggestion follows from its trials alone: the study is rebuilt in the order of its numbers."""

    def _again(self, suggestion: Suggestion) -> None:
        with self._quiet():
            self._add(suggestion)

    def _add(self, suggestion: Suggestion) -> None:
        """One trial as if it had been drawn; numbers that are left out before it were repeats."""
        create, state = self._optuna.trial.create_trial, self._optuna.trial.TrialState
        while self._drawn < suggestion.tags.get("number", suggestion.ticket):
            self._study.add_trial(create(state=state.FAIL))
            self._drawn += 1
        self._study.add_trial(
            create(
                state=state.RUNNING,
                params={n: coded(self.space[n], v) for n, v in suggestion.params.items()},
                distributions={n: self._distribution(self.space[n]) for n in suggestion.params},
            )
        )
        frozen = self._study.get_trials(deepcopy=False)[self._drawn]
        self._drawn += 1
        self._take(self._optuna.trial.Trial(self._study, frozen._trial_id), suggestion.params)


class TpeSearcher(RebuiltStudy):
    """Tree-structured Parzen estimator (Bergstra et al. 2011), multivariate, grouped by which parameters are active."""

    def _make_sampler(self, seed: int) -> Any:
        return self._optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=self._startup, multivariate=True, group=True, constant_liar=True
        )


def _values(outcome: Outcome, n: int) -> list[float] | None:
    """The ``n`` values of a finished trial; None where it has no such values."""
    if not isinstance(outcome, Complete):
        return None
    values = [v for v in (outcome.value, outcome.second)[:n] if v is not None and math.isfinite(v)]
    return values if len(values) == n else None


def study_direction(objective: Objective) -> str:
    return "maximize" if objective.direction == "max" else "minimize"


def coded(param: Param, value: Value) -> Value:
    """A value as Optuna has it: stepped floats go by index, so that rounding is the same however they came."""
    if isinstance(param, Float) and param.step is not None:
        return round((float(value) - param.low) / param.step)
    return value


def decoded(param: Param, drawn: Any) -> Value:
    """Optuna's value in the declared type."""
    if isinstance(param, Bool):
        return bool(drawn)
    if isinstance(param, Int):
        return int(drawn)
    if isinstance(param, Float):
        return param.nearest(float(drawn)) if param.step is None else param.at(int(drawn))
    if isinstance(param, Choice):
        return next(value for value in param.choices if value == drawn)
    raise TypeError(f"no parameter of type {type(param).__name__} is known here")
