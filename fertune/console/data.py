"""``fertune data show``: a data set in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from rich.text import Text

from fertune.console.commands import Next, next_lines
from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import count, percent

LEVELS = "▁▂▃▄▅▆▇█"
MOST_CLASSES = 40
MOST_CLUSTERS = 5


def show_data(
    document: Mapping[str, Any],
    stream: TextIO | None = None,
    env: Mapping[str, str] | None = None,
    *,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Print what ``fertune.data.survey`` found: counts, brightness, flat and identical pictures, notes, next commands.

    Args:
        document: See ``docs/schema/data.json``.
        stream, env: Stand in for those of the process.
        given: Reading options as they were typed; consent to unpickle is among these alone.
    """
    screen = Screen(stream if stream is not None else sys.stdout, env)
    height, width, channels = document["shape"]
    kind = {1: "gray", 3: "colour"}.get(channels, f"{channels} channels")
    classes = count(len(document["classes"]), "class", "classes")
    told = f"{document['rows']:,} pictures, {width} x {height} {kind}, {classes}"
    head = screen.text(document["name"], "bold").append_text(screen.text(f"  {told}"))
    screen.lines(screen.fold(head, "  "))
    screen.lines(_counts(screen, document))
    for title, lines in (
        ("Brightness", _brightness(screen, document)),
        ("Identical pictures", _identical(screen, document["identical"], document)),
        ("Notes", [screen.text(note) for note in document["notes"]]),
    ):
        if lines:
            screen.line(screen.text(title, "bold"))
            for line in lines:
                screen.lines(screen.fold(screen.text("  ").append_text(line), "    "))
    source, options = str(document["source"]), _typed({**document["options"], **(given or {})})
    command: list[Next] = [
        (["fertune", "data", "show", source, *options, "-o", "data.html"], "with pictures"),
        (["fertune", "search", "--space", "leaky_cnn", "--data", source, *options], "search on it"),
    ]
    screen.lines(next_lines(screen, command if source and not source.startswith("python:") else []))


def _typed(options: Mapping[str, Any]) -> list[str]:
    """Reading options as words of a command."""
    words = []
    for name, value in options.items():
        words.append(f"--{name.replace('_', '-')}")
        if name == "image_size":
            words.append(f"{value[1]}x{value[0]}")
        elif value is not True:
            words.append(str(value))
    return words


def _counts(screen: Screen, document: Mapping[str, Any]) -> list[Text]:
    """Rows of each class and split, and what share of train each class is."""
    cells = screen.text
    names, counts = document["classes"], document["counts"]
    splits = [split for split, rows in counts.items() if sum(rows)]
    shown = range(min(len(names), MOST_CLASSES))
    more = len(names) - len(shown)
    rest = [f"and {more:,} more"] if more else []
    first = Column("class", [cells(n) for n in [*(names[k] for k in shown), *rest, "all"]], "left", least=10)
    columns = [first]
    for split in splits:
        rows = counts[split]
        numbers = [f"{rows[k]:,}" for k in shown] + ([f"{sum(rows[len(shown) :]):,}"] if more else [])
        styled = [cells(n, "yellow" if n == "0" else "") for n in numbers]
        columns.append(Column(split, [*styled, cells(f"{sum(rows):,}", "bold")]))
    train = counts.get("train") or []
    if sum(train):
        shares = [f"{percent(train[k] / sum(train))} %" for k in shown] + ([""] if more else [])
        columns.append(Column("of train", [cells(s) for s in [*shares, ""]]))
    while len(columns) > 2 and not fits(screen, columns):
        columns.pop()
    lines = draw(screen, columns)
    if document["unlabelled"]:
        lines.append(cells(f"{count(document['unlabelled'], 'picture')} without a label"))
    return lines


def _brightness(screen: Screen, document: Mapping[str, Any]) -> list[Text]:
    found = document["brightness"]
    whole = found["all"]
    low, high = whole["picture_means"][2], whole["picture_means"][4]
    lines = [
        screen.text(
            f"mean {whole['mean']:.1f}, standard deviation {whole['std']:.1f} of 0 to 255; "
            f"half of the pictures have a mean from {low:.0f} to {high:.0f}"
        )
    ]
    top = max(found["histogram"], default=0) or 1
    bars = "".join(LEVELS[min(7, int(8 * share / top))] for share in found["histogram"])
    lines.append(screen.text("black ").append_text(screen.text(bars)).append_text(screen.text(" white")))
    if len(found["splits"]) > 1:
        parts = (f"{split} {one['mean']:.1f} (sd {one['std']:.1f})" for split, one in found["splits"].items())
        lines.append(screen.text(" · ".join(parts)))
    flat = document["flat"]["splits"]
    if sum(flat.values()):
        where = ", ".join(f"{n:,} in {split}" for split, n in flat.items() if n)
        words = "picture is of one flat colour" if sum(flat.values()) == 1 else "pictures are of one flat colour"
        lines.append(screen.text(f"{sum(flat.values()):,} {words}: {where}", "yellow"))
    return lines


def _identical(screen: Screen, found: Mapping[str, Any], document: Mapping[str, Any]) -> list[Text]:
    if not found["extra"]:
        return [screen.text("none, by bytes or as mirror images")]
    copies = count(found["extra"], "picture repeats", "pictures repeat")
    how = f"{found['extra_by_bytes']:,} by bytes, {found['extra_by_mirror']:,} as mirror images"
    lines = [screen.text(f"{copies} an earlier one ({how}); {found['train_extra']:,} of them inside train")]
    for of, others in found["also_in"].items():
        for other, rows in others.items():
            if rows and (of, other) in (("validation", "train"), ("test", "train"), ("test", "validation")):
                total = sum(document["counts"][of])
                text = f"{rows:,} of {total:,} {of} pictures also stand in {other} ({percent(rows / total)} %)"
                lines.append(screen.text(text, "yellow"))
    if found["disagreeing_rows"]:
        clusters = count(found["disagreeing_groups"], "cluster")
        text = f"{found['disagreeing_rows']:,} pictures in {clusters} of identical ones carry different labels"
        lines.append(screen.text(text, "yellow"))
    for cluster in found["clusters"][:MOST_CLUSTERS]:
        rows = ", ".join(str(row) for row in cluster["rows"][:4]) + (", ..." if cluster["size"] > 4 else "")
        classes = ", ".join(f"{n} {name}" for name, n in cluster["classes"].items())
        lines.append(screen.text(f"{cluster['size']} times: rows {rows}" + (f" ({classes})" if classes else "")))
    return lines
