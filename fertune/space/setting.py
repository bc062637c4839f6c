"""What a model family or the training recipe understands: a name, a kind, a range, a default."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from fertune.trial import Value

Kind = Literal["int", "float", "bool", "choice"]

_WANTED = {"int": "a whole number", "float": "a number", "bool": "true or false"}


@dataclass(frozen=True)
class Setting:
    """One setting that code reads, described so that spaces can be checked before anything is trained.

    Attributes:
        name: As in the flat settings of a job.
        kind: ``int``, ``float``, ``bool``, or ``choice`` (one of ``choices``).
        default: What holds where nobody says otherwise.
        low, high: Smallest and largest legal number, both inclusive; None is open.
        choices: Legal values where kind is ``choice``.
        doc: One line for people.
    """

    name: str
    kind: Kind
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] | None = None
    doc: str = ""

    def fault(self, value: object) -> str | None:
        """Why ``value`` is not legal, as a clause (``"1.4 is above 0.9, the largest legal value"``); None if it is."""
        if self.kind == "choice":
            if any(value == c and type(value) is type(c) for c in self.choices or ()):
                return None
            return f"{value!r} is not one of {', '.join(str(c) for c in self.choices or ())}"
        if not _is(self.kind, value):
            return f"{value!r} is not {_WANTED[self.kind]}"
        if self.kind == "bool":
            return None
        number = float(value)  # type: ignore[arg-type]
        if self.low is not None and number < self.low:
            return f"{value} is below {_plain(self.low)}, the smallest legal value of {self.name}"
        if self.high is not None and number > self.high:
            return f"{value} is above {_plain(self.high)}, the largest legal value of {self.name}"
        return None

    def coerce(self, value: Value) -> Value:
        """``value`` in the setting's own type: a whole number given for a float becomes a float."""
        if self.kind == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return value

    @property
    def legal(self) -> str:
        """The range for people: ``"0 to 0.9"``, ``"one of adam, sgd"``."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(str(c) for c in self.choices or ())
        if self.low is None and self.high is None:
            return "any number"
        if self.high is None:
            return f"at least {_plain(self.low)}"
        if self.low is None:
            return f"at most {_plain(self.high)}"
        return f"{_plain(self.low)} to {_plain(self.high)}"


def _is(kind: str, value: object) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "int":
        return isinstance(value, int)
    return isinstance(value, (int, float)) and math.isfinite(value)


def _plain(number: float | None) -> str:
    return f"{number:g}" if number is not None else ""
