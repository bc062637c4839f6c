"""Stored runs that live in memory: every shape that a report must stand."""

from __future__ import annotations

import re
from typing import Any

from fertune.trial import Failure, Trial
from tests.report.made import COUNTS, FER, NASTY, SPACE, START, MemorySearch, MemoryStack
from tests.report.made_search import all_failed, by_loss, running, search, trial, trials
from tests.report.made_stack import EXPLAIN, stack

__all__ = [
    "COUNTS", "EXPLAIN", "FER", "MAKERS", "NASTY", "SPACE", "START", "MemorySearch", "MemoryStack", "all_failed",
    "by_loss", "every", "html_sections", "many_classes", "nasty_trials", "running", "search", "stack", "trial",
    "trials",
]  # fmt: skip


def many_classes(
    k: int, empty_class: int | None = None, train: int = 100
) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """Names and counts of ``k`` classes, one of them without rows."""
    counts = {
        "train": [train + 7 * i for i in range(k)],
        "validation": [20 + i for i in range(k)],
        "test": [22 + i for i in range(k)],
    }
    if empty_class is not None:
        for values in counts.values():
            values[empty_class] = 0
    return tuple(f"class {i:02d}" for i in range(k)), counts


def _two(kind: str) -> Any:
    names, counts = many_classes(2)
    return (
        search(8, classes=names, counts=counts)
        if kind == "search"
        else stack(classes=names, counts=counts, chosen="mean")
    )


def _forty(kind: str) -> Any:
    names, counts = many_classes(40)
    return search(8, classes=names, counts=counts) if kind == "search" else stack(classes=names, counts=counts)


def _hollow(kind: str) -> Any:
    """A class without a row anywhere."""
    counts = {k: [v if i != 1 else 0 for i, v in enumerate(COUNTS[k])] for k in COUNTS}
    return search(8, counts=counts) if kind == "search" else stack(counts=counts)


MAKERS: dict[str, Any] = {
    "search-30": lambda: search(30),
    "search-0": lambda: search(0),
    "search-1": lambda: search(1),
    "search-2": lambda: search(2),
    "search-all-failed": all_failed,
    "search-running": running,
    "search-loss": by_loss,
    "search-2-classes": lambda: _two("search"),
    "search-40-classes": lambda: _forty("search"),
    "search-empty-class": lambda: _hollow("search"),
    "search-nasty": lambda: search(24, classes=NASTY, name="<script>alert(1)<", made=nasty_trials()),
    "stack-helped": lambda: stack("helped"),
    "stack-tie": lambda: stack("tie", chosen="xgboost", seed=5),
    "stack-hurt": lambda: stack("hurt", chosen="decision_tree"),
    "stack-no-test": lambda: stack(labels=False, chosen="greedy"),
    "stack-one-member": lambda: stack(members=1),
    "stack-unfinished": lambda: stack(done=False),
    "stack-2-classes": lambda: _two("stack"),
    "stack-40-classes": lambda: _forty("stack"),
    "stack-empty-class": lambda: _hollow("stack"),
    "stack-nasty": lambda: stack(classes=NASTY, names=("<script>alert(1)</script>", "$x$", "_a", "[/red]" + "w" * 200)),
}


def nasty_trials() -> tuple[Trial, ...]:
    """Parameter names and values, messages and notes that want to be more than text."""
    out = []
    for t in trials(24):
        params = {**t.params, "<script>alert(1)</script>": NASTY[t.id % len(NASTY)], "_hidden": t.id, "$x$": t.id % 3}
        failure = t.failure and Failure(t.failure.kind, "</script><script>alert(1)</script>\x1b[31m $x$")
        out.append(t.but(params=params, failure=failure))
    return tuple(out)


def every() -> dict[str, Any]:
    """Name -> record, all shapes."""
    return {name: make() for name, make in MAKERS.items()}


def html_sections(text: str) -> set[str]:
    """Ids of the sections of a page."""
    return set(re.findall(r'<section id="([\w-]+)"', text))
