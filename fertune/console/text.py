"""Outside text made safe for a terminal, and numbers made short for people.

Rich lets ESC through and reads ``[/x]`` as markup; here nothing from outside reaches it but as escaped, plain text.
"""

from __future__ import annotations

import math
import re
import shlex
import unicodedata

STAND_INS = str.maketrans(
    {
        "━": "=",
        "─": "-",
        "▶": ">",
        "★": "*",
        "·": "-",
        "×": "x",
        "−": "-",
        "…": "~",
        "●": "o",
        "▲": "^",
        "■": "#",
        "◆": "+",
        "▁": "_",
        "▂": "_",
        "▃": "-",
        "▄": "-",
        "▅": "=",
        "▆": "=",
        "▇": "#",
        "█": "#",
        "–": "-",
        "’": "'",
    }
)
"""One ASCII character for each glyph of ours, so that columns keep their width."""

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that steer a terminal, turn the direction of writing, or cannot be encoded."""


def plain(text: str, encoding: str = "utf-8") -> str:
    """``text`` on one line, with everything that steers a terminal shown as an escape.

    Control bytes, direction marks and lone surrogates become ``\\x1b``-like escapes. Glyphs that ``encoding`` lacks
    get an ASCII stand-in, and all else that it lacks an escape.
    """
    out = "".join(_escape(c) if unicodedata.category(c) in _HIDDEN else c for c in text)
    try:
        out.encode(encoding)
    except UnicodeEncodeError:
        out = "".join(_encodable(c, encoding) for c in out)
    return out


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a path that is not utf-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _encodable(char: str, encoding: str) -> str:
    for candidate in (char, char.translate(STAND_INS)):
        try:
            candidate.encode(encoding)
        except UnicodeEncodeError:
            continue
        return candidate
    return _escape(char)


def shell_word(word: str) -> str:
    """``word`` so that pasting it into bash gives it back, control bytes too."""
    if not any(unicodedata.category(c) in _HIDDEN for c in word):
        return shlex.quote(word)
    return "$'" + "".join(_ansi_c(c) for c in word) + "'"


def _ansi_c(char: str) -> str:
    code = ord(char)
    if char in "\\'":
        return "\\" + char
    if unicodedata.category(char) not in _HIDDEN:
        return char
    # a number under 0xA0 is a character of its own here, a byte there: bash reads \x as a byte
    return f"\\u{code:04x}" if 0x80 <= code < 0x100 else _escape(char)


def field(value: str) -> str:
    """A value of a ``key=value`` line: as it is where it is one word, else in double quotes."""
    if re.fullmatch(r"[\w.,:/+%@\[\]()-]+", value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def duration(seconds: float) -> str:
    """``62 s``, ``8 min 12 s``, ``3 h 5 min``, ``2 d 3 h``."""
    if seconds < 0.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def short_duration(seconds: float) -> str:
    """At most six cells: ``62 s``, ``8m12s``, ``3h05m``, ``2d03h``."""
    whole = round(seconds)
    if whole < 100:
        return f"{max(whole, 0)} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 48 * 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def age_text(seconds: float) -> str:
    """How long ago, in one unit: ``now``, ``5 m``, ``3 h``, ``2 d``."""
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} m"
    return f"{seconds // 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds // 86400:.0f} d"


def bytes_text(size: int) -> str:
    """``812 B``, ``61 MB``, ``1.2 GB``; a kB is 1,000 bytes."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}" if unit != "B" and amount < 9.95 else f"{amount:.0f} {unit}"


def score(value: float | None) -> str:
    """Four decimals; ``-`` where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.4f}"


def value_text(value: object) -> str:
    """A hyperparameter, to four significant digits and never with an exponent that a reader must undo by hand."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not math.isfinite(value) or value == 0:
            return str(value)
        if abs(value) >= 1e6 or abs(value) < 1e-6:
            return f"{value:.2e}"
        digits = max(0, 3 - math.floor(math.log10(abs(value))))
        text = f"{value:.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def count(n: int, noun: str, plural: str | None = None) -> str:
    """``1 trial``, ``1,200 trials``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def percent(fraction: float) -> str:
    """``66.1``: one decimal, without the sign."""
    return f"{100 * fraction:.1f}"


def points(difference: float) -> str:
    """``+1.2``, ``-0.6``, ``0.0``: a difference of fractions in percentage points, one decimal."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def p_text(p: float | None) -> str:
    """Three decimals, ``<0.001`` below that, ``-`` where there is none."""
    if p is None or not math.isfinite(p):
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
