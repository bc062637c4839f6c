"""``fertune data cache``: what lies in the cache, and what was removed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from fertune.console.commands import next_lines, shown_path
from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import age_text, bytes_text, count
from fertune.data.shelf import Cleared, Kept, total_bytes


def cache_table(
    kept: Sequence[Kept], root: Path, stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """What lies in the cache, one row a data set, the newest first."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    cells = screen.text
    if not kept:
        screen.lines(screen.fold(cells("the cache is empty: ").append_text(cells(shown_path(root), "cyan")), "  "))
        return
    name = Column("data", [cells(k.name or "damaged", "yellow" if k.damaged else "cyan") for k in kept], "left", 12)
    splits = Column("train/validation/test", [cells("/".join(f"{n:,}" for n in k.splits[:3]) or "-") for k in kept])
    rows = Column("rows", [cells(f"{k.rows:,}" if k.rows else "-") for k in kept])
    shape = Column("size", [cells("x".join(map(str, k.shape)) or "-") for k in kept], "left")
    size = Column("on disk", [cells(bytes_text(k.bytes)) for k in kept])
    age = Column("age", [cells(age_text(k.age)) for k in kept])
    key = Column("folder", [cells(k.key) for k in kept], "left")
    source = Column("read from", [cells(k.source or "-") for k in kept], "left", 16)
    choices = [
        [name, splits, shape, size, age, key, source], [name, rows, size, age, key, source],
        [name, rows, size, age, key], [name, rows, size, age], [name, size],
    ]  # fmt: skip
    screen.lines(draw(screen, next((c for c in choices if fits(screen, c)), choices[-1])))
    total = f"{count(len(kept), 'data set')}, {bytes_text(total_bytes(kept))}, in "
    screen.lines(screen.fold(cells(total).append_text(cells(shown_path(root), "cyan")), "  "))
    screen.lines(next_lines(screen, [(["fertune", "data", "cache", "--clear"], "they are read again when asked for")]))


def cleared_lines(cleared: Cleared, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """What was removed, and what was not."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    told = f"removed {count(len(cleared.removed), 'data set')}; {bytes_text(cleared.freed)} are free again"
    screen.lines(screen.fold(screen.text(told), "  "))
    for one in cleared.locked:
        text = f"{one.name or one.key} stays: another process is writing it"
        screen.lines(screen.fold(screen.text(text, "yellow"), "  "))
