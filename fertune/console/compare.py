"""``fertune compare``: runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import duration, p_text, percent, score, value_text

MOST_LINES = 40


def show_compared(
    document: Mapping[str, Any], stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Print a comparison of runs.

    Args:
        document: That of ``fertune compare --json``.
    """
    screen = Screen(stream if stream is not None else sys.stdout, env)
    runs: Sequence[Mapping[str, Any]] = document["runs"]
    rows = _search_rows(runs) if document["of"] == "search" else _stack_rows(runs)
    _side_by_side(screen, runs, rows)
    differ: Mapping[str, Sequence[Any]] = document["differ"]
    if differ:
        screen.line(screen.text("What was asked for differs in", "bold"))
        listed = [(f"  {name}", [_short(v) for v in values]) for name, values in list(differ.items())[:MOST_LINES]]
        _side_by_side(screen, runs, listed, head=False)
        if len(differ) > MOST_LINES:
            screen.line(screen.text(f"  and {len(differ) - MOST_LINES} more: --json has them all"))
    elif len(runs) > 1:
        screen.lines(screen.fold(screen.text("The same was asked for in all of them")))
    for pair in document["pairs"]:
        screen.lines(screen.fold(screen.text(pair["sentence"], "bold"), "  "))
        holm = f", {p_text(pair['p_holm'])} with Holm's correction" if len(document["pairs"]) > 1 else ""
        detail = (
            f"  paired on {pair['on']}: {pair['gained']} gained, {pair['lost']} lost; "
            f"p {p_text(pair['p_value'])} (exact McNemar{holm})"
        )
        screen.lines(screen.fold(screen.text(detail), "  "))
    for note in document["notes"]:
        screen.lines(screen.fold(screen.text(note), "  "))


def _search_rows(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    names = list(dict.fromkeys(name for run in runs for name in run["params"]))
    return [
        ("kind", ["search"] * len(runs)),
        ("state", [r["state"] for r in runs]),
        ("data", [r["data"] for r in runs]),
        ("space", [r["space"] for r in runs]),
        ("tuner", [r["engine"] for r in runs]),
        ("best search score", [f"{score(r['value'])} {r['objective']}" for r in runs]),
        ("best trial", ["-" if r["best_trial"] is None else str(r["best_trial"]) for r in runs]),
        *((f"  {n}", [value_text(r["params"][n]) if n in r["params"] else "-" for r in runs]) for n in names),
        ("trials", [str(r["trials"]) for r in runs]),
        ("failed", [str(r["failed"]) for r in runs]),
        ("time", [duration(r["seconds"]) for r in runs]),
    ]


def _stack_rows(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    def share(value: float | None) -> str:
        return "-" if value is None else f"{percent(value)} %"

    def interval(run: Mapping[str, Any]) -> str:
        if run["accuracy"] is None:
            return "-"
        return f"{share(run['accuracy'])} [{percent(run['accuracy_low'])}, {percent(run['accuracy_high'])}]"

    def time(seconds: float | None) -> str:
        return "-" if seconds is None else duration(seconds)

    return [
        ("kind", ["stack"] * len(runs)),
        ("state", [r["state"] for r in runs]),
        ("data", [r["data"] for r in runs]),
        ("members", [str(len(r["members"])) for r in runs]),
        ("chosen", [r["chosen"] or "-" for r in runs]),
        ("best single", [r["best_single"] or "-" for r in runs]),
        ("test accuracy", [interval(r) for r in runs]),
        ("out-of-fold", [share(r["oof_accuracy"]) for r in runs]),
        ("training", [time(r["train_seconds"]) for r in runs]),
        ("prediction", [time(r["predict_seconds"]) for r in runs]),
        ("time in all", [duration(r["seconds"]) for r in runs]),
    ]


def _short(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(_short(v) for v in value) or "none"
    return value_text(value)


def _side_by_side(
    screen: Screen, runs: Sequence[Mapping[str, Any]], rows: Sequence[tuple[str, list[str]]], head: bool = True
) -> None:
    """One column a run; where they do not fit, one block a row."""
    label = Column("", [screen.text(name) for name, _ in rows], "left", least=12)
    columns = [
        Column(run["run"], [screen.text(values[i]) for _, values in rows], "left", least=10)
        for i, run in enumerate(runs)
    ]
    if fits(screen, [label, *columns]):
        screen.lines(draw(screen, [label, *columns], head))
        return
    for name, values in rows:
        screen.lines(screen.fold(screen.text(name.strip(), "bold"), "  "))
        for run, value in zip(runs, values, strict=True):
            line: Text = screen.text(f"  {run['run']}: ").append_text(screen.text(value))
            screen.lines(screen.fold(line, "    "))
