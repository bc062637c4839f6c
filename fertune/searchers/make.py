"""From the name of an engine to a Searcher."""

from __future__ import annotations

import math

from fertune.errors import ConfigError, did_you_mean
from fertune.searchers.engine import Engine
from fertune.space import TUNERS, Space
from fertune.trial import Objective

ENGINES = TUNERS
PRUNERS = ("none", "median", "hyperband", "asha")
FACTOR = 3


def make_searcher(
    engine: str, space: Space, *, objective: Objective, seed: int, trials: int | None, max_epochs: int,
    pruner: str | None = None,
) -> Engine:
    """A fresh searcher.

    Args:
        engine: ``random`` and ``hyperband`` are Keras Tuner's oracles, ``tpe`` is Optuna's sampler.
        space: What may be suggested.
        objective: What values mean.
        seed: Any whole number; the same one gives the same suggestions.
        trials: Distinct configurations to ask for; a promotion is none. None has no limit for ``random`` and ``tpe``
            (a finite space ends all the same) and one full iteration for ``hyperband``.
        max_epochs: The largest budget, at least 1.
        pruner: For ``tpe`` only: ``none`` (default), ``median``, ``hyperband`` or ``asha``.

    Raises:
        ConfigError: An option is not legal.
        MissingPackage: The engine's library is not installed.
    """
    if engine not in ENGINES:
        raise ConfigError(
            f"no tuner named {engine!r}; legal: {', '.join(ENGINES)}{did_you_mean(engine, ENGINES)}",
            help="leave --tuner out to take the default of the space",
        )
    if trials is not None and trials < 1:
        raise ConfigError(f"trials is {trials}; give at least 1")
    if max_epochs < 1:
        raise ConfigError(f"max_epochs is {max_epochs}; give at least 1")
    if pruner is not None and pruner not in PRUNERS:
        raise ConfigError(f"no pruner named {pruner!r}; legal: {', '.join(PRUNERS)}{did_you_mean(pruner, PRUNERS)}")
    if engine != "tpe" and pruner not in (None, "none"):
        raise ConfigError(
            f"the pruner {pruner!r} works with tuner 'tpe', not with {engine!r}",
            help="give --tuner tpe, or no --pruner",
        )
    if engine == "tpe":
        from fertune.searchers.optuna import TpeSearcher

        return TpeSearcher(
            space, objective=objective, seed=seed, trials=trials, max_epochs=max_epochs, pruner=pruner or "none"
        )
    from fertune.searchers.keras_tuner import HyperbandSearcher, RandomSearcher

    if engine == "random":
        return RandomSearcher(space, objective=objective, seed=seed, trials=trials, max_epochs=max_epochs)
    return HyperbandSearcher(
        space, objective=objective, seed=seed, trials=trials, max_epochs=max_epochs, size=hyperband_size(max_epochs)
    )


def hyperband_size(max_epochs: int) -> int:
    """Distinct configurations in one iteration of Hyperband: the first rungs of all its brackets.

    Li et al. 2018, Algorithm 1, with R = ``max_epochs`` and eta = 3, rounded as Keras Tuner's oracle rounds it.
    """
    brackets = 1
    while max_epochs / FACTOR**brackets >= 1:
        brackets += 1
    last_rung = math.ceil(1 + math.log(max_epochs, FACTOR))
    return sum(math.ceil(last_rung / (b + 1) * FACTOR**b) for b in range(brackets))
