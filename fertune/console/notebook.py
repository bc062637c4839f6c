"""The console of a notebook: one output, drawn anew in place, whose last state is the summary."""

from __future__ import annotations

import html
import io
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.search_view import search_lines
from fertune.console.shown import ShownRun
from fertune.console.stack_summary import stack_summary
from fertune.console.stack_view import Key, stack_lines
from fertune.console.summary import search_summary
from fertune.trial import Trial

SECONDS = 1.0
"""Between two drawings: each is a message to the browser and a change of the page."""
WIDTH, HEIGHT = 100, 30

Show = Callable[[Mapping[str, str]], None]
"""Puts a bundle of mime types into the output; the first time anew, then in place."""


def kernel_shell() -> Any | None:
    """The shell of the Jupyter kernel that runs this code; None elsewhere. IPython is asked only where it is loaded."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = ask() if ask is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None


def in_place(shell: Any) -> Show:
    """One output of the cell that runs now."""
    name = {"display_id": f"fertune-{uuid.uuid4().hex}"}
    shown = False

    def show(bundle: Mapping[str, str]) -> None:
        nonlocal shown
        shell.display_pub.publish(data=dict(bundle), metadata={}, transient=name, update=shown)
        shown = True

    return show


class NotebookConsole(ShownRun):
    """Shows what the live region of a terminal shows, at most once a second.

    Args:
        show: Puts what is drawn into the cell's output; see ``in_place``.
    """

    def __init__(self, show: Show) -> None:
        super().__init__()
        self._show = show
        self._screen = Screen(io.StringIO(), {"NO_COLOR": "1", "LINES": str(HEIGHT)}, width=WIDTH)
        self._said: list[Text] = []
        self._drawn = 0.0

    def said(self, text: str) -> None:
        self._said += self._screen.fold(self._screen.text(text), "  ")
        self._draw([])

    def progress(self, what: str, done: int, total: int | None = None, unit: str = "") -> None:
        if time.monotonic() - self._drawn >= SECONDS:
            of = f" of {total:,}" if total is not None else ""
            self._draw([self._screen.text(f"{what}: {done:,}{of} {unit}".rstrip())])

    def warned(self, text: str) -> None:
        self.said(f"warning: {text}")

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        super().search_started(info, goal, trials)
        self._frame()

    def search_ended(self, record: Any) -> None:
        self._search = None
        self._draw(search_summary(self._screen, record))

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[Key]) -> None:
        super().stack_started(info, jobs)
        self._frame()

    def stack_ended(self, record: Any) -> None:
        self._stack = None
        self._draw(stack_summary(self._screen, record))

    def tick(self) -> None:
        if time.monotonic() - self._drawn >= SECONDS:
            self._frame()

    def _frame(self) -> None:
        if self._search is not None:
            self._draw(search_lines(self._screen, self._search))
        elif self._stack is not None:
            self._draw(stack_lines(self._screen, self._stack))

    def _draw(self, lines: Sequence[Text]) -> None:
        text = "\n".join(line.plain.rstrip() for line in [*self._said, *lines])
        style = "line-height:1.35;white-space:pre;overflow-x:auto;background:none;color:currentColor"
        self._show({"text/plain": text, "text/html": f'<pre style="{style}">{html.escape(text)}</pre>'})
        self._drawn = time.monotonic()
