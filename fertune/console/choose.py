"""Which console a command gets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TextIO

from fertune.console.live import LiveConsole
from fertune.console.notebook import NotebookConsole, in_place, kernel_shell
from fertune.console.plain import PlainConsole
from fertune.console.screen import Screen
from fertune.searching.observer import Observer


class QuietConsole(Observer):
    """Says nothing but warnings; the run's path is printed by the command itself.

    Args:
        warnings: Where warnings go.
    """

    def __init__(self, warnings: Screen) -> None:
        self._warnings = warnings

    def warned(self, text: str) -> None:
        self._warnings.line(self._warnings.text(f"warning: {text}"))


def choose_console(
    json: bool = False,
    quiet: bool = False,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    env: Mapping[str, str] | None = None,
) -> Observer:
    """A live region in a terminal or a notebook, lines elsewhere, next to nothing with ``quiet``.

    Args:
        json: stdout belongs to one document; all chatter goes to stderr.
        quiet: Only warnings.
        stdout, stderr: Stand in for those of the process.
        env: Stands in for ``os.environ``.
    """
    out = Screen(stdout if stdout is not None else sys.stdout, env)
    err = Screen(stderr if stderr is not None else sys.stderr, env)
    if quiet:
        return QuietConsole(err)
    shell = kernel_shell() if not json else None
    if shell is not None:
        return NotebookConsole(in_place(shell))
    chatter = err if json else out
    return LiveConsole(chatter, err) if chatter.live else PlainConsole(chatter, err)
