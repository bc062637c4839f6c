"""What a notebook shows of a run: no script, no style sheet, colours of the notebook's own theme."""

from __future__ import annotations

import base64

from markupsafe import Markup, escape

from fertune.report.blocks import Section, Table, Tiles
from fertune.report.sections import plan
from fertune.report.standalone import drawable, svg_of
from fertune.report.words import line, number
from fertune.store.records import SearchRecord, StackRecord

BEST_ROWS = 5
MOST_ROWS = 60
_CELL = "padding:2px 12px 2px 0;border-bottom:1px solid;border-color:rgba(128,128,128,.4);background:none;color:inherit"
_BOX = "color:currentColor;font-family:system-ui,sans-serif;line-height:1.45;max-width:960px"


def table_html(table: Table, most: int = MOST_ROWS) -> str:
    """A table in the colours of the page that it stands in."""
    head = "".join(
        f'<th scope="col" style="{_CELL};text-align:{"right" if c.numeric else "left"};font-weight:600">'
        f"{escape(c.label)}</th>"
        for c in table.columns
    )
    body = []
    for row in table.rows[:most]:
        cells = "".join(
            f'<td style="{_CELL};text-align:{"right;white-space:nowrap" if k.numeric else "left"}">'
            f"{Markup('<b>') if c.strong else ''}{escape(c.text)}{Markup('</b>') if c.strong else ''}</td>"
            for c, k in zip(row.cells, table.columns, strict=True)
        )
        body.append(f"<tr>{cells}</tr>")
    more = len(table.rows) - most
    left = f"; {number(more)} more in <code>.frame()</code>" if more > 0 else ""
    return (
        '<table style="color:inherit;border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px">'
        f'<caption style="caption-side:top;text-align:left;opacity:.75;color:inherit">{escape(table.caption)}{left}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _figure(section: Section) -> str:
    """The figure as an image of its own, so that neither styles nor ids of the notebook meet those of the drawing."""
    data = base64.b64encode(svg_of(section).encode()).decode("ascii")
    return (
        f'<img alt="{escape(line(section.finding))}" src="data:image/svg+xml;base64,{data}" '
        'style="max-width:100%;background:#ffffff">'
    )


def _tiles(tiles: Tiles) -> str:
    parts = "".join(
        '<div style="border:1px solid rgba(128,128,128,.4);padding:6px 12px;display:inline-block;margin:0 8px 8px 0;'
        f'vertical-align:top"><div style="font-size:18px;font-weight:600">{escape(t.value)}</div>'
        f'<div style="font-size:13px">{escape(t.label)}</div>'
        f'<div style="font-size:12px;opacity:.75">{escape(t.note)}</div></div>'
        for t in tiles.tiles
    )
    return f"<div>{parts}</div>"


def _chips(chips: tuple[str, ...]) -> str:
    return "".join(
        f' <span style="border:1px solid;border-radius:10px;padding:0 8px;font-size:12px">{escape(c)}</span>'
        for c in chips
    )


def notebook_html(record: SearchRecord | StackRecord) -> str:
    """A search: finding, tiles, the five best rows. A stack: verdict, tiles, forest plot, table."""
    build = plan(record, pictures=False)
    summary = build["summary"]()
    title = f"{escape(line(record.name))}{_chips(summary.chips)}"
    parts = [f'<div style="opacity:.8">{record.info["kind"]} {title}</div>']
    parts.append(f'<div style="font-size:16px;font-weight:600;margin:4px 0 8px">{escape(line(summary.finding))}</div>')
    parts += [_tiles(b) for b in summary.blocks if isinstance(b, Tiles)]
    second = build["leaderboard" if isinstance(record, SearchRecord) else "comparison"]()
    if drawable(second):
        parts.append(_figure(second))
    tables = [b for b in second.blocks if isinstance(b, Table)]
    if tables:
        parts.append(table_html(tables[0], BEST_ROWS if isinstance(record, SearchRecord) else MOST_ROWS))
    return f'<div style="{_BOX}">{"".join(parts)}</div>'
