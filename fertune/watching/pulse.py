"""What the coordinator says of itself while it works: its workers, memory and disk, to observers and to a file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import psutil

from fertune.searching.observer import Observer
from fertune.store.room import sizes_in
from fertune.trial import Executor
from fertune.watching.several import Several
from fertune.watching.status import remove_status, write_status

WORKERS_SECONDS = 0.5
FILE_SECONDS = 2.0
DISK_SECONDS = 10.0
"""Least time between two measurings of the run's folder."""
DISK_SHARE = 0.01
"""Most of its time that a coordinator spends on measuring it."""
DISK_ENTRIES = 50_000
"""A folder of more files is measured no further, and then counted as unknown."""


class Pulse(Several):
    """Several observers that are told of the workers too.

    Args:
        observers: Those that are told.
        executor: Is asked for its workers.
        folder: The run's; ``status.json`` lies there while this one works.
        closing: Those of them that are closed with this one.
    """

    def __init__(
        self, observers: Sequence[Observer], executor: Executor, folder: Path, closing: Sequence[Observer] = ()
    ) -> None:
        super().__init__(observers)
        self._closing = closing
        self._executor, self._folder = executor, folder
        self._me = psutil.Process()
        self._asked = self._written = self._measured = -1e9
        self._pause = DISK_SECONDS
        self._beat = 0
        self._disk: int | None = None

    def tick(self) -> None:
        """Tell of the workers where it is time for it; then tick them all."""
        now = time.monotonic()
        if now - self._asked >= WORKERS_SECONDS:
            self._asked = now
            self._tell(now)
        for observer in self.observers:
            observer.tick()

    def stop(self) -> None:
        """No more is told; to be called before the executor is closed."""
        self._asked = float("inf")
        remove_status(self._folder)
        for observer in self._closing:
            observer.close()

    def _tell(self, now: float) -> None:
        if now - self._measured >= self._pause:
            self._disk = folder_bytes(self._folder)
            self._measured = time.monotonic()
            self._pause = max(DISK_SECONDS, (self._measured - now) / DISK_SHARE)
        workers = tuple(self._executor.status())
        memory = int(self._me.memory_info().rss) + sum(w.memory for w in workers)
        if now - self._written >= FILE_SECONDS:
            self._written = now
            self._beat += 1
            write_status(self._folder, self._beat, workers, memory, self._disk)
        for observer in self.observers:
            observer.workers(workers, memory, self._disk)


def folder_bytes(folder: Path, most: int = DISK_ENTRIES) -> int | None:
    """Bytes of all files below ``folder``; None for more than ``most`` of them, folders counted."""
    sizes = list(islice(sizes_in(folder), most + 1))
    return None if len(sizes) > most else sum(sizes)
