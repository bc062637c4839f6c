"""A table of short cells that never is wider than its screen: columns leave from the right, or give room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from fertune.console.screen import Screen

GAP = 2


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        head: Its name.
        cells: One text a row.
        align: Where cells stand.
        least: Cells that it may be cut to; None where cutting would lose what it says (a number).
    """

    head: str
    cells: Sequence[Text]
    align: Literal["left", "right"] = "right"
    least: int | None = None

    def width(self, screen: Screen) -> int:
        return max([screen.text(self.head).cell_len, *(c.cell_len for c in self.cells)])


def total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def fits(screen: Screen, columns: Sequence[Column]) -> bool:
    """Whether the columns fit when those that may be cut are cut as far as they may."""
    return total([_least(screen, c) for c in columns]) <= screen.width


def _least(screen: Screen, column: Column) -> int:
    width = column.width(screen)
    return width if column.least is None else min(width, max(column.least, 1))


def draw(screen: Screen, columns: Sequence[Column], head: bool = True) -> list[Text]:
    """Header and rows as lines; the first columns that may be cut give the room that is missing."""
    widths = [c.width(screen) for c in columns]
    for i, column in enumerate(columns):
        over = total(widths) - screen.width
        if over > 0 and column.least is not None:
            widths[i] = max(widths[i] - over, _least(screen, column))
    lines = []
    if head:
        lines.append(_row(screen, columns, widths, [screen.text(c.head, "bold") for c in columns]))
    for cells in zip(*(c.cells for c in columns), strict=True):
        lines.append(_row(screen, columns, widths, list(cells)))
    return lines


def _row(screen: Screen, columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Text]) -> Text:
    line = screen.text("")
    for i, (column, width, cell) in enumerate(zip(columns, widths, cells, strict=True)):
        shown = screen.cut(cell, width)
        pad = " " * (width - shown.cell_len)
        line.append(" " * GAP if i else "")
        line.append_text(
            screen.text("").append(pad).append_text(shown) if column.align == "right" else shown.copy().append(pad)
        )
    line.rstrip()
    return screen.cut(line, screen.width)
