"""The append-only journal of a run: one JSON object a line, flushed to disk before anybody acts on it.

Line shapes are described in ``docs/run-folder.md``. A line that a kill cut short is the last one; it is dropped when
the journal is opened for writing, and ignored when it is only read.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

from fertune.errors import RunError

Line = dict[str, Any]


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        return _plain(value.item())
    return value


def _parse(path: Path) -> tuple[list[Line], int]:
    """All whole lines, and the number of bytes they take."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    lines: list[Line] = []
    good = 0
    for number, raw in enumerate(data.splitlines(keepends=True), start=1):
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


class Journal:
    """Writes one journal. One writer at a time: the run's lock sees to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines, good = _parse(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        if self._file.tell() != good:
            self._file.truncate(good)
            self._file.seek(good)

    def write(self, event: str, *, lasting: bool = True, **fields: Any) -> Line:
        """Append one line and wait until the disk has it.

        Args:
            event: The first word of the line.
            lasting: False hands the line to the system without waiting for the disk: it outlives this process, not a
                power cut. For lines that a later one repeats in sum (an epoch of a trial).
            fields: Plain values; NaN and infinity are written as null.
        """
        line: Line = {"event": event, "time": round(time.time(), 3), **_plain(fields)}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n")
            self._file.flush()
            if lasting:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise RunError(
                f"cannot write to {self.path.parent.name}: {error.strerror or error}",
                help="every finished trial before this is safe; make room or give write access, then --resume",
            ) from error
        self.lines.append(line)
        return line

    def close(self) -> None:
        self._file.close()
