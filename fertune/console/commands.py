"""Commands to paste: complete, whole words, notes behind ``#``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.text import shell_word

Next = tuple[Sequence[str], str]
"""The words of a command, and what it is for."""


def shown_path(path: Path) -> str:
    """Relative to the working folder where it lies inside it."""
    try:
        return os.path.relpath(path) if Path(path).resolve().is_relative_to(Path.cwd()) else str(path)
    except OSError:  # the working folder is gone
        return str(path)


def words(command: str) -> list[str]:
    """A stored command line in words; as one word where its quotes are broken."""
    try:
        return shlex.split(command)
    except ValueError:
        return [command]


def with_option(command: Sequence[str], option: str, value: str) -> list[str]:
    """``command`` with ``option`` set to ``value``, replaced where it is there already."""
    out: list[str] = []
    skip = False
    for word in command:
        if skip:
            skip = False
        elif word == option:
            skip = True
        elif not word.startswith(option + "="):
            out.append(word)
    return [*out, option, value]


def next_lines(screen: Screen, commands: Sequence[Next]) -> list[Text]:
    """The block ``Next``: each command with its note on one line where both fit, else the note on a line above.

    A command longer than the screen goes on after a backslash, which a shell reads as one line.
    """
    if not commands:
        return []
    typed = [" ".join(shell_word(word) for word in command) for command, _ in commands]
    room = screen.width
    column = max(len(t) for t in typed) + 4
    beside = all(2 + column + 2 + len(note) <= room for _, note in commands)
    lines = [screen.text("Next", "bold")]
    for text, (command, note) in zip(typed, commands, strict=True):
        if beside:
            line = screen.text("  ").append_text(screen.text(text, "cyan")).append(" " * (column - len(text)))
            lines.append(line.append_text(screen.text(f"# {note}")))
        else:
            lines += screen.fold(screen.text(f"  # {note}"), "  # ")
            lines += _wrapped(screen, command)
    return lines


def _wrapped(screen: Screen, command: Sequence[str]) -> list[Text]:
    """Words on as many lines as needed, each but the last ending in a backslash; a word is never broken."""
    rows: list[str] = [""]
    for word in map(shell_word, command):
        longer = f"{rows[-1]} {word}" if rows[-1] else word
        indent = 2 if len(rows) == 1 else 4
        if rows[-1] and len(longer) + indent + 2 > screen.width:
            rows.append(word)
        else:
            rows[-1] = longer
    last = len(rows) - 1
    return [
        screen.text("  " if i == 0 else "    ").append_text(screen.text(row + (" \\" if i < last else ""), "cyan"))
        for i, row in enumerate(rows)
    ]
