"""``fertune runs`` and ``fertune rm``: a folder of runs as a table, and what is to be removed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import age_text, bytes_text, count, points, score

VERDICTS = {"helped": "helped", "hurt": "hurt", "none": "no difference", "no_test": "no labelled test rows"}
STYLES = {"finished": "green", "running": "bold", "interrupted": "yellow"}


def result_text(run: Mapping[str, Any]) -> str:
    """``0.5980 val_accuracy`` of a search, ``helped +1.2 [+0.4, +2.0]`` of a stack, ``-`` while there is none."""
    if run["kind"] == "search":
        return "-" if run["value"] is None else f"{score(run['value'])} {run['objective']}"
    if run["verdict"] is None:
        return "-"
    word = VERDICTS.get(run["verdict"], str(run["verdict"]))
    if run["difference"] is None:
        return word
    low, high = points(run["difference_low"]), points(run["difference_high"])
    return f"{word} {points(run['difference'])} [{low}, {high}]"


def _trials(run: Mapping[str, Any]) -> str:
    if run["trials"] is None:
        return "-"
    return str(run["trials"]) if run["goal"] is None else f"{run['trials']}/{run['goal']}"


def _space(run: Mapping[str, Any]) -> str:
    return count(run["members"], "member") if run["kind"] == "stack" else str(run["space"])


def runs_table(document: Mapping[str, Any], stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """One row a run, then one line for each folder that is none.

    Args:
        document: That of ``fertune runs --json``.
        stream, env: Stand in for those of the process.
    """
    screen = Screen(stream if stream is not None else sys.stdout, env)
    now = time.time()
    runs: Sequence[Mapping[str, Any]] = document["runs"]
    text = screen.text
    if runs:
        name = Column("run", [text(r["run"], "cyan") for r in runs], "left", least=12)
        kind = Column("kind", [text(r["kind"]) for r in runs], "left")
        state = Column("state", [text(r["state"], STYLES.get(r["state"], "")) for r in runs], "left")
        trials = Column("trials", [text(_trials(r)) for r in runs])
        result = Column("result", [text(result_text(r)) for r in runs], "left")
        space = Column("space", [text(_space(r)) for r in runs], "left", least=8)
        data = Column("data", [text(r["data"]) for r in runs], "left", least=8)
        age = Column("age", [text(age_text(now - r["updated"])) for r in runs])
        size = Column("size", [text(bytes_text(r["bytes"])) for r in runs])
        full = [name, kind, state, trials, result, space, data, age, size]
        choices = [full]
        for leaves in (data, size, age, space, kind, trials):
            choices.append([c for c in choices[-1] if c is not leaves])
        screen.lines(draw(screen, next((c for c in choices if fits(screen, c)), [name, state])))
        if any(r["kind"] == "search" and r["value"] is not None for r in runs):
            note = "scores of searches are optimistic: the best of many on the rows that chose it"
            screen.lines(screen.fold(text(note)))
    else:
        screen.line(text(f"no runs in {document['folder']}"))
    for one in document["broken"]:
        line = text(f"{one['name']}", "yellow").append_text(text(f": {one['reason']}"))
        screen.lines(screen.fold(line, "  "))


def removal_lines(
    removals: Sequence[tuple[str, str, int]], stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """What is to be removed: (path, kind, bytes) each."""
    screen = Screen(stream if stream is not None else sys.stderr, env)
    path = Column("run", [screen.text(p, "cyan") for p, _, _ in removals], "left", least=20)
    kind = Column("kind", [screen.text(k) for _, k, _ in removals], "left")
    size = Column("size", [screen.text(bytes_text(n)) for _, _, n in removals])
    screen.lines(draw(screen, [path, kind, size] if fits(screen, [path, kind, size]) else [path]))
