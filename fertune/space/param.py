"""What all parameters of a space share.

They keep to what Keras Tuner and Optuna both accept: inclusive bounds, no step beside ``log``, choices of one scalar
type. What is not legal raises ``SpaceError``, all faults of a parameter at once.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fertune.errors import SpaceError
from fertune.trial import Value

When = Mapping[str, tuple[Value, ...]]


class Param(ABC):
    """A named set of values, perhaps active only where an earlier parameter has one of some values.

    Attributes:
        name: A Python identifier.
        when: ``{parent: (values, ...)}`` with one parent that stands earlier in the space; None is always active.
        kind: The word for it in a space file.
    """

    kind: ClassVar[str]
    name: str
    when: When | None

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many values; None where there is no end of them."""

    @property
    @abstractmethod
    def first(self) -> Value:
        """The lowest, or first declared, value."""

    @property
    @abstractmethod
    def last(self) -> Value:
        """The highest, or last declared, value."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The values for people, e.g. ``"2 to 4"``, ``"0.0001 to 0.01, log"``."""

    @abstractmethod
    def values(self) -> Iterator[Value]:
        """All values in order, for a finite parameter."""

    @abstractmethod
    def fault(self, value: object) -> str | None:
        """Why ``value`` is not one of the values, as a clause; None if it is. Types are strict: 1 is no float."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Value:
        """One value, uniform (in the logarithm where ``log``)."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The mapping of a space file, plain values only."""

    def settled(self, value: Value) -> Value:
        """``value`` in the parameter's own type, where it is the same number: 0 becomes 0.0 for a choice of floats."""
        return value

    def under(self, parent: Param) -> Param:
        """The same parameter, the values of its condition in the type of ``parent``."""
        if self.when is None:
            return self
        child = copy.copy(self)
        child._set(when={parent.name: tuple(parent.settled(v) for v in self.when[parent.name])})
        return child

    def contains(self, value: object) -> bool:
        return self.fault(value) is None

    def active(self, chosen: Mapping[str, Value]) -> bool:
        """Whether it is active beside the values chosen so far."""
        if self.when is None:
            return True
        ((parent, values),) = self.when.items()
        return parent in chosen and chosen[parent] in values

    def _dict(self, **own: Any) -> dict[str, Any]:
        when = {} if self.when is None else {"when": {p: list(v) for p, v in self.when.items()}}
        return {"type": self.kind, **own, **when}

    def _set(self, **fields: Any) -> None:
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def _raise(self, faults: Sequence[str]) -> None:
        if faults:
            raise SpaceError(f"parameter {self.name!r} of type {self.kind} is not legal", details=faults)

    def _settle_when(self) -> list[str]:
        """Bring ``when`` into its one shape; what cannot be is a fault."""
        when: object = self.when
        if when is None:
            return []
        if not isinstance(when, Mapping) or len(when) != 1:
            return [f"when: {when!r} must name one parent and its values, e.g. {{blocks: [3, 4]}}"]
        ((parent, values),) = when.items()
        if not isinstance(parent, str):
            return [f"when: {parent!r} is not the name of a parameter"]
        listed = list(values) if isinstance(values, (list, tuple)) else [values]
        if not listed or not all(isinstance(v, (bool, int, float, str)) for v in listed):
            return [f"when.{parent}: {values!r} is not a list of plain values"]
        self._set(when={parent: tuple(listed)})
        return []
