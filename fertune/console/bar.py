"""The bar of work that is not training: how much, how fast, how long still."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.text import short_duration

PATIENCE = 0.5
"""Seconds that work may last before a bar is shown."""
SETTLING = 1.0
"""Seconds of work before a rate says something of the time left."""
LEAST_BAR = 8
UNCOUNTED = 12.0
"""Seconds that a line stays for work of which nothing is counted, such as the start of a worker."""


@dataclass
class Work:
    """One piece of work under way.

    Attributes:
        what: In words, e.g. ``reading fer2013.csv``.
        done, total: Amounts; total None where it is unknown.
        unit: What is counted; ``bytes`` is shown as MB.
        begun: On the monotonic clock, at the amount ``first``.
    """

    what: str
    done: int
    total: int | None
    unit: str
    first: int = 0
    begun: float = field(default_factory=lambda: time.monotonic())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begun

    @property
    def shown(self) -> bool:
        counted = self.done > 0 or self.total is not None
        return self.seconds >= PATIENCE and (counted or self.seconds < UNCOUNTED)

    @property
    def over(self) -> bool:
        return self.total is not None and self.done >= self.total

    def rate(self) -> float | None:
        """Units a second; None while it is too early to say."""
        return (self.done - self.first) / self.seconds if self.seconds >= PATIENCE and self.done > self.first else None

    def left(self) -> float | None:
        rate = self.rate()
        if rate is None or self.total is None or self.seconds < SETTLING:
            return None
        return (self.total - self.done) / rate


def bar_line(screen: Screen, work: Work) -> Text:
    """``reading fer2013.csv  ━━━━━━────  142/271 MB · 45 MB/s · 3 s left`` in one line of the screen's width.

    What does not fit goes from the right: the time left stays longest.
    """
    if work.total is None and not work.done:  # nothing is counted
        return screen.cut(screen.text(f"{work.what} · {short_duration(work.seconds)}"), screen.width)
    scale, unit = (1e6, "MB") if work.unit == "bytes" else (1, work.unit)
    amount = _amount(work.done / scale)
    if work.total is not None:
        amount += f"/{_amount(work.total / scale)}"
    amount = f"{amount} {unit}".rstrip()
    rate, left = work.rate(), work.left()
    speed = [f"{_rate(rate / scale)} {unit}/s".replace(" /s", "/s")] if rate is not None else []
    still = [f"{short_duration(left)} left"] if left is not None else []
    what = screen.text(work.what)
    for words in ([amount, *speed, *still], [amount, *still], still or [amount]):
        told = screen.text(" · ".join(words))
        room = screen.width - what.cell_len - 2
        if told.cell_len + 2 + LEAST_BAR <= room or words == (still or [amount]):
            break
    head = screen.cut(what, max(screen.width - told.cell_len - 2, 8)).append("  ")
    if work.total is None or room < told.cell_len + 2 + LEAST_BAR:
        return screen.cut(head.append_text(told), screen.width)
    length = min(room - told.cell_len - 2, 40)
    full = min(round(length * work.done / work.total), length) if work.total else length
    head.append_text(screen.text("━" * full, "green")).append_text(screen.text("─" * (length - full)))
    return screen.cut(head.append("  ").append_text(told), screen.width)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:.1f}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
