"""A stored run as one HTML file. A pure function of the record: same run, same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import shlex
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fertune.report import importance
from fertune.report.blocks import Section, empty
from fertune.report.reading import resume_of, where
from fertune.report.search import curves, failures, leaderboard, parallel, progress, rungs
from fertune.report.search import summary as search_summary
from fertune.report.shared import confusion, data, gallery, per_class, reproduce
from fertune.report.shared.numbers import labelled
from fertune.report.stack import audit, calibration, comparison, cost, members, meta
from fertune.report.stack import curves as stack_curves
from fertune.report.stack import failures as stack_failures
from fertune.report.stack import leaderboard as stack_leaderboard
from fertune.report.stack import summary as stack_summary
from fertune.report.stack.rows import Compared, read
from fertune.report.theme import css
from fertune.report.words import line, moment, short, visible, without_paths
from fertune.store import write_text
from fertune.store.records import SearchRecord, StackRecord

LIMIT = 4_500_000
"""Bytes above which parts are dropped, so that a report stays under 5 MB."""


def _classes(info: dict[str, Any], columns: int) -> list[str]:
    names = [visible(n) for n in info.get("data", {}).get("classes", ())]
    return names + [f"class {k}" for k in range(len(names), columns)]


def _no_predictions(id: str, heading: str, command: str) -> Section:
    return empty(id, heading, "No predictions are stored for this run.", command)


def search_sections(record: SearchRecord, *, pictures: bool = True) -> list[Section]:
    """All sections of a search, in order."""
    run = where(record)
    resume = f"fertune search --out {run} --resume"
    predicted = labelled(record.arrays("validation"))
    moved = importance.section(record)
    order = [row.cells[0].text for row in moved.numbers.rows] if moved.numbers else []
    sections = [
        search_summary.section(record),
        leaderboard.section(record),
        progress.section(record),
        curves.section(record),
        rungs.section(record),
        moved,
        parallel.section(record, order),
        failures.section(record),
    ]
    if predicted is None:
        sections += [
            _no_predictions("confusion", confusion.HEADING, resume),
            _no_predictions("per-class", per_class.HEADING, resume),
        ]
        names: list[str] = _classes(record.info, 0)
    else:
        names = _classes(record.info, predicted.proba.shape[1])
        best = f"best model, trial {record.best.id}" if record.best else "best model"
        chips = ("rows used to choose",)
        sections += [
            confusion.section(names, predicted, None, [best], "validation rows", chips),
            per_class.section(names, predicted, None, "validation rows", chips),
        ]
    sections += [
        gallery.section(
            record.arrays("gallery"),
            gallery.answers_of(record.arrays("validation")),
            predicted,
            names,
            "validation rows",
            pictures=pictures,
            command=f"fertune report {run}" if not pictures else resume,
            chips=("rows used to choose",),
        ),
        data.section(record.info, record.arrays("samples"), pictures=pictures),
        empty(
            "comparison",
            comparison.HEADING,
            "Nothing is compared yet: a stack does that, on test rows.",
            f"fertune stack {run}",
        ),
        reproduce.section(record.info),
    ]
    return sections


def _pair(record: StackRecord, c: Compared | None) -> tuple[Any, Any]:
    """Test predictions of the best single model and of the chosen stack; None where they are not stored."""
    stored = record.arrays("test")
    if c is None or stored is None or "names" not in stored or not c.tested:
        return None, None
    names = [str(n) for n in stored["names"]]
    found = []
    for row in (c.single, c.chosen):
        found.append(labelled(stored, names.index(row["name"])) if row is not None and row["name"] in names else None)
    return found[0], found[1]


def stack_sections(record: StackRecord, *, pictures: bool = True) -> list[Section]:
    """All sections of a stack, in order."""
    run = where(record)
    resume = fill = resume_of(record)
    c = read(record.comparison) if record.comparison else None
    single, chosen = _pair(record, c)
    sections = [stack_summary.section(record, c), comparison.section(record, c)]
    if single is None or chosen is None or c is None:
        why = "The stack has not come to its end."
        if c is not None:
            why = "No labelled test rows, or their predictions are not stored."
            runs = " ".join(shlex.quote(f"runs/{line(r)}") for r in record.info.get("runs", ())) or "RUN"
            fill = f"fertune stack {runs} --data DATA"
        names = _classes(record.info, 0)
        sections += [
            empty("confusion", confusion.HEADING, why, fill),
            empty("per-class", per_class.HEADING, why, fill),
        ]
        title = "the stack"
    else:
        names = _classes(record.info, chosen.proba.shape[1])
        title = short(c.raw["chosen"], 26)
        titles = ["best single", title, "stack minus single"]
        sections += [
            confusion.section(names, single, chosen, titles, "test pictures"),
            per_class.section(names, single, chosen, "test pictures"),
        ]
    sections += [
        calibration.section(single, chosen, title, fill),
        gallery.section(
            record.arrays("gallery"),
            _answers(record, c),
            chosen,
            names,
            "test pictures",
            pictures=pictures,
            command=f"fertune report {run}" if not pictures else resume,
        ),
        members.section(record),
        meta.section(record, c),
        cost.section(record, c),
        audit.section(record, c),
        stack_leaderboard.section(record, c),
        stack_curves.section(record),
        stack_failures.section(record),
        data.section(record.info, record.arrays("samples"), pictures=pictures),
        *_of_the_searches(record),
        reproduce.section(record.info),
    ]
    return sections


def _answers(record: StackRecord, c: Compared | None) -> dict[int, tuple[int, float]]:
    """The chosen stack's answers for all test rows, labelled or not."""
    stored = record.arrays("test")
    names = [str(n) for n in stored["names"]] if stored is not None and "names" in stored else []
    chosen = c.raw.get("chosen") if c else None
    return gallery.answers_of(stored, names.index(chosen)) if chosen in names else {}


def _of_the_searches(record: StackRecord) -> list[Section]:
    """What only a search can show, with the command for the first one."""
    runs = [short(r, 40) for r in record.info.get("runs", ())] or ["RUN"]
    told = "its searches" if len(runs) > 1 else "its search"
    return [
        empty(
            id,
            heading,
            f"A stack tries no hyperparameters of its own; {told} did: {', '.join(runs)}.",
            f"fertune report {shlex.quote(f'runs/{runs[0]}')}",
        )
        for id, heading in (("parallel", parallel.HEADING), ("importance", importance.HEADING))
    ]


def sections_of(record: SearchRecord | StackRecord, *, pictures: bool = True) -> list[Section]:
    if record.info["kind"] == "search":
        return search_sections(record, pictures=pictures)  # type: ignore[arg-type]
    return stack_sections(record, pictures=pictures)  # type: ignore[arg-type]


def _finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have, and outside text made visible."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, dict):
        return {visible(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value


def embedded(document: Any) -> Markup:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(_finite(document), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
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
    members, folds = len(info.get("members", ())), info.get("options", {}).get("folds")
    across = f" x {folds} folds" if folds else ""
    return f"stack · {members} {'member' if members == 1 else 'members'}{across} · {short(name, 40)}"


def render(record: SearchRecord | StackRecord, sections: Sequence[Section], document: Any, note: str = "") -> str:
    environment, sheet, script = _parts()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("page.html.j2").render(
        name=short(record.name, 80),
        described=_describe(record),
        sections=sections,
        first=sections[0].id,
        light=Markup(css("light")),
        dark=Markup(css("dark")),
        sheet=Markup(sheet),
        script=Markup(script),
        digest=Markup(digest),
        document=embedded(document),
        started=moment(record.info.get("created")),
        version=line(record.info.get("fertune", "")),
        status=record.status,
        note=note,
        kind=record.info["kind"],
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
    document = record.to_json()
    html = render(record, sections_of(record, pictures=pictures), document)
    if len(html.encode()) > LIMIT:
        note = "Left out to keep this file small: the stored numbers as JSON."
        html = render(record, sections_of(record, pictures=pictures), {"left_out": "too large"}, note)
    if len(html.encode()) > LIMIT and pictures:
        note = "Left out to keep this file small: the stored numbers as JSON, and the pictures."
        html = render(record, sections_of(record, pictures=False), {"left_out": "too large"}, note)
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
