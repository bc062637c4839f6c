"""Figures and tables of a run one by one: built when asked for, shown by notebooks, saved to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import escape

from fertune.errors import RunError, did_you_mean
from fertune.report.blocks import Section, Table
from fertune.report.notebook import table_html
from fertune.report.sections import plan
from fertune.report.standalone import drawable, svg_of
from fertune.report.values import as_csv, heads, rows, tables_of
from fertune.report.words import line
from fertune.store import write_text
from fertune.store.records import SearchRecord, StackRecord

if TYPE_CHECKING:
    import pandas as pd


class NoSuchPart(RunError, KeyError):
    """A run has no figure or table of this name; a ``KeyError`` too, so that ``.get`` works."""


class FigureView:
    """One figure. A notebook shows it as it is.

    Attributes:
        id: Of the section that it stands in.
        title: Its heading.
        finding: What it shows, one or two sentences.
        svg: The drawing: one SVG document on its own white ground.
    """

    def __init__(self, section: Section) -> None:
        self.id, self.title, self.finding = section.id, section.heading, str(section.finding)
        self.svg = svg_of(section)

    def save(self, path: str | Path) -> Path:
        """Write the SVG.

        Raises:
            RunError: ``path`` does not end in ``.svg``.
        """
        target = Path(path)
        if target.suffix.lower() != ".svg":
            raise RunError(
                f"{target.name}: figures are written as .svg only",
                help="browsers, Inkscape and LibreOffice turn an SVG into PNG or PDF",
            )
        write_text(target, self.svg)
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<figure {self.id}: {line(self.finding)}>"


class TableView:
    """One table. A notebook shows it as it is.

    Attributes:
        id: Of the section that it stands in; ``<id>-2`` for the second of a section.
        caption: What it holds.
    """

    def __init__(self, id: str, table: Table) -> None:
        self.id, self.caption, self._table = id, table.caption, table

    def frame(self) -> pd.DataFrame:
        """Values, not text: shares as fractions, times in seconds, missing values where there is nothing."""
        import pandas as pd

        return pd.DataFrame(rows(self._table), columns=heads(self._table))

    def save(self, path: str | Path) -> Path:
        """Write the values as csv.

        Raises:
            RunError: ``path`` does not end in ``.csv``.
        """
        target = Path(path)
        if target.suffix.lower() != ".csv":
            raise RunError(f"{target.name}: tables are written as .csv only", help=".frame() gives a pandas DataFrame")
        write_text(target, as_csv(self._table))
        return target

    def _repr_html_(self) -> str:
        return table_html(self._table)

    def __repr__(self) -> str:
        return f"<table {self.id}: {line(self.caption)}, {len(self._table.rows)} x {len(self._table.columns)}>"


class _Views:
    """What the mappings share: sections by id, each built once."""

    def __init__(self, record: SearchRecord | StackRecord) -> None:
        self._plan = plan(record)
        self._built: dict[str, Section] = {}

    def _section(self, id: str) -> Section:
        if id not in self._built:
            self._built[id] = self._plan[id]()
        return self._built[id]


class Figures(_Views, Mapping[str, FigureView]):
    """Figures by the id of their section, e.g. ``run.figures["curves"]``; each is drawn when it is asked for."""

    def __getitem__(self, id: str) -> FigureView:
        """The figure of a section.

        Raises:
            NoSuchPart: There is no such section, or it draws nothing in this run.
        """
        if id not in self._plan:
            raise _unknown("figure", id, list(self._plan))
        section = self._section(id)
        if not drawable(section):
            raise NoSuchPart(f"section {id} of this run has no figure: {section.finding.rstrip('.')}")
        return FigureView(section)

    def __iter__(self) -> Iterator[str]:
        return (id for id in self._plan if drawable(self._section(id)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, id: object) -> bool:
        return id in self._plan and drawable(self._section(str(id)))

    def __repr__(self) -> str:
        return f"<figures: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return _list("Figures", {id: self._section(id).finding for id in self})


class Tables(_Views, Mapping[str, TableView]):
    """Tables by the id of their section, e.g. ``run.tables["leaderboard"]``; further ones of it are ``<id>-2``, ..."""

    def __getitem__(self, id: str) -> TableView:
        """A table of a section.

        Raises:
            NoSuchPart: There is no such section, or it has no such table in this run.
        """
        of = id if id in self._plan else id.rpartition("-")[0]
        if of not in self._plan:
            raise _unknown("table", id, list(self._plan))
        found = dict(tables_of(self._section(of)))
        if id not in found:
            why = f"it has {', '.join(found)}" if found else self._section(of).finding.rstrip(".")
            raise NoSuchPart(f"section {of} of this run has no table {id}: {why}")
        return TableView(id, found[id])

    def __iter__(self) -> Iterator[str]:
        return (id for of in self._plan for id, _ in tables_of(self._section(of)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, id: object) -> bool:
        return id in list(self)

    def __repr__(self) -> str:
        return f"<tables: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return _list("Tables", {id: self[id].caption for id in self})


def _unknown(kind: str, id: str, legal: list[str]) -> NoSuchPart:
    return NoSuchPart(f"no {kind} {id!r}{did_you_mean(id, legal)}", help=f"sections are {', '.join(legal)}")


def _list(title: str, entries: Mapping[str, str]) -> str:
    items = "".join(f"<li><code>{escape(id)}</code> {escape(line(text))}</li>" for id, text in entries.items())
    return f"<div><b>{title}</b><ul>{items}</ul></div>"
