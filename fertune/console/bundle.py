"""``fertune bundle``: what a bundle file holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from rich.text import Text

from fertune.console.commands import next_lines, shown_path
from fertune.console.screen import Screen
from fertune.console.text import bytes_text, count, score

if TYPE_CHECKING:
    from fertune.bundles import TrainedModel


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
    size = bytes_text(model.source.stat().st_size)
    lines = [
        screen.text(path, "bold").append_text(screen.text(f"  {size}")),
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
