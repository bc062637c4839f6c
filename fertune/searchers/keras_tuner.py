"""Keras Tuner's oracles behind Searcher; RandomSearch. The only file that imports keras_tuner.

An oracle alone is ask and tell; no Tuner and no TensorFlow is needed. Round each oracle fertune adds what it lacks:
a hidden parameter makes every one of its draws new, so that only this layer says what a repeat is; a failed
configuration is told as the worst score, since a failed one would cost Hyperband a promotion.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Unpack

from fertune.errors import MissingPackage
from fertune.searchers.engine import Common, Engine, derive
from fertune.space import Bool, Choice, Float, Int, Param, Space
from fertune.trial import Exhausted, Failure, Outcome, Suggestion, Value, Wait

SALT = "fertune/salt"
STOOD_IN = ("jax", "jax.lax", "keras.src.backend.jax", "keras.src.backend.jax.math")
WORST = 1e30
NEVER = 10**9
COORDINATOR = "FERTUNE_COORDINATOR"


def import_keras_tuner() -> Any:
    """The module ``keras_tuner``.

    It imports keras, and keras its backend. In fertune's own coordinator (the variable FERTUNE_COORDINATOR is ``1``)
    keras gets its numpy backend, so that neither TensorFlow nor JAX is imported there; the environment is as before
    afterwards. Elsewhere, or where that fails, it is imported plainly.

    Raises:
        MissingPackage: It, or what it imports, is not installed.
    """
    if os.environ.get(COORDINATOR) == "1" and "keras" not in sys.modules:
        before = set(sys.modules)
        try:
            with _numpy_backend():
                return importlib.import_module("keras_tuner")
        except ImportError:  # another keras, whose numpy backend needs more than it did
            for name in set(sys.modules) - before:
                if name.split(".")[0] in ("keras", "keras_tuner"):
                    del sys.modules[name]
    try:
        return importlib.import_module("keras_tuner")
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"this tuner needs keras-tuner; {error.name!r} is not installed",
            help='pip install "fertune[cpu]"',
        ) from error


@contextmanager
def _numpy_backend() -> Iterator[None]:
    """Keras imported here has its numpy backend.

    That backend takes its convolutions and Fourier transforms from JAX, and so imports it; JAX is stood in for
    meanwhile, since an oracle computes nothing.
    """
    variables = {name: os.environ.get(name) for name in ("KERAS_BACKEND", "TF_FORCE_GPU_ALLOW_GROWTH")}
    stand_ins = {} if "jax" in sys.modules else {name: _StandIn(name) for name in STOOD_IN}
    os.environ["KERAS_BACKEND"] = "numpy"
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            sys.modules.pop(name, None)
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _StandIn(ModuleType):
    """A module that has every name and can do nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _absent


def _absent(*args: object, **kwargs: object) -> None:
    raise RuntimeError("keras is not for computing in this process")


class OracleSearcher(Engine):
    """An oracle, and the way between its trials and our tickets."""

    salted = True
    """Whether the oracle has the hidden parameter that makes each of its draws new."""

    def __init__(self, space: Space, **common: Unpack[Common]) -> None:
        super().__init__(space, **common)
        self._kt = import_keras_tuner()
        self._oracle = self._make_oracle(
            objective=self._kt.Objective(self.objective.name, self.objective.direction),
            hyperparameters=hyperparameters(self._kt, space, salted=self.salted),
            seed=derive("keras-tuner", self.seed),
            allow_new_entries=False,
            tune_new_entries=False,
            max_retries_per_trial=0,
            max_consecutive_failed_trials=NEVER,
        )
        self._oracle.verbose = 0
        # It would write each trial, and all that it knows, at each step, into a folder that it must be told. Nobody
        # reads that: the journal is the truth. One of the names is private. A test holds both.
        self._oracle.save = self._oracle._save_trial = _write_nothing
        self._running: dict[int, Any] = {}

    def _make_oracle(self, **options: Any) -> Any:
        raise NotImplementedError

    def report(self, ticket: int, step: int, value: float) -> bool:
        """Oracles stop nothing: their budgets do."""
        self._check_open(ticket)
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        value = None if isinstance(outcome, Failure) else outcome.value
        self._finish(self._running.pop(ticket), value)

    def _create(self) -> Any:
        """An oracle's trial; one tuner id for each piece of work in flight."""
        with quiet():
            return self._oracle.create_trial(f"ticket {self._next_ticket}")

    def _finish(self, trial: Any, value: float | None) -> None:
        """End an oracle's trial with a value, or with the worst one where there is none."""
        if value is None or not math.isfinite(value):
            value = -WORST if self.objective.direction == "max" else WORST
        with quiet():
            self._oracle.update_trial(trial.trial_id, {self.objective.name: value})
            trial.status = "COMPLETED"
            self._oracle.end_trial(trial)

    def _new_params(self, trial: Any) -> dict[str, Value] | None:
        """The next start configuration, then the oracle's draw, or another where that was suggested before; None where
        none is left."""
        given = self._given()
        if given is not None:
            return given
        drawn = trial.hyperparameters.values
        params = self.space.walk(lambda param: plain_value(param, drawn[param.name]))
        return params if self._is_new(params) else self._untried()


class RandomSearcher(OracleSearcher):
    """Independent draws; each configuration once."""

    def _make_oracle(self, **options: Any) -> Any:
        return self._kt.oracles.RandomSearchOracle(max_trials=None, **options)

    def ask(self) -> Suggestion | Wait | Exhausted:
        end = self._end()
        if end:
            return end
        trial = self._create()
        params = self._new_params(trial)
        if params is None:
            self._finish(trial, None)
            return Exhausted("no new configuration was found in the space")
        suggestion = self._suggest(params, self.max_epochs)
        self._running[suggestion.ticket] = trial
        return suggestion


def hyperparameters(kt: Any, space: Space, *, salted: bool = True) -> Any:
    """The space for an oracle. Numbers with a step are drawn by index, so that no rounding is left to the oracle."""
    hp = kt.HyperParameters()
    for param in space.params:
        _declare(hp, space, param, _conditions(space, param))
    if salted:
        hp.Float(SALT, 0.0, 1.0)
    return hp


def _conditions(space: Space, param: Param) -> list[tuple[str, list[Value]]]:
    """Conditions from the outermost to the parameter's own: an oracle knows a parent only inside its own scope."""
    if param.when is None:
        return []
    ((parent, values),) = param.when.items()
    return [*_conditions(space, space[parent]), (parent, list(values))]


def _declare(hp: Any, space: Space, param: Param, conditions: list[tuple[str, list[Value]]]) -> None:
    if conditions:
        with hp.conditional_scope(*conditions[0]):
            _declare(hp, space, param, conditions[1:])
    elif isinstance(param, Bool):
        hp.Boolean(param.name)
    elif isinstance(param, Choice):
        hp.Choice(param.name, list(param.choices))
    elif isinstance(param, Int):
        if param.log:
            hp.Int(param.name, param.low, param.high, sampling="log")
        else:
            hp.Int(param.name, param.low, param.high, step=param.step)
    elif isinstance(param, Float):
        if param.step is not None:
            hp.Int(param.name, 0, (param.count or 1) - 1)
        else:
            hp.Float(param.name, param.low, param.high, sampling="log" if param.log else "linear")


def plain_value(param: Param, drawn: Any) -> Value:
    """An oracle's value in the declared type."""
    if isinstance(param, Bool):
        return bool(drawn)
    if isinstance(param, Int):
        return param.nearest(int(drawn))
    if isinstance(param, Float):
        return param.nearest(float(drawn)) if param.step is None else param.at(int(drawn))
    return next(value for value in param.values() if value == drawn)


def _write_nothing(*what: object) -> None:
    pass


@contextmanager
def quiet() -> Iterator[None]:
    """Keras Tuner calls a function of ``threading`` that is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
