"""The colours, once: figures are drawn in the light ones, and each is swapped for the variable that knows both."""

from __future__ import annotations

_ROLES: dict[str, tuple[str, str]] = {
    "page": ("#ffffff", "#0f1419"),
    "surface": ("#f5f7f9", "#182028"),
    "ink": ("#1a2027", "#e7ebf0"),
    "muted": ("#55606c", "#a3aebb"),
    "axis": ("#7b8794", "#768391"),
    "grid": ("#dde2e8", "#2b343e"),
    "link": ("#0b5cad", "#79b8ff"),
    "warning": ("#8a5a00", "#e3b341"),
    "single": ("#2e6bd8", "#4684f4"),
    "variant": ("#a1600d", "#ac8049"),
    "average": ("#205243", "#6ef593"),
    "meta": ("#6a1488", "#efb0f9"),
    "right": ("#1f8a4c", "#4fe39b"),
    "wrong": ("#9b1020", "#e55647"),
}
_CLASSES = (
    ["#3080bc", "#d26c28", "#6b9880", "#603492", "#860f27", "#145253", "#69631c", "#ad4682"],
    ["#2794fb", "#985108", "#42a228", "#774cac", "#f5ac9d", "#60ecef", "#e9d919", "#cc5d8f"],
)
_SEQUENTIAL = (
    ["#f0f8fe", "#c9e5fa", "#a2d3f6", "#7abcec", "#549dd9", "#2d7fc6", "#1b60a8", "#134485", "#0b2964"],
    ["#171f27", "#1b3047", "#1f426a", "#27568d", "#3372af", "#3e8fd1", "#64b1e5", "#9ad4f3", "#daf3fe"],
)
_DIVERGING = (
    ["#02468b", "#276fb1", "#4b99d7", "#9dc7e8", "#f3f5f7", "#edc69d", "#e39849", "#b2682c", "#813c0f"],
    ["#81cffc", "#59a3da", "#3578b8", "#2c4e70", "#20262d", "#664226", "#a5612e", "#ce8f51", "#f7bf77"],
)
STEPS = 9
CLASSES = 8


def luminance(colour: str) -> float:
    """Relative luminance of a ``#rrggbb`` colour (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _text_on(colour: str) -> str:
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))


def _table() -> dict[str, tuple[str, str, str]]:
    """variable -> (hex that figures are drawn in, value in light, value in dark)."""
    table = {name: (light, light, dark) for name, (light, dark) in _ROLES.items()}
    table |= {f"class-{i}": (a, a, b) for i, (a, b) in enumerate(zip(*_CLASSES, strict=True))}
    for name, mark, (lights, darks) in (("seq", "5e", _SEQUENTIAL), ("div", "d1", _DIVERGING)):
        for i, (a, b) in enumerate(zip(lights, darks, strict=True)):
            table[f"{name}-{i}"] = (a, a, b)
            # Text upon a cell: a stand-in hex of its own, since what contrasts most differs between the themes.
            table[f"{name}-{i}-text"] = (f"#00{mark}0{i}", _text_on(a), _text_on(b))
    return table


_TABLE = _table()
VARIABLE: dict[str, str] = {drawn: name for name, (drawn, _, _) in _TABLE.items()}
"""Hex that figures use -> name of the css variable."""
HEX: dict[str, str] = {name: drawn for name, (drawn, _, _) in _TABLE.items()}
"""Name -> hex to draw in."""


def css(theme: str) -> str:
    """The declarations of one theme, ``light`` or ``dark``."""
    index = 1 if theme == "light" else 2
    return "".join(f"--{name}:{row[index]};" for name, row in _TABLE.items())


def step(value: float, low: float, high: float) -> int:
    """Which of the nine steps a value falls in; the ends are clipped."""
    if not high > low:
        return 0
    return min(STEPS - 1, max(0, int((value - low) / (high - low) * STEPS)))
