"""How a range is written: ``32..128``, ``1e-4..1e-2:log``, ``0..0.5:0.1``, ``16,32,64``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fertune.errors import SpaceError
from fertune.trial import Value

LEGAL = "legal: LOW..HIGH, LOW..HIGH:log, LOW..HIGH:linear, LOW..HIGH:STEP, or values with commas such as 16,32,64"
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, or, where there are any, exactly ``values``.

    Attributes:
        log: None keeps what the parameter has.
        step: None keeps what the parameter has.
    """

    low: Any = None
    high: Any = None
    log: bool | None = None
    step: float | None = None
    values: tuple[Value, ...] = ()


def read_value(text: str) -> Value:
    """A value as typed: ``true`` and ``false``, a whole number, a number, else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) else text


def read_range(asked: Any) -> Range:
    """A range as typed, or ``(low, high)``, or a list of values.

    Raises:
        SpaceError: It is none of these.
    """
    if isinstance(asked, tuple) and len(asked) == 2 and all(_is_number(v) for v in asked):
        return Range(asked[0], asked[1])
    if isinstance(asked, Sequence) and not isinstance(asked, str) and asked:
        return Range(values=tuple(asked))
    if not isinstance(asked, str):
        raise SpaceError(f"{asked!r} is no range; {LEGAL}")
    span, colon, how = asked.partition(":")
    if ".." not in span:
        values = tuple(read_value(part.strip()) for part in asked.split(",") if part.strip())
        if not values or colon:
            raise SpaceError(f"{asked!r} is no range; {LEGAL}")
        return Range(values=values)
    low, high = (read_value(part.strip()) for part in span.split("..", 1))
    step = read_value(how) if how not in ("", "log", "linear") else None
    numbers = [low, high] if step is None else [low, high, step]
    if not all(map(_is_number, numbers)) or (colon and not how):
        raise SpaceError(f"{asked!r} is no range; {LEGAL}")
    return Range(low, high, {"log": True, "linear": False}.get(how), step)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
