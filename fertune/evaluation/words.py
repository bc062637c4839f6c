"""How fractions, points and counts are written in a sentence: one decimal, true minus sign, never '-0.0'."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def percent(fraction: float, decimals: int = 1) -> str:
    """``0.6613`` -> ``"66.1 %"``."""
    return f"{100 * fraction:.{decimals}f} %"


def points(fraction: float, decimals: int = 1) -> str:
    """``0.0123`` -> ``"+1.2"``, ``-0.0004`` -> ``"0.0"``: percentage points with their sign."""
    text = f"{abs(100 * fraction):.{decimals}f}"
    if float(text) == 0:
        return text
    return f"{MINUS if fraction < 0 else '+'}{text}"


def decimals_for(*fractions: float) -> int:
    """Fewest decimals, 1 to 4, at which no value that is not 0 reads as 0."""
    for decimals in (1, 2, 3):
        if all(x == 0 or float(f"{abs(100 * x):.{decimals}f}") != 0 for x in fractions):
            return decimals
    return 4


def count(n: int) -> str:
    """``3589`` -> ``"3,589"``."""
    return f"{n:,}"


def pictures(n: int, adjective: str = "") -> str:
    """``"3,589 test pictures"``, ``"1 test picture"``."""
    return " ".join(word for word in (count(n), adjective, "picture" if n == 1 else "pictures") if word)
