"""Parameters that are one of a few values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fertune.space.param import Param, When
from fertune.trial import Value


@dataclass(frozen=True)
class Choice(Param):
    """One of some texts or numbers, all of one type; no order is implied.

    Whole numbers beside fractions become floats. Declared as ``Choice(name, values, when)``.

    Attributes:
        choices: The values.
    """

    kind: ClassVar[str] = "choice"
    name: str
    choices: Sequence[Value] = ()
    when: When | None = field(default=None, hash=False)

    def __init__(self, name: str, values: Sequence[Value], when: Mapping[str, Any] | None = None) -> None:
        self._set(name=name, choices=values, when=when)
        self._raise(self._settle_values() + self._settle_when())

    def _settle_values(self) -> list[str]:
        given: object = self.choices
        if not isinstance(given, (list, tuple)) or not given:
            return [f"values: {given!r} is not a list of at least one value"]
        types = {type(v) for v in given}
        if bool in types:
            return ["values: true and false are a parameter of type bool"]
        if not types <= {int, float, str}:
            return [f"values: {given!r} must hold texts or numbers only"]
        if len(types) > 1 and str in types:
            return [f"values: {list(given)!r} mixes texts and numbers; both engines want one type"]
        if not all(math.isfinite(v) for v in given if isinstance(v, float)):
            return [f"values: {list(given)!r} holds a number that is not finite"]
        listed = [float(v) for v in given] if float in types else list(given)
        twice = sorted({str(v) for v in listed if listed.count(v) > 1})
        if twice:
            return [f"values: {', '.join(twice)} stands there twice"]
        self._set(choices=tuple(listed))
        return []

    def settled(self, value: Value) -> Value:
        floats = isinstance(self.choices[0], float)
        return float(value) if floats and type(value) is int else value

    @property
    def count(self) -> int:
        return len(self.choices)

    @property
    def first(self) -> Value:
        return self.choices[0]

    @property
    def last(self) -> Value:
        return self.choices[-1]

    @property
    def text(self) -> str:
        return "one of " + ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in self.choices)

    def values(self) -> Iterator[Value]:
        return iter(self.choices)

    def fault(self, value: object) -> str | None:
        if type(value) is type(self.choices[0]) and value in self.choices:
            return None
        return f"{value!r} is not {self.text}"

    def sample(self, rng: np.random.Generator) -> Value:
        return self.choices[int(rng.integers(self.count))]

    def to_dict(self) -> dict[str, Any]:
        return self._dict(values=list(self.choices))


@dataclass(frozen=True)
class Bool(Param):
    """True or false."""

    kind: ClassVar[str] = "bool"
    name: str
    when: When | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        self._raise(self._settle_when())

    @property
    def count(self) -> int:
        return 2

    @property
    def first(self) -> bool:
        return False

    @property
    def last(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return "true or false"

    def values(self) -> Iterator[bool]:
        return iter((False, True))

    def fault(self, value: object) -> str | None:
        return None if isinstance(value, bool) else f"{value!r} is not true or false"

    def sample(self, rng: np.random.Generator) -> bool:
        return bool(rng.integers(2))

    def to_dict(self) -> dict[str, Any]:
        return self._dict()
