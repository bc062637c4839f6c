"""Small drawings of our own, for keys."""

from __future__ import annotations

from markupsafe import Markup


def glyph(inner: str) -> Markup:
    """A drawing of 28 by 12 px from markup of our own, never of a user."""
    return Markup('<svg class="glyph" viewBox="0 0 28 12" aria-hidden="true">') + Markup(inner) + Markup("</svg>")
