"""``fertune predict``: classes of pictures, and what could not be read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from fertune.console.screen import Screen, is_terminal
from fertune.console.table import GAP, Column, draw, fits, total
from fertune.console.text import count, percent
from fertune.errors import MAX_DETAILS

if TYPE_CHECKING:
    from fertune.bundles import PicturePredictions


def predictions_table(
    found: PicturePredictions, top: int, stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """One row a picture: file, predicted class, its probability in percent, and the next classes."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    cells = screen.text
    rows = list(found.top(top))
    columns = [
        Column("file", [cells(file) for file in found.files], "left", least=16),
        Column("predicted", [cells(best[0][0], "bold") for best in rows], "left"),
        Column("%", [cells(percent(best[0][1])) for best in rows]),
    ]
    if top > 1 and len(found.class_names) > 1:
        then = [" · ".join(f"{name} {percent(p)}" for name, p in best[1:]) for best in rows]
        room = max(12, screen.width - total([c.width(screen) for c in columns]) - GAP)  # they give way before a file
        wider = [*columns, Column("then", [screen.cut(cells(text), room) for text in then], "left", least=12)]
        columns = wider if fits(screen, wider) else columns
    screen.lines(draw(screen, columns))


def predictions_warnings(
    found: PicturePredictions, stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """What was changed before the model saw it, one line a kind; then what could not be read, by name."""
    screen = Screen(stream if stream is not None else sys.stderr, env)
    from fertune.bundles.pictures import RESIZED  # there already where there is something to print

    changes = Counter(note for notes in found.notes for note in notes)
    sizes = {note: n for note, n in changes.items() if note.startswith(RESIZED)}
    told = [f"{count(n, 'picture')}: {note}" for note, n in changes.items() if note not in sizes]
    if sizes:
        usual = max(sizes, key=lambda note: sizes[note]).removeprefix(RESIZED).strip()
        more = f" and {count(len(sizes) - 1, 'other size')}" if len(sizes) > 1 else ""
        told.append(f"{count(sum(sizes.values()), 'picture')}: brought to the model's size from {usual}{more}")
    lines = [screen.text("warning: ", "yellow").append_text(screen.text(line)) for line in told]
    if found.unreadable:
        head = f"{count(len(found.unreadable), 'path')} could not be read"
        word = screen.text("warning: ", "yellow") if len(found) else screen.text("error: ", "red")
        lines.append(word.append_text(screen.text(head)))
        lines += [screen.text(f"  {file}: {reason}") for file, reason in found.unreadable[:MAX_DETAILS]]
        if len(found.unreadable) > MAX_DETAILS:
            lines.append(screen.text(f"  and {len(found.unreadable) - MAX_DETAILS:,} more"))
    for line in lines:
        screen.lines(screen.fold(line, "    ") if is_terminal(screen.stream) else [line])
