"""Optuna's other samplers: Gaussian process, CMA-ES, quasi-Monte Carlo, NSGA-II.

Each would find out by itself which parameters it can model, from the trials so far; whatever is active in all of them
by chance is then modelled for a while, and CMA-ES gives up for good when it no longer is. They are told once instead.
CMA-ES, QMC and NSGA-II note in the study what they have done (an optimizer, a counter, generations). That is in no
journal: they are restored by repeating the calls, which is cheap for these three. The Gaussian process, which is not
cheap, keeps no notes that outlive an ask, and is rebuilt from its trials.
"""

from __future__ import annotations

import math
from typing import Any, Unpack

from fertune.searchers.engine import Common, derive
from fertune.searchers.modelled import modelled, population
from fertune.searchers.optuna import RebuiltStudy, StudySearcher, study_direction
from fertune.space import Space
from fertune.trial import Complete, Objective, Outcome

WORST = 1e30


def _told(study: StudySearcher, tuner: str, sampler: Any) -> Any:
    """The sampler, told which parameters to model."""
    chosen = {name: study._distribution(study.space[name]) for name in modelled(tuner, study.space)}
    sampler.infer_relative_search_space = lambda *_: dict(chosen)
    return sampler


class GpSearcher(RebuiltStudy):
    """Gaussian process with log expected improvement; wants torch. Conditional parameters are drawn at random."""

    def _make_sampler(self, seed: int) -> Any:
        sampler = self._optuna.samplers.GPSampler(
            seed=seed, n_startup_trials=self._startup, warn_independent_sampling=False
        )
        return _told(self, "gp", sampler)


class CmaesSearcher(StudySearcher):
    """CMA-ES (Hansen 2016) over the numbers that every configuration has; the rest is drawn at random.

    Failed and pruned trials belong to no generation; beside the pruner ``hyperband`` pruned ones do, as Optuna advises.
    """

    def _make_sampler(self, seed: int) -> Any:
        sampler = self._optuna.samplers.CmaEsSampler(
            seed=seed, warn_independent_sampling=False, consider_pruned_trials=self._pruner == "hyperband"
        )
        return _told(self, "cmaes", sampler)


class QmcSearcher(StudySearcher):
    """A scrambled Sobol sequence over all parameters, conditional ones too: where one is inactive its coordinate is
    not read. It learns nothing from values."""

    def _make_sampler(self, seed: int) -> Any:
        samplers = self._optuna.samplers
        sampler = samplers.QMCSampler(
            qmc_type="sobol", scramble=True, seed=derive("qmc", self.seed),
            independent_sampler=samplers.RandomSampler(seed=seed),
            warn_asynchronous_seeding=False, warn_independent_sampling=False,
        )  # fmt: skip
        return _told(self, "qmc", sampler)


class Nsga2Searcher(StudySearcher):
    """NSGA-II (Deb et al. 2002): one objective, or two.

    A failed trial is told as the worst in all objectives. Nothing is pruned.

    Args:
        second: The other objective; None for one.
    """

    def __init__(self, space: Space, *, second: Objective | None = None, **common: Unpack[Common]) -> None:
        self._objectives = tuple(o for o in (common["objective"], second) if o is not None)
        self.directions = tuple(study_direction(o) for o in self._objectives)
        self._population = population(common["trials"])
        super().__init__(space, **common)

    def _make_sampler(self, seed: int) -> Any:
        sampler = self._optuna.samplers.NSGAIISampler(seed=seed, population_size=self._population)
        return _told(self, "nsga2", sampler)

    def report(self, ticket: int, step: int, value: float) -> bool:
        self._check_open(ticket)
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        told: tuple[float | None, ...] = ()
        if isinstance(outcome, Complete):
            told = (outcome.value, outcome.second)[: len(self._objectives)]
        values = [v for v in told if v is not None and math.isfinite(v)]
        if len(values) != len(self._objectives):
            values = [-WORST if o.direction == "max" else WORST for o in self._objectives]
        with self._quiet():
            self._study.tell(self._trials.pop(ticket), values)
