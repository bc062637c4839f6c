"""The console of a terminal: one region redrawn in place, replaced by the summary at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.live import Live
from rich.text import Text

from fertune.console.bar import Work, bar_line
from fertune.console.screen import Screen
from fertune.console.search_view import search_lines
from fertune.console.shown import ShownRun
from fertune.console.stack_summary import stack_summary
from fertune.console.stack_view import Key, stack_lines
from fertune.console.summary import search_summary
from fertune.trial import Trial

LEAST_SECONDS = 0.25
"""At most four frames a second."""
CLOCK_SECONDS = 1.0
"""A frame each second where nothing happened, for the clocks."""
SHARE = 0.05
"""Most of its time that a coordinator spends on drawing: frames of thousands of trials are drawn less often."""


class LiveConsole(ShownRun):
    """Shows a table that stays in place. Frames are drawn by ``tick`` and by events, never by a thread.

    Args:
        chatter: Where the region and the summary go.
        warnings: Where warnings go; above the region where it is a terminal too.
    """

    def __init__(self, chatter: Screen, warnings: Screen) -> None:
        super().__init__()
        self._screen = chatter
        self._warnings = warnings
        self._live: Live | None = None
        self._work: Work | None = None
        self._drawn = self._cost = 0.0
        self._changed = False

    def said(self, text: str) -> None:
        self._end_work()
        self._screen.lines(self._screen.fold(self._screen.text(text), "  "))

    def warned(self, text: str) -> None:
        screen = self._screen if self._warnings.live else self._warnings
        screen.lines(screen.fold(screen.text("warning: ", "yellow").append_text(screen.text(text)), "  "))

    def progress(self, what: str, done: int, total: int | None = None, unit: str = "") -> None:
        if self._work is None or self._work.what != what or done < self._work.done:
            self._work = Work(what, done, total, unit, first=done)
        self._work.done, self._work.total = done, total
        if self._work.over:
            self._end_work()
        elif self._work.shown:
            if self._live is None:
                self._open()
            self._moved()

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        self._end_work()
        super().search_started(info, goal, trials)
        self._open()

    def epoch(self, trial: Trial, logs: Mapping[str, float]) -> None:
        self._work = None
        super().epoch(trial, logs)

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self._work = None
        super().trial_ended(trial, best)

    def search_ended(self, record: Any) -> None:
        self.close()
        self._screen.lines(search_summary(self._screen, record))

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[Key]) -> None:
        self._end_work()
        super().stack_started(info, jobs)
        self._open()

    def fold_epoch(self, member: str, fold: int, kind: str, logs: Mapping[str, float]) -> None:
        self._work = None
        super().fold_epoch(member, fold, kind, logs)

    def fold_ended(self, fold_run: Any) -> None:
        self._work = None
        super().fold_ended(fold_run)

    def stack_ended(self, record: Any) -> None:
        self.close()
        self._screen.lines(stack_summary(self._screen, record))

    def tick(self) -> None:
        since = time.monotonic() - self._drawn
        if since < self._cost / SHARE:
            return
        if since >= CLOCK_SECONDS or (self._changed and since >= LEAST_SECONDS):
            self._draw()

    def close(self) -> None:
        live, self._live = self._live, None
        self._work = None
        super().close()
        if live is not None:
            live.stop()

    def _open(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = Live(
            console=self._screen.console,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        self._draw()

    def _end_work(self) -> None:
        """Take the bar away; a region of nothing else goes with it."""
        self._work = None
        if self._search is None and self._stack is None:
            self.close()
        else:
            self._changed = True

    def _moved(self) -> None:
        self._changed = True
        self.tick()

    def _draw(self) -> None:
        if self._live is None:
            return
        begun = time.monotonic()
        if self._search is not None:
            lines = search_lines(self._screen, self._search)
        elif self._stack is not None:
            lines = stack_lines(self._screen, self._stack)
        else:
            lines = []
        if self._work is not None and self._work.shown:
            lines = [*lines, bar_line(self._screen, self._work)]
        self._live.update(Text("\n").join(lines), refresh=True)
        self._drawn, self._changed = time.monotonic(), False
        self._cost = self._drawn - begun
