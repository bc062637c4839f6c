"""``fertune spaces ls`` and ``fertune spaces show``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import count, value_text

if TYPE_CHECKING:
    from fertune.space import Space


def size_text(size: int | None) -> str:
    """``4``, ``1,944``, ``5.2e+09``; ``endless`` where a parameter is continuous."""
    if size is None:
        return "endless"
    return f"{size:,}" if size < 10**9 else f"{size:.1e}"


def spaces_table(spaces: Sequence[Space], stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """One row a space: name, parameters, configurations, default tuner, and what it is."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    cells = screen.text
    name = Column("space", [cells(s.name, "cyan") for s in spaces], "left")
    tuner = Column("tuner", [cells(s.tuner) for s in spaces], "left")
    number = Column("parameters", [cells(len(s.params)) for s in spaces])
    size = Column("configurations", [cells(size_text(s.size())) for s in spaces])
    summary = Column("what it is", [cells(s.summary) for s in spaces], "left", least=20)
    choices = [[name, tuner, number, size, summary], [name, tuner, number, summary], [name, tuner, number], [name]]
    screen.lines(draw(screen, next((c for c in choices if fits(screen, c)), choices[-1])))


def space_details(space: Space, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """The space in full: head, parameters in declared order with their conditions, then what is fixed."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    cells = screen.text
    screen.line(screen.cut(cells(space.name, "bold"), screen.width))
    if space.summary:
        screen.lines(screen.fold(cells(space.summary)))
    head = (
        f"model {space.model} · tuner {space.tuner} · {count(len(space.params), 'parameter')} · "
        f"{size_text(space.size())} configurations · {space.fingerprint[:12]}"
    )
    screen.lines(screen.fold(cells(head), "  "))
    params = space.params
    name = Column("parameter", [cells(p.name, "cyan") for p in params], "left", least=12)
    kind = Column("type", [cells(p.kind) for p in params], "left")
    legal = Column("values", [cells(p.text) for p in params], "left", least=16)
    when = Column("only when", [cells(_when(p.when)) for p in params], "left", least=12)
    conditional = any(p.when for p in params)
    full = [name, kind, legal, when] if conditional else [name, kind, legal]
    choices = [full, [c for c in full if c is not kind], [name, legal]]
    if params:
        screen.lines(draw(screen, next((c for c in choices if fits(screen, c)), choices[-1])))
    for title, values in (("fixed", space.fixed), ("recipe", space.recipe)):
        if values:
            text = " · ".join(f"{key} {value_text(value)}" for key, value in values.items())
            screen.lines(screen.fold(cells(f"{title}  ", "bold").append_text(cells(text)), "  "))
    for at, given in enumerate(space.start):
        text = " · ".join(f"{key} {value_text(value)}" for key, value in given.items())
        screen.lines(screen.fold(cells(f"start[{at}]  ", "bold").append_text(cells(text)), "  "))
    screen.lines(screen.fold(cells(f"fertune search --space {space.name}", "cyan"), "  "))


def _when(when: Mapping[str, Sequence[Any]] | None) -> str:
    if not when:
        return ""
    return ", ".join(f"{parent} is {' or '.join(value_text(v) for v in values)}" for parent, values in when.items())
