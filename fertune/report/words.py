"""How numbers, names and spans of time are said. Pure; every sentence and table of the report goes through here."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeGuard

import numpy as np

MINUS = "\u2212"
SPACE = "\u00a0"
NOTHING = "-"

_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0xFEFF}
_PATH = re.compile(r"(?:(?<![\w.:/\\~<])(?:~|[A-Za-z]:)?[/\\]|(?<=file://)/)(?:[^\s/\\:'\",;()=<>]+[/\\])+")
_BARE = re.compile(r"(?<![^\s'\"=(])/[^\s/:'\",;()=<>]+(?![^\s'\",;)])")

_P = ParamSpec("_P")
_heard: ContextVar[list[tuple[str, float]] | None] = ContextVar("_heard", default=None)


class Told(str):
    """A sentence that knows its numbers.

    Attributes:
        numbers: (as written, the value itself): shares and differences of shares as fractions, times in seconds.
    """

    numbers: tuple[tuple[str, float], ...] = ()


def telling(write: Callable[_P, str]) -> Callable[_P, Told]:
    """For functions that write a finding: what they say through this module is kept beside the sentence."""

    @functools.wraps(write)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> Told:
        token = _heard.set([])
        try:
            out = Told(write(*args, **kwargs))
            heard = _heard.get() or []
        finally:
            _heard.reset(token)
        if (outer := _heard.get()) is not None:
            outer += heard
        found = {text: (_place(text, out), float(value)) for text, value in heard}
        out.numbers = tuple((t, v) for t, (at, v) in sorted(found.items(), key=lambda f: f[1][0]) if at >= 0)
        return out

    return told


def _place(text: str, sentence: str) -> int:
    """Where ``text`` stands in a sentence as a number of its own; -1 where it does not."""
    found = re.search(rf"(?<![\w.,{MINUS}+]){re.escape(text)}(?![\d]|[.,]\d)", sentence)
    return found.start() if found else -1


def _said(text: str, value: float) -> str:
    """``text``, noted down where a finding is being written."""
    heard = _heard.get()
    if heard is not None and text != NOTHING:
        heard.append((text, value))
    return text


def known(x: object) -> TypeGuard[float]:
    """Whether there is a finite number."""
    return isinstance(x, (int, float, np.number)) and math.isfinite(float(x))


def _figures(x: float | None, digits: int) -> str:
    if x is None or not math.isfinite(x):
        return NOTHING
    text = f"{abs(x):,.{digits}f}"
    return f"{MINUS}{text}" if x < 0 and float(text.replace(",", "")) != 0 else text


def _with_sign(x: float | None, digits: int) -> str:
    text = _figures(x, digits)
    return text if x is None or not math.isfinite(x) or x < 0 or not any(c in "123456789" for c in text) else f"+{text}"


def number(x: float | None, digits: int = 0) -> str:
    """A number with a true minus, thousands parted, never ``-0.0``; ``-`` where there is none."""
    return _said(_figures(x, digits), x if x is not None else math.nan)


def signed(x: float | None, digits: int = 1) -> str:
    """``+1.2``, ``−0.6``, ``0.0``."""
    return _said(_with_sign(x, digits), x if x is not None else math.nan)


def percent(x: float | None, digits: int = 1) -> str:
    """A fraction as ``63.1 %``."""
    return _said(f"{_figures(100 * x, digits)}{SPACE}%", x) if known(x) else NOTHING


def points(x: float | None) -> str:
    """A signed difference of fractions in points: ``+1.2``."""
    return _said(_with_sign(100 * x, 1), x) if known(x) else NOTHING


def gap(x: float | None) -> str:
    """The size of a difference of fractions in points, without its sign: ``1.2``."""
    return _said(_figures(abs(100 * x), 1), abs(x)) if known(x) else NOTHING


def p_value(p: float | None) -> str:
    if not known(p):
        return NOTHING
    return "<0.001" if p < 0.001 else number(p, 3)


def ratio(x: float | None) -> str:
    """A ratio without its sign: ``5.2``, ``130``."""
    return number(x, 1 if known(x) and x < 100 else 0)


def times(x: float | None) -> str:
    """A ratio: ``5.2x``."""
    return f"{ratio(x)}\u00d7" if known(x) else NOTHING


def plain(value: Any) -> str:
    """A parameter's value in few digits; text is made visible."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return _said(str(value).replace("-", MINUS), value)
    if isinstance(value, float):
        return _said(_few_digits(value), value)
    return visible(str(value))


def _few_digits(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace("-", MINUS)
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("-", MINUS)


def count(n: int, one: str, many: str | None = None) -> str:
    """``1 trial``, ``2,000 trials``."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def verb(n: int, one: str, many: str) -> str:
    """The form of a word that goes with ``n``."""
    return one if n == 1 else many


def listed(items: Iterable[str], *, most: int = 6) -> str:
    """``a, b and c``; past ``most`` ``a, b and 3 more``."""
    names = list(items)
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def duration(seconds: float | None) -> str:
    """``19 min 40 s``, ``2 h 5 min``, ``0.4 s``."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return NOTHING
    return _said(_span(seconds), seconds)


def _span(seconds: float) -> str:
    if seconds < 9.95:
        return f"{_figures(seconds, 1)}{SPACE}s"
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours >= 48:
        return f"{hours // 24}{SPACE}d {hours % 24}{SPACE}h"
    if hours:
        return f"{hours}{SPACE}h {minutes}{SPACE}min" if minutes else f"{hours}{SPACE}h"
    if minutes:
        return f"{minutes}{SPACE}min {rest}{SPACE}s" if rest else f"{minutes}{SPACE}min"
    return f"{whole}{SPACE}s"


def moment(seconds: float | None) -> str:
    """Seconds since the epoch as ``2026-01-31 14:02 UTC``."""
    if not known(seconds) or not seconds:
        return "not recorded"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def visible(text: Any) -> str:
    """Text from outside with control and bidirectional characters shown as escapes."""
    whole = str(text)
    if whole.isprintable():  # neither kind is
        return whole
    out = []
    for char in whole:
        code = ord(char)
        kind = unicodedata.category(char)
        if code in _BIDI or kind == "Cs" or (kind == "Cc" and char not in "\n\t"):
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
        else:
            out.append(char)
    return "".join(out)


def line(text: Any) -> str:
    """``visible`` text on one line."""
    return " ".join(visible(text).split())


def short(text: Any, most: int = 24) -> str:
    """One line of at most ``most`` characters, cut in the middle so that both ends can be told apart."""
    whole = line(text)
    if len(whole) <= most:
        return whole
    head = (most - 1) * 2 // 3
    return f"{whole[:head]}\u2026{whole[len(whole) - (most - 1 - head) :]}"


def width_of(text: str, size: float = 12.0) -> float:
    """About how many px a text is wide in a wide sans-serif face; errs on the large side."""
    total = 0.0
    for char in text:
        if char in "wWmM@%\u2026" or unicodedata.east_asian_width(char) in "WF":
            total += 1.0
        elif char in "iljtfI.,:;|!'()[] -":
            total += 0.42
        else:
            total += 0.76 if char.isupper() else 0.62
    return total * size


def fitted(text: Any, most: float, size: float = 12.0) -> str:
    """One line of text, shortened in the middle until it is about ``most`` px wide at most."""
    letters = min(len(line(text)), 80)
    told = short(text, letters)
    while letters > 3 and width_of(told, size) > most:
        letters -= 1
        told = short(text, letters)
    return told


def often(n: int) -> str:
    """``once``, ``twice``, ``3 times``, ``not once``."""
    return f"{number(n)} times" if n > 2 else ("not once", "once", "twice")[n]


def without_paths(text: Any) -> str:
    """Text in which absolute paths keep their last name only: ``/home/ann/fer.csv`` is ``fer.csv``."""
    return _BARE.sub(lambda m: m.group(0)[1:], _PATH.sub("", visible(text)))
