"""Parameters that are numbers between two bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np

from fertune.errors import SpaceError
from fertune.space.param import Param, When


@dataclass(frozen=True)
class Int(Param):
    """Whole numbers from ``low`` to ``high``, both inclusive, in steps of ``step``.

    Args:
        step: At least 1; ``high`` is ``low`` plus a whole number of steps.
        log: Draw uniformly in the logarithm (``low`` at least 1, no step).
    """

    kind: ClassVar[str] = "int"
    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    when: When | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        faults = [
            f"{key}: {value!r} is not a whole number"
            for key, value in (("low", self.low), ("high", self.high), ("step", self.step))
            if type(value) is not int
        ]
        if not isinstance(self.log, bool):
            faults.append(f"log: {self.log!r} is not true or false")
        if not faults:
            faults = list(_range_faults(self.low, self.high, self.step, self.log, smallest=1))
        self._raise(faults + self._settle_when())

    @property
    def count(self) -> int:
        return (self.high - self.low) // self.step + 1

    @property
    def first(self) -> int:
        return self.low

    @property
    def last(self) -> int:
        return self.high

    @property
    def text(self) -> str:
        step = f", step {self.step}" if self.step != 1 else ""
        return f"{self.low} to {self.high}{step}{', log' if self.log else ''}"

    def values(self) -> Iterator[int]:
        return iter(range(self.low, self.high + 1, self.step))

    def fault(self, value: object) -> str | None:
        if type(value) is not int:
            return f"{value!r} is not a whole number"
        if not self.low <= value <= self.high:
            return f"{value} is not in {self.low} to {self.high}"
        if (value - self.low) % self.step:
            return f"{value} is not {self.low} plus a whole number of steps of {self.step}"
        return None

    def sample(self, rng: np.random.Generator) -> int:
        if not self.log:
            return self.low + self.step * int(rng.integers(self.count))
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high + 1)))
        return min(max(int(drawn), self.low), self.high)

    def nearest(self, value: float) -> int:
        """The legal value nearest to ``value``."""
        steps = round((value - self.low) / self.step)
        return self.low + self.step * min(max(steps, 0), self.count - 1)

    def to_dict(self) -> dict[str, Any]:
        step = {"step": self.step} if self.step != 1 else {}
        return self._dict(low=self.low, high=self.high, **step, **({"log": True} if self.log else {}))


@dataclass(frozen=True)
class Float(Param):
    """Numbers from ``low`` to ``high``, both inclusive; with ``step`` only ``low + i * step``.

    Stepped values are computed in decimals, so 0.3 is 0.3 and never 0.30000000000000004.

    Args:
        step: Above 0; ``high`` is ``low`` plus a whole number of steps. None is any number between.
        log: Draw uniformly in the logarithm (``low`` above 0, no step).
    """

    kind: ClassVar[str] = "float"
    name: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    when: When | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        faults = []
        for key, value in (("low", self.low), ("high", self.high), ("step", self.step)):
            if key == "step" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                faults.append(f"{key}: {value!r} is not a number{_number_hint(value)}")
            else:
                self._set(**{key: float(value)})
        if not isinstance(self.log, bool):
            faults.append(f"log: {self.log!r} is not true or false")
        if not faults:
            faults = list(_range_faults(self.low, self.high, self.step, self.log, smallest=None))
        self._raise(faults + self._settle_when())

    @property
    def count(self) -> int | None:
        if self.step is not None:
            return int((_dec(self.high) - _dec(self.low)) // _dec(self.step)) + 1
        return 1 if self.low == self.high else None

    @property
    def first(self) -> float:
        return self.low

    @property
    def last(self) -> float:
        return self.high

    @property
    def text(self) -> str:
        step = f", step {self.step:g}" if self.step is not None else ""
        return f"{self.low:g} to {self.high:g}{step}{', log' if self.log else ''}"

    def at(self, index: int) -> float:
        """The stepped value with this index, from 0."""
        return float(_dec(self.low) + index * _dec(self.step or 0.0))

    def values(self) -> Iterator[float]:
        if self.count is None:
            raise SpaceError(f"parameter {self.name!r} has no end of values; give it a step")
        return (self.at(i) for i in range(self.count))

    def fault(self, value: object) -> str | None:
        if type(value) is not float or not math.isfinite(value):
            return f"{value!r} is not a floating-point number"
        if not self.low <= value <= self.high:
            return f"{value} is not in {self.low:g} to {self.high:g}"
        if self.step is not None and self.nearest(value) != value:
            return f"{value} is not {self.low:g} plus a whole number of steps of {self.step:g}"
        return None

    def sample(self, rng: np.random.Generator) -> float:
        if self.step is not None:
            return self.at(int(rng.integers(self.count or 1)))
        if self.log:
            return self.nearest(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))
        return self.nearest(float(rng.uniform(self.low, self.high)))

    def nearest(self, value: float) -> float:
        """The legal value nearest to ``value``."""
        if self.step is None:
            return min(max(float(value), self.low), self.high)
        steps = round((value - self.low) / self.step)
        return self.at(min(max(steps, 0), (self.count or 1) - 1))

    def to_dict(self) -> dict[str, Any]:
        step = {} if self.step is None else {"step": self.step}
        return self._dict(low=self.low, high=self.high, **step, **({"log": True} if self.log else {}))


def _range_faults(low: float, high: float, step: float | None, log: bool, smallest: int | None) -> Iterator[str]:
    if high < low:
        yield f"high: {high:g} is below low, {low:g}"
        return
    stepped = step is not None and not (smallest == 1 and step == 1)
    if step is not None and step <= 0:
        yield f"step: {step:g} is not above 0"
    elif step is not None and (_dec(high) - _dec(low)) % _dec(step):
        fit = int((_dec(high) - _dec(low)) // _dec(step))
        below, above = _dec(low) + fit * _dec(step), _dec(low) + (fit + 1) * _dec(step)
        yield f"high: {high:g} is not low plus a whole number of steps of {step:g}; {below} or {above} is"
    if log and stepped:
        yield "step: stands beside log, which Optuna refuses; leave one of the two out"
    if log and (low < 1 if smallest else low <= 0):
        yield (
            f"low: {low:g} has no logarithm to search in; give at least 1"
            if smallest
            else (f"low: {low:g} has no logarithm; give a number above 0")
        )


def _dec(number: float) -> Decimal:
    """The decimal that people read: 0.1 is exactly a tenth."""
    return Decimal(repr(number))


def _number_hint(value: object) -> str:
    if not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return " but a text; take the quotes away"
