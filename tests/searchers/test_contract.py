"""All engines under the one contract."""

from __future__ import annotations

from typing import Any

from searcher_contract import SearcherContract

from fertune.searchers import Engine, make_searcher
from fertune.space import Space


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
