"""A report as data: a tree of plain sections. One renderer turns it into HTML; tests read it as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from markupsafe import Markup

from fertune.report.words import line

State = Literal["full", "thin", "empty"]


@dataclass(frozen=True)
class Column:
    """Attributes:
    label: Head of the column.
    numeric: Aligned to the right, tabular figures.
    priority: 1 always shown; 2 hidden under 600 px until asked for; 3 hidden until asked for, on any screen.
    """

    label: str
    numeric: bool = False
    priority: int = 1
    title: str = ""


@dataclass(frozen=True)
class Cell:
    """Attributes:
    text: What is read.
    sort: What is sorted by; None sorts last.
    strong: Bold.
    mark: A small drawing of our own before the text.
    """

    text: str
    sort: float | str | None = None
    strong: bool = False
    mark: Markup | None = None


def cell(text: str, sort: float | str | None = None, **more: Any) -> Cell:
    """A cell; what it is sorted by may be text of a user."""
    return Cell(text, line(sort) if isinstance(sort, str) else sort, **more)


@dataclass(frozen=True)
class Row:
    cells: tuple[Cell, ...]
    trial: int | None = None
    rule: Literal["", "rule", "part"] = ""
    """``rule``: the last within one standard error; ``part``: the last of a group."""


@dataclass(frozen=True)
class Table:
    """A table; rows past ``open_rows`` stand in ``<details>``."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str
    sortable: bool = False
    open_rows: int = 50
    kind: str = field(default="table", init=False)


class Figure:
    """One picture in one or two drawings: ``wide`` from 800 px on, ``narrow`` below; only one means everywhere.

    Each is drawn when it is first asked for: tables and sentences alone cost no drawing.

    Args:
        narrow, wide: Draw.
        most: px that a single drawing may grow to.
    """

    kind = "figure"

    def __init__(self, narrow: Callable[[], Markup], wide: Callable[[], Markup] | None = None, most: int = 560) -> None:
        self._narrow, self._wide, self.most = narrow, wide, most

    @cached_property
    def narrow(self) -> Markup:
        """The drawing for phones, or the only one."""
        return self._narrow()

    @cached_property
    def wide(self) -> Markup | None:
        """The drawing for wide pages."""
        return self._wide() if self._wide is not None else None


@dataclass(frozen=True)
class Grid:
    """Small multiples."""

    figures: tuple[Figure, ...]
    least: int = 270
    kind: str = field(default="grid", init=False)


@dataclass(frozen=True)
class Tile:
    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    tiles: tuple[Tile, ...]
    kind: str = field(default="tiles", init=False)


@dataclass(frozen=True)
class Command:
    """A command to copy, with what it does."""

    text: str
    note: str = ""
    kind: str = field(default="command", init=False)


@dataclass(frozen=True)
class Text:
    paragraphs: tuple[str, ...]
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class Source:
    """Text to be read as it is, folded away."""

    text: str
    label: str
    kind: str = field(default="source", init=False)


@dataclass(frozen=True)
class Facts:
    """Pairs of name and value."""

    pairs: tuple[tuple[str, str], ...]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Key:
    """What marks mean: (our own drawing, words)."""

    entries: tuple[tuple[Markup, str], ...]
    kind: str = field(default="key", init=False)


@dataclass(frozen=True)
class Picture:
    """One thumbnail: its place on the sheet, and what is said under it; ``right`` None where nothing was predicted."""

    markup: Markup
    lines: tuple[str, ...]
    right: bool | None = None


@dataclass(frozen=True)
class Pictures:
    """Thumbnails in groups; the sheet stands once before them."""

    sheet: Markup
    groups: tuple[tuple[str, tuple[Picture, ...]], ...]
    kind: str = field(default="pictures", init=False)


Block = Table | Figure | Grid | Tiles | Command | Text | Source | Facts | Key | Pictures


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        id: Fixed; links and tests use it.
        heading: A few words.
        finding: One or two sentences in bold, written from stored data.
        blocks: Figure or table.
        how: One grey line: how to read it, which rows, how many.
        numbers: What the figure shows, as a table, folded away.
        chips: Short marks beside the heading, e.g. ``optimistic``.
    """

    id: str
    heading: str
    finding: str
    state: State = "full"
    blocks: Sequence[Block] = ()
    how: str = ""
    numbers: Table | None = None
    chips: tuple[str, ...] = ()


def empty(id: str, heading: str, why: str, command: str | None = None, note: str = "") -> Section:
    """A section that has nothing to show: it says why, and which command would fill it."""
    blocks: tuple[Block, ...] = (Command(command, note),) if command else ()
    return Section(id, heading, why, "empty", blocks)
