"""``fertune predict`` and ``fertune bundle``: classes of pictures, and what a bundle holds."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from rich.text import Text

from fertune.console.commands import next_lines, shown_path
from fertune.console.screen import Screen, is_terminal
from fertune.console.table import Column, draw, fits
from fertune.console.text import count, percent, score
from fertune.errors import MAX_DETAILS

if TYPE_CHECKING:
    from fertune.bundles import PicturePredictions, TrainedModel


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
        wider = [*columns, Column("then", [cells(text) for text in then], "left", least=12)]
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


def show_bundle(model: TrainedModel, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """What a bundle file holds, and the command that predicts with it."""
    screen = Screen(stream if stream is not None else sys.stdout, env)
    path = shown_path(model.source)
    height, width, channels = model.image_shape
    ensemble = model.ensemble
    models = sum(len(member.models) for member in ensemble.members)
    what = (
        f"stack of {count(len(ensemble.members), 'configuration')}, {count(models, 'model')}, {ensemble.learner_name}"
        if model.kind == "stack"
        else f"model of search {model.name}: {ensemble.members[0].name}"
    )
    size = model.source.stat().st_size / 2**20
    lines = [
        screen.text(path, "bold").append_text(screen.text(f"  {size:.1f} MiB")),
        screen.text(f"  {what}"),
        screen.text(f"  pictures of {width} x {height}, {'gray' if channels == 1 else f'{channels} channels'}"),
        screen.text(f"  classes: {', '.join(model.class_names)}"),
    ]
    if model.score is not None and model.score["value"] is not None:
        more = f"; {model.score['note']}" if "note" in model.score else f", {model.score['rows']}"
        lines.append(screen.text(f"  {model.score['name']} {score(model.score['value'])}{more}"))
    folded: list[Text] = []
    for line in lines:
        folded += screen.fold(line, "    ")
    screen.lines(folded)
    screen.lines(next_lines(screen, [(["fertune", "predict", path, "PICTURE..."], "predicts")]))
