"""A report as Markdown with its figures beside it, or as one JSON document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fertune.report.blocks import Block, Command, Facts, Section, Source, Table, Text, Tiles
from fertune.report.page import build_report, finite
from fertune.report.sections import plan, sections_of
from fertune.report.standalone import drawable, svg_of
from fertune.report.values import as_json, tables_of
from fertune.report.words import Told, count, line, moment, short, visible
from fertune.store import write_text
from fertune.store.records import SearchRecord, StackRecord

FORMATS = {"html": ".html", "markdown": ".md", "json": ".json"}
MOST_ROWS = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#$~!])")


def document_of(record: SearchRecord | StackRecord, *, pictures: bool = True) -> dict[str, Any]:
    """What the report says, as values; its schema is ``docs/schema/report.json``.

    ``numbers`` of a section are those of its finding: as written, and the value itself. Shares and differences of
    shares are fractions, times are seconds.
    """
    sections = []
    for s in sections_of(record, pictures=pictures):
        numbers = s.finding.numbers if isinstance(s.finding, Told) else ()
        sections.append(
            {
                "id": s.id,
                "heading": s.heading,
                "state": s.state,
                "finding": visible(s.finding),
                "numbers": [{"text": t, "value": int(v) if v.is_integer() else v} for t, v in numbers],
                "marks": list(s.chips),
                "how": s.how,
                "facts": {k: v for b in s.blocks for k, v in _pairs(b)},
                "commands": [b.text for b in s.blocks if isinstance(b, Command)],
                "tables": {id: as_json(table) for id, table in tables_of(s)},
            }
        )
    body: dict[str, Any] = finite(
        {
            "kind": "report",
            "of": record.info["kind"],
            "run": record.name,
            "status": record.status,
            "started": record.info.get("created"),
            "fertune": record.info.get("fertune", ""),
            "sections": sections,
            "document": record.to_json(),
        }
    )
    return body


def _pairs(block: Block) -> list[tuple[str, str]]:
    if isinstance(block, Facts):
        return list(block.pairs)
    if isinstance(block, Tiles):
        return [(t.label, f"{t.value} ({t.note})" if t.note else t.value) for t in block.tiles]
    return []


def build_json(record: SearchRecord | StackRecord, *, pictures: bool = True) -> str:
    """``document_of`` as text, one key a line where that helps to read it."""
    return json.dumps(document_of(record, pictures=pictures), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _safe(text: str) -> str:
    """Outside text that Markdown does not read as markup."""
    return _SPECIAL.sub(r"\\\1", line(text)).replace("&", "&amp;")


def _table(table: Table) -> list[str]:
    lines = ["| " + " | ".join(_safe(c.label) for c in table.columns) + " |"]
    lines.append("|" + "|".join("---:" if c.numeric else "---" for c in table.columns) + "|")
    for row in table.rows[:MOST_ROWS]:
        lines.append("| " + " | ".join(_safe(c.text) for c in row.cells) + " |")
    more = len(table.rows) - MOST_ROWS
    caption = table.caption + (f"; {count(more, 'more row')} in the JSON format" if more > 0 else "")
    return [_safe(caption), "", *lines, ""]


def _block(block: Block) -> list[str]:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, (Tiles, Facts)):
        return [*(f"- {_safe(k)}: {_safe(v)}" for k, v in _pairs(block)), ""]
    if isinstance(block, Command):
        fence = "```" if "`" not in block.text else "~~~"
        note = f"    # {block.note}" if block.note else ""
        return [f"{fence}sh", f"{line(block.text)}{note}", fence, ""]
    if isinstance(block, Text):
        return [part for p in block.paragraphs for part in (_safe(p), "")]
    if isinstance(block, Source):
        ticks = "`" * max(3, 1 + max((len(m) for m in re.findall("`+", block.text)), default=0))
        return [f"{_safe(block.label)}:", "", ticks, *visible(block.text).splitlines(), ticks, ""]
    return []


def _section(section: Section, figure: str | None) -> list[str]:
    marks = "".join(f" ({c})" for c in section.chips)
    out = [f"## {_safe(section.heading)}{marks}", "", f"**{_safe(section.finding)}**", ""]
    if figure:
        out += [f"![{_safe(section.heading)}]({figure})", ""]
    for block in section.blocks:
        out += _block(block)
    if section.numbers is not None:
        out += _table(section.numbers)
    if section.how:
        out += [_safe(section.how), ""]
    return out


def build_markdown(
    record: SearchRecord | StackRecord, *, pictures: bool = True, folder: str | None = None
) -> tuple[str, dict[str, str]]:
    """The report as Markdown, and its figures: name of the file -> SVG.

    Args:
        folder: Where the figures will lie, as a link from the Markdown file; None leaves figures out.
    """
    sections = sections_of(record, pictures=pictures)
    figures = {f"{s.id}.svg": svg_of(s) for s in sections if drawable(s)} if folder is not None else {}
    out = [f"# {_safe(short(record.name, 80))}", "", f"fertune {record.info['kind']}, {record.status}", ""]
    for s in sections:
        out += _section(s, f"{folder}/{s.id}.svg" if f"{s.id}.svg" in figures else None)
    version = line(record.info.get("fertune", ""))
    out.append(f"Written by fertune {version} from the stored run; started {moment(record.info.get('created'))}.")
    return "\n".join(out) + "\n", figures


def build(record: SearchRecord | StackRecord, format: str, *, pictures: bool = True) -> str:
    """The report as one text, Markdown without its figures; ``format`` is a key of ``FORMATS``."""
    if format == "json":
        return build_json(record, pictures=pictures)
    if format == "markdown":
        return build_markdown(record, pictures=pictures)[0]
    return build_report(record, pictures=pictures)


def write(record: SearchRecord | StackRecord, path: Path, format: str, *, pictures: bool = True) -> Path:
    """The report in a file; the figures of a Markdown one lie in a folder beside it."""
    if format == "markdown":
        return write_markdown(record, path, pictures=pictures)
    write_text(path, build(record, format, pictures=pictures))
    return path


def figures_folder(path: Path) -> Path:
    """Where the figures of a Markdown report lie: ``report_figures`` beside ``report.md``."""
    return path.with_name(f"{path.stem}_figures")


def write_markdown(record: SearchRecord | StackRecord, path: Path, *, pictures: bool = True) -> Path:
    """The Markdown file and, beside it, the folder of its figures; figures of an earlier report there are replaced."""
    folder = figures_folder(path)
    link = re.sub(r"[^\w.~-]", lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), folder.name)
    text, figures = build_markdown(record, pictures=pictures, folder=link)
    for id in plan(record):
        if f"{id}.svg" not in figures:
            (folder / f"{id}.svg").unlink(missing_ok=True)
    for name, svg in figures.items():
        write_text(folder / name, svg)
    write_text(path, text)
    return path
