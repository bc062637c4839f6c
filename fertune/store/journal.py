"""The append-only journal of a run: one JSON object a line, flushed to disk before anybody acts on it.

Line shapes are described in ``docs/run-folder.md``. A line that a kill cut short is the last one; it is dropped when
the journal is opened for writing, and ignored when it is only read.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fertune.errors import RunError

Line = dict[str, Any]
TOGETHER = 2000
"""So many lines are parsed at a time."""
_TEXT = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become None."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _whole(rows: list[bytes]) -> list[Line] | None:
    """The lines, read in one go, which is faster and keeps each name once; None where one of them is not whole."""
    if not rows[-1].endswith(b"\n"):
        return None
    try:
        found = json.loads(b"[" + b",".join(rows) + b"]")
    except ValueError:
        return None
    fine = len(found) == len(rows) and all(isinstance(line, dict) and "event" in line for line in found)
    return found if fine else None


def _parse(path: Path) -> tuple[list[Line], int]:
    """All whole lines, and the number of bytes they take."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    lines: list[Line] = []
    good = 0
    rows = data.splitlines(keepends=True)
    for start in range(0, len(rows), TOGETHER):
        some = rows[start : start + TOGETHER]
        found = _whole(some)
        if found is None:
            break
        lines += found
        good += sum(map(len, some))
    for number, raw in enumerate(rows[len(lines) :], start=len(lines) + 1):
        try:
            if not raw.endswith(b"\n"):
                raise ValueError("cut off")
            line = json.loads(raw)
            if not isinstance(line, dict) or "event" not in line:
                raise ValueError("no event")
        except ValueError as error:
            if good + len(raw) == len(data):
                break
            raise RunError(
                f"{path.name} of {path.parent.name} is damaged at line {number}: {error}",
                help="finished trials before that line are intact; cut the file there and use --resume",
            ) from None
        lines.append(line)
        good += len(raw)
    return lines, good


def read_journal(path: Path) -> list[Line]:
    """All whole lines of a journal, also while another process writes it."""
    return _parse(path)[0]


def lines_of(path: Path) -> Iterator[Line]:
    """The whole lines of a journal, each read when it is asked for; one that is cut off or damaged ends them.

    There is none where a run was killed before it had a journal.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for raw in file:
            try:
                line = json.loads(raw)
            except ValueError:
                return
            if not raw.endswith(b"\n") or not isinstance(line, dict) or "event" not in line:
                return
            yield line


class Journal:
    """Writes one journal. One writer at a time: the run's lock sees to it.

    ``time`` of its lines is the wall clock's when it was opened, and goes on evenly from there: a clock that is set
    meanwhile makes no trial last a day, or less than nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines, good = _parse(path)
        self._size = good
        self._epoch = time.time() - time.monotonic()
        self._waiting = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            if self._file.tell() != good:
                self._file.truncate(good)
        except OSError as error:
            raise self._unwritten(error) from error

    def write(self, event: str, *, lasting: bool = True, wait: bool = True, **fields: Any) -> Line:
        """Append one line; when this returns, it outlives this process.

        Args:
            event: The first word of the line.
            lasting: Whether it must outlive a power cut too. Not so lines that a later one repeats in sum (an epoch of
                a trial).
            wait: For the disk, where the line is lasting. False leaves that to ``sync``, which waits once for many
                lines, and must be called before anybody outside this process acts on them.
            fields: Plain values; NaN and infinity are written as null.

        Raises:
            RunError: It cannot be written; the journal ends with the line before.
        """
        line: Line = {"event": event, "time": round(self._epoch + time.monotonic(), 3), **_plain(fields)}
        data = _TEXT.encode(line).encode("utf-8") + b"\n"
        written = 0
        try:
            while written < len(data):  # a disk that fills up takes a part, and refuses the rest
                written += self._file.write(data[written:])
        except OSError as error:
            with contextlib.suppress(OSError):  # else its beginning stays, which every reader drops
                self._file.truncate(self._size)
            raise self._unwritten(error) from error
        self._size += len(data)
        self._waiting = self._waiting or lasting
        if wait and lasting:
            self.sync()
        self.lines.append(line)
        return line

    def sync(self) -> None:
        """Wait until the disk has every lasting line that was written so far: one wait for all of them."""
        if not self._waiting:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritten(error) from error
        self._waiting = False

    def _unwritten(self, error: OSError) -> RunError:
        return RunError(
            f"cannot write to {self.path.parent.name}: {error.strerror or error}",
            help="every finished trial before this is safe; make room or give write access, then --resume",
        )

    def close(self) -> None:
        self._file.close()
