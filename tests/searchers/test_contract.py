"""All engines under the one contract."""

from __future__ import annotations

from typing import Any

import pytest

from fertune.searchers import Around, Engine, make_searcher
from fertune.searchers.bayesian import BayesianSearcher
from fertune.space import Space
from fertune.testing import SearcherContract


class TestRandom(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("random", space, **options)


class TestHyperband(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("hyperband", space, **options)


class TestHyperbandWithManyRungs(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("hyperband", space, **{**options, "max_epochs": options["max_epochs"] * 3})

    def fresh(self, *args: Any, **options: Any) -> Engine:
        return super().fresh(*args, **{"max_epochs": 3, **options})


class TestHyperbandOverRows(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("hyperband", space, fidelity="data", **options)


class TestAsha(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("asha", space, **options)


class TestAshaOverRows(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("asha", space, fidelity="data", **options)


class TestAshaOverPixels(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("asha", space, fidelity="resolution", around=Around(side=48), **options)


class TestSprintWithoutAClock(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("sprint", space, **options)


class TestSprintWithAClockThatStands(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("sprint", space, around=Around(time_left=lambda: 900.0), **options)


class TestTpe(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("tpe", space, **options)


class TestTpeWithMedianPruner(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("tpe", space, pruner="median", **options)


class TestTpeWithHyperbandPruner(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("tpe", space, pruner="hyperband", **options)


class TestTpeWithAshaPruner(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("tpe", space, pruner="asha", **options)


@pytest.mark.slow
class TestGp(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        pytest.importorskip("torch", reason="it is of an extra")
        return make_searcher("gp", space, **options)


class TestCmaes(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        pytest.importorskip("cmaes", reason="it is of an extra")
        return make_searcher("cmaes", space, **options)


@pytest.mark.slow
class TestCmaesWithHyperbandPruner(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        pytest.importorskip("cmaes", reason="it is of an extra")
        return make_searcher("cmaes", space, pruner="hyperband", **options)


class TestQmc(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("qmc", space, **options)


@pytest.mark.slow
class TestQmcWithAshaPruner(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("qmc", space, pruner="asha", **options)


class TestNsga2(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("nsga2", space, **options)


class TestGrid(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return make_searcher("grid", space, **options)


@pytest.mark.slow
class TestBayesianAtItsRandomStart(SearcherContract):
    def make(self, space: Space, **options: Any) -> Engine:
        return BayesianSearcher(space, start=10**6, **options)


@pytest.mark.slow
class TestBayesian(SearcherContract):
    """With a start and few restarts that leave a handful of asks to the model in each test; one takes a second."""

    def make(self, space: Space, **options: Any) -> Engine:
        made = BayesianSearcher(space, start=9, **options)
        made._oracle.gpr.n_restarts_optimizer = 1
        return made
