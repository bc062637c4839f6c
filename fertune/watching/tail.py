"""A journal that somebody else writes, read on from where the last reading ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fertune.errors import RunError

CHUNK = 16 * 1024 * 1024


class Tail:
    """Gives each whole line once. The file is opened anew each time, which also makes a network disk look again.

    Args:
        path: Of the journal; need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.offset = 0

    def read(self) -> list[dict[str, Any]]:
        """Whole lines that came since the last reading; one that is being written waits for the next.

        A file that became shorter (a resume cuts a torn last line off, never a whole one) is waited for, too.

        Raises:
            RunError: A whole line cannot be understood.
        """
        lines: list[dict[str, Any]] = []
        try:
            with self._path.open("rb") as file:
                file.seek(self.offset)
                rest = b""
                while chunk := file.read(CHUNK):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for raw in whole:
                        lines.append(self._parse(raw))
                        self.offset += len(raw) + 1
        except FileNotFoundError:
            return lines
        except OSError as error:
            raise RunError(f"cannot read {self._path}: {error.strerror or error}") from error
        return lines

    def _parse(self, raw: bytes) -> dict[str, Any]:
        try:
            line = json.loads(raw)
            if isinstance(line, dict) and "event" in line and "time" in line:
                return line
        except ValueError:
            pass
        raise RunError(
            f"{self._path.name} of {self._path.parent.name} is damaged at byte {self.offset}",
            help="finished trials before that line are intact; cut the file there and use --resume",
        )
