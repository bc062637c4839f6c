"""The workers of a run as a person sees them: what each does, since when, how fast, and what it all takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from fertune.console.screen import Screen
from fertune.console.table import Column, draw, fits
from fertune.console.text import bytes_text, short_duration
from fertune.trial import WorkerStatus

DOING_CELLS = 8
"""What a worker does keeps so much of its name; other columns leave before."""
RECENT = 3
"""Epochs over which a pace is taken."""


@dataclass(frozen=True)
class Task:
    """What a worker does.

    Attributes:
        words: ``trial 12``, ``leaky_cnn 7, fold 2``.
        epochs: ``4/9``; empty where nothing is known.
        pace: Epochs a second; None before one is done.
    """

    words: str
    epochs: str = ""
    pace: float | None = None


@dataclass(frozen=True)
class Crew:
    """The last that was heard of the workers; see ``Observer.workers``."""

    statuses: tuple[WorkerStatus, ...] = ()
    memory: int = 0
    disk: int | None = None

    @property
    def machine(self) -> str:
        """``4 workers x 1 thread, cpu``; empty before anything was heard."""
        if not self.statuses:
            return ""
        n, threads = len(self.statuses), self.statuses[0].threads
        devices = ", ".join(sorted({s.device.upper() for s in self.statuses}))
        return f"{n} worker{'s' * (n != 1)} x {threads} thread{'s' * (threads != 1)}, {devices}"


def pace_of(history: Iterable[Mapping[str, float]]) -> float | None:
    """Epochs a second over the last few epochs; None where they are not timed."""
    seconds = [row["seconds"] for row in list(history)[-RECENT:] if row.get("seconds")]
    return len(seconds) / sum(seconds) if seconds else None


def pace_text(pace: float | None) -> str:
    """``2.3 epochs/s``, ``12 epochs/min`` or ``40 epochs/h``, whichever has a number before its point."""
    if not pace:
        return ""
    for unit, scale in (("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if pace * scale >= 1 or unit == "h":
            break
    amount = pace * scale
    return f"{amount:.1f} epochs/{unit}" if amount < 9.95 else f"{amount:,.0f} epochs/{unit}"


def vitals_line(screen: Screen, crew: Crew, tasks: Mapping[str, Task], more: Sequence[str] = ()) -> list[Text]:
    """``3.1 epochs/min · memory 3.1 GB · disk 61 MB``, then ``more`` as far as it fits; no line where nothing is known.

    Args:
        tasks: By job id.
    """
    paces = [tasks[s.job_id].pace for s in crew.statuses if s.job_id is not None and s.job_id in tasks]
    parts = [pace_text(sum(p for p in paces if p))]
    parts += [f"memory {bytes_text(crew.memory)}"] if crew.memory else []
    parts += [f"disk {bytes_text(crew.disk)}"] if crew.disk is not None else []
    words = ""
    for part in (p for p in (*parts, *more) if p):
        longer = f"{words} · {part}" if words else part
        if screen.text(longer).cell_len > screen.width:
            break
        words = longer
    return [screen.text(words)] if words else []


def crew_lines(screen: Screen, crew: Crew, task_of: Callable[[str], Task], rows: int) -> list[Text]:
    """A table of at most ``rows`` workers, those at work first; columns leave from the right."""
    if not crew.statuses or rows < 1:
        return []
    ordered = sorted(crew.statuses, key=lambda s: (s.job_id is None, s.number))
    shown = ordered[: rows if len(ordered) <= rows else max(rows - 1, 1)]
    now = time.monotonic()
    tasks = [Task("idle" if s.ready else "starting") if s.job_id is None else task_of(s.job_id) for s in shown]
    cells = screen.text
    number = Column("worker", [cells(f"{s.number:>6}") for s in shown])
    doing = Column("does", [cells(t.words) for t in tasks], "left", DOING_CELLS)
    since = Column(" for", [cells(short_duration(now - s.since) if s.since else "-") for s in shown])
    epochs = Column("epochs", [cells(t.epochs) for t in tasks])
    pace = Column("pace", [cells(pace_text(t.pace)) for t in tasks])
    memory = Column("memory", [cells(bytes_text(s.memory) if s.memory else "-") for s in shown])
    device = Column("on", [cells(s.device) for s in shown], "left")
    full = [number, doing, since, epochs, pace, memory, device]
    choices = [
        full,
        full[:-1],
        [number, doing, since, pace, memory],
        [number, doing, since, memory],
        full[:3],
        full[:2],
    ]
    lines = draw(screen, next((c for c in choices if fits(screen, c)), full[:1]))
    left = len(ordered) - len(shown)
    return [*lines, cells(f"  and {left:,} more workers")] if left else lines
