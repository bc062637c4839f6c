"""Figures outside the page: one SVG file that needs no style sheet, in light colours on its own white ground."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from markupsafe import escape

from fertune.report.blocks import Block, Figure, Grid, Key, Picture, Pictures, Section
from fertune.report.theme import css
from fertune.report.words import line, width_of

_LIGHT = dict(part.split(":") for part in css("light").replace("--", "").rstrip(";").split(";"))
_VARIABLE = re.compile(r"var\(--([\w-]+)\)")
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)([\w-]+)')
_BOX = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"')
WIDTH, GAP = 920, 24
FONT = "system-ui,sans-serif"


def _size(markup: str) -> tuple[float, float]:
    """Width and height of a figure's own coordinates."""
    found = _BOX.search(markup)
    if found is None:
        raise ValueError("a figure without a viewBox")
    return float(found.group(3)), float(found.group(4))


@dataclass(frozen=True)
class _Placed:
    """Markup and the box that it is drawn in."""

    markup: str
    x: float
    y: float
    width: float
    height: float

    @property
    def svg(self) -> str:
        box = f'x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}" '
        return self.markup.replace("<svg ", f"<svg {box}", 1)


def _row(figures: Sequence[Figure], top: float) -> tuple[list[_Placed], float]:
    """Figures beside each other, at their own size, as many in a row as fit; returns them and where they end."""
    placed: list[_Placed] = []
    x, tall = 0.0, 0.0
    for figure in figures:
        markup = str(figure.wide or figure.narrow)
        width, height = _size(markup)
        if x and x + width > WIDTH:
            x, top, tall = 0.0, top + tall + GAP, 0.0
        placed.append(_Placed(markup, x, top, width, height))
        x, tall = x + width + GAP, max(tall, height)
    return placed, top + tall + GAP


def _picture(picture: Picture, x: float, y: float, side: float) -> str:
    """A thumbnail in its frame with its lines below."""
    width, height = _size(picture.markup)
    tall = side * height / width
    svg = _Placed(str(picture.markup), x, y, side, tall).svg
    colour = {True: "right", False: "wrong", None: "axis"}[picture.right]
    dashes = ' stroke-dasharray="5 4"' if picture.right is False else ""
    frame = (
        f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{tall:g}" fill="none" stroke="var(--{colour})" '
        f'stroke-width="3"{dashes}/>'
    )
    lines = []
    for i, text in enumerate(picture.lines):
        mark = {True: "✓ ", False: "✗ ", None: ""}[picture.right] if i == len(picture.lines) - 1 else ""
        below = y + tall + 16 + 15 * i
        lines.append(f'<text x="{x:g}" y="{below:g}" font-size="12" fill="var(--ink)">{escape(mark + text)}</text>')
    return svg + frame + "".join(lines)


def _album(block: Pictures, top: float) -> tuple[str, float]:
    """Groups of thumbnails; those with a title in one row each."""
    parts = [str(block.sheet)]
    for title, pictures in block.groups:
        titled = bool(title)
        each, side, left = (8, 64, 120) if titled else (5, 100, 0)
        if titled:
            parts.append(
                f'<text x="{left - 10}" y="{top + 36:g}" font-size="12" text-anchor="end" fill="var(--ink)">'
                f"{escape(title)}</text>"
            )
        lines = max((len(p.lines) for p in pictures), default=0)
        ratio = max((_size(p.markup)[1] / _size(p.markup)[0] for p in pictures), default=1.0)
        tall = side * ratio + 15 * lines + (4 if titled else 16)
        for i, picture in enumerate(pictures):
            parts.append(_picture(picture, left + (side + 12) * (i % each), top + tall * (i // each), side))
        top += tall * -(-len(pictures) // each)
    return "".join(parts), top + GAP


def _key(block: Key, top: float) -> tuple[str, float, float]:
    """What marks mean, in one line that breaks where it must: markup, width, where it ends."""
    parts, x, wide = [], 0.0, 0.0
    for markup, words in block.entries:
        room = 28 + 8 + width_of(words, 12) + 20
        if x and x + room > WIDTH:
            x, top = 0.0, top + 20
        parts.append(_Placed(str(markup), x, top, 28, 12).svg)
        parts.append(f'<text x="{x + 36:g}" y="{top + 10:g}" font-size="12" fill="var(--muted)">{escape(words)}</text>')
        x += room
        wide = max(wide, x)
    return "".join(parts), wide, top + 12 + GAP


def drawable(section: Section) -> bool:
    """Whether the section has anything to draw."""
    return any(isinstance(b, (Figure, Grid, Pictures)) for b in section.blocks)


def _drawn(blocks: Sequence[Block]) -> tuple[str, float, float]:
    """All figures of a section one below the other: markup, width, height."""
    parts: list[str] = []
    top, wide = 0.0, 0.0
    for block in blocks:
        placed: list[_Placed] = []
        if isinstance(block, Figure):
            placed, top = _row([block], top)
        elif isinstance(block, Grid):
            placed, top = _row(block.figures, top)
        elif isinstance(block, Key):
            markup, room, top = _key(block, top)
            parts.append(markup)
            wide = max(wide, room)
        elif isinstance(block, Pictures):
            markup, top = _album(block, top)
            parts.append(markup)
            wide = max(wide, 732.0 if any(title for title, _ in block.groups) else 548.0)
        parts += [one.svg for one in placed]
        wide = max([wide, *(one.x + one.width for one in placed)])
    return "".join(parts), wide, max(0.0, top - GAP)


def svg_of(section: Section) -> str:
    """All figures of a section as one SVG document.

    Raises:
        ValueError: The section draws nothing.
    """
    if not drawable(section):
        raise ValueError(f"section {section.id} has no figure")
    inner, width, height = _drawn(section.blocks)
    inner = _VARIABLE.sub(lambda m: _LIGHT[m.group(1)], inner)
    prefix = f"f{sha256(inner.encode()).hexdigest()[:8]}-"
    inner = _REFERENCE.sub(lambda m: f"{m.group(1)}{prefix}{m.group(2)}", inner)
    inner = re.sub(r' aria-labelledby="[^"]*"', "", inner)
    box = f"-12 -12 {width + 24:g} {height + 24:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="{width + 24:g}" height="{height + 24:g}" '
        f'font-family="{FONT}" font-size="12" role="img" style="background:#ffffff">'
        f"<title>{escape(line(section.heading))}</title><desc>{escape(line(section.finding))}</desc>"
        f'<rect x="-12" y="-12" width="{width + 24:g}" height="{height + 24:g}" fill="#ffffff"/>{inner}</svg>'
    )
