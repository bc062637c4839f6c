"""Tables of a report as values: numbers where the report shows text made from them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from fertune.report.blocks import Cell, Column, Section, Table
from fertune.report.words import NOTHING

Value = str | float | int | bool | None


def value_of(cell: Cell, column: Column) -> Value:
    """The number behind a cell of a numeric column, else what is read; None where there is nothing."""
    if isinstance(cell.sort, (int, float)) and not isinstance(cell.sort, bool):
        number = float(cell.sort)
        return int(number) if number.is_integer() and isinstance(cell.sort, int) else number
    if cell.text in (NOTHING, "") or (column.numeric and cell.text == "off"):
        return None
    return cell.text


def heads(table: Table) -> list[str]:
    """Labels of the columns without units, since values are fractions; one that stands twice gets the label before it.

    E.g. ``95 % interval of accuracy``.
    """
    out: list[str] = []
    labels = [re.sub(", (%|points)$", "", c.label) for c in table.columns]
    for i, label in enumerate(labels):
        out.append(f"{label} of {labels[i - 1]}" if labels.count(label) > 1 and i else label)
    return out


def rows(table: Table) -> list[list[Value]]:
    """Values, row by row."""
    return [[value_of(c, k) for c, k in zip(row.cells, table.columns, strict=True)] for row in table.rows]


def tables_of(section: Section) -> Iterator[tuple[str, Table]]:
    """(id, table): the section's own id for its first, ``<id>-2`` for the second, ..."""
    found = [b for b in section.blocks if isinstance(b, Table)]
    found += [section.numbers] if section.numbers is not None else []
    for i, table in enumerate(found):
        yield (section.id if i == 0 else f"{section.id}-{i + 1}"), table


def as_csv(table: Table) -> str:
    """Values with a head, lines ended by a line feed; cells that a spreadsheet would run as a formula are quoted."""
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\n")
    out.writerow(heads(table))
    for row in rows(table):
        out.writerow(["" if v is None else f"'{v}" if isinstance(v, str) and v[:1] in "=+@" else v for v in row])
    return file.getvalue()


def as_json(table: Table) -> dict[str, Any]:
    """``caption``, ``columns`` and ``rows``, as in ``docs/schema/report.json``."""
    return {"caption": table.caption, "columns": heads(table), "rows": rows(table)}
