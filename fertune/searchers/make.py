"""From the name of an engine to a Searcher."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from fertune.config import PRUNERS
from fertune.errors import ConfigError, MissingPackage, did_you_mean
from fertune.searchers.asha import AshaSearcher
from fertune.searchers.engine import Common, Engine
from fertune.searchers.hyperband import HyperbandSearcher
from fertune.searchers.keras_tuner import RandomSearcher
from fertune.searchers.modelled import cmaes_population, modelled, modelling_note, population, startup, varied
from fertune.searchers.rungs import Around, Level, levels
from fertune.searchers.sprint import SprintSearcher
from fertune.searchers.start import start_notes
from fertune.space import Space
from fertune.trial import TUNERS, Objective

ENGINES = tuple(TUNERS)


def make_searcher(
    engine: str,
    space: Space,
    *,
    objective: Objective,
    seed: int,
    trials: int | None,
    max_epochs: int,
    pruner: str | None = None,
    second: Objective | None = None,
    fidelity: str = "epochs",
    around: Around | None = None,
) -> Engine:
    """A fresh searcher.

    Args:
        engine: A name of ``fertune.trial.TUNERS``.
        space: What may be suggested.
        objective: What values mean.
        seed: Any whole number; the same one gives the same suggestions.
        trials: Distinct configurations to ask for; a promotion is none. None has no limit (a finite space ends all the
            same) but one full iteration for ``hyperband``.
        max_epochs: The largest budget, at least 1.
        pruner: ``none`` (default), ``median``, ``hyperband`` or ``asha``; with ``tpe``, ``gp``, ``cmaes``, ``qmc``.
        second: Another objective; with ``nsga2`` only.
        fidelity: What the rungs of ``hyperband`` and ``asha`` give more of: ``epochs``, ``data`` or ``resolution``.
        around: The clock and the data; ``sprint`` looks at them, and whoever has rungs of ``resolution``.

    Raises:
        ConfigError: An option is not legal.
        MissingPackage: What the engine needs is not installed.
    """
    if engine not in TUNERS:
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
    if not TUNERS[engine].prunes and pruner not in (None, "none"):
        raise ConfigError(
            f"the pruner {pruner!r} works with {pruning_tuners()}, not with tuner {engine!r}",
            help="give --tuner tpe, or no --pruner",
        )
    if second is not None and not TUNERS[engine].two:
        raise ConfigError(f"tuner {engine!r} has one objective; for two, give --tuner nsga2")
    if fidelity != "epochs" and not TUNERS[engine].rungs:
        raise ConfigError(f"tuner {engine!r} has no rungs; --fidelity goes with {listed_rungs()}")
    check_needs(engine)
    around = around or Around()
    common: Common = {"objective": objective, "seed": seed, "trials": trials, "max_epochs": max_epochs}
    if TUNERS[engine].rungs:
        return _make_with_rungs(engine, space, levels(fidelity, max_epochs, around.side), fidelity != "epochs", common)
    if engine == "sprint":
        return SprintSearcher(space, around=around, **common)
    return _make(engine, space, pruner or "none", second, common)


def _make_with_rungs(engine: str, space: Space, rungs: tuple[Level, ...], anew: bool, common: Common) -> Engine:
    if engine == "asha":
        return AshaSearcher(space, rungs=rungs, anew=anew, **common)
    return HyperbandSearcher(space, rungs=rungs if anew else None, **common)


def listed_rungs() -> str:
    """``"hyperband and asha"``."""
    return " and ".join(t.name for t in TUNERS.values() if t.rungs)


def _make(engine: str, space: Space, pruner: str, second: Objective | None, common: Common) -> Engine:
    if engine == "random":
        return RandomSearcher(space, **common)
    if engine == "bayesian":
        from fertune.searchers.bayesian import BayesianSearcher

        return BayesianSearcher(space, **common)
    if engine == "grid":
        from fertune.searchers.grid import GridSearcher

        return GridSearcher(space, **common)
    from fertune.searchers import optuna, samplers

    if engine == "nsga2":
        return samplers.Nsga2Searcher(space, second=second, **common)
    studies: dict[str, Callable[..., Engine]] = {
        "tpe": optuna.TpeSearcher, "gp": samplers.GpSearcher, "cmaes": samplers.CmaesSearcher,
        "qmc": samplers.QmcSearcher,
    }  # fmt: skip
    return studies[engine](space, pruner=pruner, **common)


def pruning_tuners() -> str:
    """``"tuner 'tpe', 'gp', 'cmaes' or 'qmc'"``."""
    *names, last = [repr(t.name) for t in TUNERS.values() if t.prunes]
    return f"tuner {', '.join(names)} or {last}"


def check_needs(engine: str) -> None:
    """Raise MissingPackage with the install line where what an engine needs beyond fertune's own is not installed."""
    for module, distribution, extra in TUNERS[engine].needs:
        if importlib.util.find_spec(module) is None:
            raise MissingPackage(
                f"tuner {engine!r} needs {distribution}, which is not installed", help=f'pip install "fertune[{extra}]"'
            )


def engine_notes(engine: str, space: Space, trials: int | None) -> list[str]:
    """What people should know of an engine in this space before the first trial, a line each; often nothing."""
    notes = start_notes(space, trials)
    given = len(space.start)
    if trials is not None and 0 < trials <= given:
        return notes
    note = modelling_note(engine, space)
    if note:
        notes.append(note)
    if engine == "grid":
        notes.append(_grid_note(space, None if trials is None else trials - given))
    elif engine == "bayesian" and varied(space):
        first = startup(trials)
        head = f"{max(first - given, 0)} trials after these" if given else f"the first {first} trials"
        notes.append(f"bayesian: {head} are random; an inactive parameter counts as its lowest value")
    elif engine == "cmaes" and modelled("cmaes", space):
        notes.append(f"cmaes learns after each {cmaes_population(space)} finished trials")
    elif engine == "sprint":
        which = "the space's first start" if given else "after short looks at a few configurations, the best"
        notes.append(f"sprint: {which} is trained with all cores as long as time and epochs allow, then others are")
    elif engine == "nsga2":
        size = population(trials)
        notes.append(f"nsga2: generations of {size}, the first at random; a failed trial counts as the worst")
    return notes


def _grid_note(space: Space, trials: int | None) -> str:
    from fertune.searchers.grid import GRID_VALUES, grid_size, gridded

    size = grid_size(space)
    points = "1 point" if size == 1 else f"{size:,} points"
    cut = [p.name for p, q in zip(space.params, gridded(space).params, strict=True) if p != q]
    values = f"; {', '.join(cut)} cut into {GRID_VALUES} values" if cut else ""
    if trials is not None and trials < size:
        return f"the grid has {points}{values}; {trials:,} of them are tried, drawn at random (--trials {size} for all)"
    return f"the grid has {points}{values}; all are tried"
