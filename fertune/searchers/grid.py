"""Grid search: every combination once. What is continuous is cut into a few values first.

Keras Tuner's oracle lists the combinations, the last parameter varying first, and hands out one or two at a time while
others run. Here each is listed and told at once, so that any number can run side by side. Where fewer trials are asked
for than there are combinations, that order would never leave the first values of the first parameters: then they are
drawn at random from the whole grid.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import numpy as np

from fertune.searchers.engine import Common
from fertune.searchers.keras_tuner import OracleSearcher, plain_value
from fertune.searchers.start import starts
from fertune.space import Choice, Float, Int, Param, Space
from fertune.trial import Exhausted, Outcome, Suggestion, Value, Wait

GRID_VALUES = 5
"""Values of a parameter without a step, and of a logarithmic one that has more: both ends and three between."""


class GridSearcher(OracleSearcher):
    """All points of ``gridded(space)``."""

    salted = False

    def __init__(self, space: Space, **common: Unpack[Common]) -> None:
        grid = gridded(space)
        super().__init__(grid, **common)
        self._first = starts(space, self.seed)
        self._size = grid_size(space) + sum(not grid.contains(params) for params in self._first)
        self._in_order = self._goal is None or self._goal >= grid_size(space)
        self._whole = space.size() == grid_size(space)

    def _make_oracle(self, **options: Any) -> Any:
        return self._kt.oracles.GridSearchOracle(**options)

    def ask(self) -> Suggestion | Wait | Exhausted:
        end = self._end()
        if end:
            return end if self._whole else Exhausted(end.reason.replace("of the space", "of the grid"))
        params = self._given()
        if params is None and self._in_order:
            params = self._listed()
            while params is not None and not self._is_new(params):
                params = self._listed()
        if params is None:
            params = self._untried()
        if params is None:
            return Exhausted("no new configuration was found in the space")
        return self._suggest(params, self.max_epochs)

    def _listed(self) -> dict[str, Value] | None:
        trial = self._create()
        if trial.status != "RUNNING":
            return None
        drawn = trial.hyperparameters.values
        self._finish(trial, 0.0)
        return self.space.walk(lambda param: plain_value(param, drawn[param.name]))

    def tell(self, ticket: int, outcome: Outcome) -> None:
        """Values teach a grid nothing."""
        self._close(ticket)


def grid_size(space: Space) -> int:
    """Number of points of the grid."""
    size = gridded(space).size()
    if size is None:
        raise RuntimeError("a grid has an end")
    return size


def gridded(space: Space) -> Space:
    """The space with a few values for each parameter that has no step.

    A ``Float`` without ``step`` has ``GRID_VALUES`` values, evenly spread (in the logarithm where ``log``), so has a
    logarithmic ``Int`` with more; every other parameter keeps all of its values. A value that another parameter's
    ``when`` names is always among them.
    """
    named: dict[str, list[Value]] = {}
    for param in space.params:
        for parent, values in (param.when or {}).items():
            named.setdefault(parent, []).extend(values)
    return replace(space, start=(), params=[_cut(param, named.get(param.name, [])) for param in space.params])


def _cut(param: Param, named: list[Value]) -> Param:
    whole = isinstance(param, Int) and param.log and param.count > GRID_VALUES
    if not whole and not (isinstance(param, Float) and param.step is None):
        return param
    low, high = float(param.first), float(param.last)
    spread = np.geomspace if getattr(param, "log", False) else np.linspace
    drawn = [float(v) for v in spread(low, high, GRID_VALUES)]
    # three digits: a grid is read by people
    inner = [round(v) if whole else float(f"{v:.3g}") for v in drawn]
    values = {param.first, param.last, *(v for v in inner if low < v < high)}
    return Choice(param.name, sorted({*values, *named}), param.when)
