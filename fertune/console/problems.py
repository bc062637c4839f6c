"""How something that went wrong is told: an expected error in a few lines, a bug with its traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.text import Text

from fertune.console.screen import Screen, is_terminal
from fertune.errors import MAX_DETAILS, FertuneError, Interrupted


def print_error(error: FertuneError, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """``error: ...``, each fault on a line of its own (the first 20, then a count), ``help: ...``.

    On a terminal long lines are broken between words; elsewhere each stays whole, for grep.
    """
    screen = Screen(stream if stream is not None else sys.stderr, env)
    lines = [(screen.text("error: ", "red").append_text(screen.text(error.message)), "  ")]
    lines += [(screen.text(f"  {line}"), "    ") for line in error.details[:MAX_DETAILS]]
    if len(error.details) > MAX_DETAILS:
        lines.append((screen.text(f"  and {len(error.details) - MAX_DETAILS:,} more"), "    "))
    if error.help:
        lines.append((screen.text("help: ", "bold").append_text(screen.text(error.help)), "  "))
    _print(screen, lines)


def print_interrupted(stop: Interrupted, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """What was kept, and the command that goes on."""
    screen = Screen(stream if stream is not None else sys.stderr, env)
    _print(
        screen,
        [
            (screen.text(stop.message, "yellow"), "  "),
            (screen.text("help: ", "bold").append_text(screen.text(stop.resume, "cyan")), "  "),
        ],
    )


def _print(screen: Screen, lines: Sequence[tuple[Text, str]]) -> None:
    """Lines and the indent of what does not fit on them; whole where there is no terminal."""
    for line, indent in lines:
        screen.lines(screen.fold(line, indent) if is_terminal(screen.stream) else [line])


def print_bug(
    error: BaseException, resume: str | None = None, stream: TextIO | None = None, env: Mapping[str, str] | None = None
) -> None:
    """A bug in fertune: the traceback, then that finished trials are safe, and the command that goes on."""
    screen = Screen(stream if stream is not None else sys.stderr, env)
    for block in traceback.format_exception(error):
        for line in block.rstrip("\n").split("\n"):
            screen.line(screen.text(line))
    screen.line(screen.text("error: ", "red").append_text(screen.text("a bug in fertune; finished trials are safe")))
    if resume:
        screen.line(screen.text("help: ", "bold").append_text(screen.text(resume, "cyan")).append("    # goes on"))
