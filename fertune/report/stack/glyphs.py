"""Marks of the roles, for keys."""

from __future__ import annotations

from fertune.report.blocks import Key
from fertune.report.glyphs import glyph
from fertune.report.stack.rows import ROLE_WORDS, ROLES, Compared

_PATHS = {
    "single": '<circle cx="14" cy="6" r="4.5" style="fill:var(--single)"/>',
    "variant": '<path d="M14 1L19 11H9Z" style="fill:var(--variant)"/>',
    "average": '<path d="M10 2H18V10H10Z" style="fill:var(--average)"/>',
    "meta": '<path d="M14 0L20 6L14 12L8 6Z" style="fill:var(--meta)"/>',
}


def role_key(c: Compared) -> Key:
    """The roles that the table has."""
    present = [r for r in ROLES if any(row["role"] == r for row in c.rows)]
    return Key(tuple((glyph(_PATHS[r]), ROLE_WORDS[r]) for r in present))
