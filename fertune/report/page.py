"""A stored run as one HTML file. A pure function of the record: same run, same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fertune.report.blocks import Section
from fertune.report.sections import sections_of
from fertune.report.theme import css
from fertune.report.words import line, moment, short, visible, without_paths
from fertune.store import write_text
from fertune.store.records import SearchRecord, StackRecord

LIMIT = 4_500_000
"""Bytes above which parts are dropped, so that a report stays under 5 MB."""


def finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have, and outside text made visible."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, dict):
        return {visible(k): finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return value


def embedded(document: Any) -> Markup:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(finite(document), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


@lru_cache(maxsize=1)
def _parts() -> tuple[Environment, str, str]:
    """The environment, the style sheet and the script."""
    environment = Environment(
        loader=PackageLoader("fertune.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = resources.files("fertune.report") / "templates"
    sheet = (folder / "report.css").read_text("utf-8")
    script = (folder / "report.js").read_text("utf-8").strip()
    return environment, sheet, script


def _describe(record: SearchRecord | StackRecord) -> str:
    info = record.info
    name = line(info.get("data", {}).get("name", "data"))
    if info["kind"] == "search":
        return " · ".join(
            short(p, 40)
            for p in ("search", line((info.get("space") or {}).get("name", "?")), line(info.get("engine", "?")), name)
        )
    members, options = len(info.get("members", ())), info.get("options", {})
    cut = f" x {options['folds']} folds" if options.get("folds") else ""
    cut = f", {options['holdout']:.0%} held out" if options.get("holdout") else cut
    across = ", predicted elsewhere" if "from_oof" in info else cut
    return f"stack · {members} {'member' if members == 1 else 'members'}{across} · {short(name, 40)}"


def render(record: SearchRecord | StackRecord, sections: Sequence[Section], document: Any, note: str = "") -> str:
    started, version = moment(record.info.get("created")), line(record.info.get("fertune", ""))
    return page(
        name=record.name,
        described=_describe(record),
        kind=record.info["kind"],
        sections=sections,
        document=document,
        version=version,
        footer=f"Written by fertune {version} from the stored run; started {started}, {record.status}. {note}".strip(),
    )


def page(
    *, name: str, described: str, kind: str, sections: Sequence[Section], document: Any, version: str, footer: str
) -> str:
    """Sections as one HTML file.

    Args:
        name: Heading of the page.
        described: What stands beside it.
        kind: Of the document.
        sections: At least one.
        document: Goes into the page as JSON.
        version: Of fertune.
        footer: Its last line.
    """
    environment, sheet, script = _parts()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("page.html.j2").render(
        name=short(name, 80),
        described=described,
        sections=sections,
        first=sections[0].id,
        light=Markup(css("light")),
        dark=Markup(css("dark")),
        sheet=Markup(sheet),
        script=Markup(script),
        digest=Markup(digest),
        document=embedded(document),
        version=version,
        footer=footer,
        kind=kind,
    )


def build_report(record: SearchRecord | StackRecord, *, pictures: bool = True) -> str:
    """One HTML page with everything in it.

    Needs no model, no data set and no network; reads the record only.

    Args:
        record: As ``fertune.store.open_record`` gives it.
        pictures: False leaves all pictures out, for faces that must not travel.

    Returns:
        The page, utf-8 text under 5 MB; the same record gives the same text.
    """
    document: dict[str, Any] = record.to_json()
    sections = sections_of(record, pictures=pictures)
    left_out = {"left_out": "too large"}
    note = "Left out to keep this file small: the stored numbers as JSON."
    size = len(embedded(document).encode())
    html = render(record, sections, left_out if size > LIMIT // 4 else document, note if size > LIMIT // 4 else "")
    if size > LIMIT // 4 and len(html.encode()) + size < LIMIT:
        html = render(record, sections, document)
    if len(html.encode()) > LIMIT:
        html = render(record, sections, left_out, note)
    if len(html.encode()) > LIMIT and pictures:
        note = "Left out to keep this file small: the stored numbers as JSON, and the pictures."
        html = render(record, sections_of(record, pictures=False), left_out, note)
    return html


def write_report(record: SearchRecord | StackRecord, path: str | Path, *, pictures: bool = True) -> Path:
    """Write the report; the file is there whole or not at all.

    Returns:
        Where it was written.
    """
    path = Path(path)
    text = build_report(record, pictures=pictures)
    write_text(path, text)
    return path
