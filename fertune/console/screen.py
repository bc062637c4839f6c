"""A stream and what it can show: width, encoding, colour, movement. Decided here, since rich decides otherwise."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fertune.console.text import plain

PIPED_WIDTH = 100
"""Columns where the stream is no terminal and ``COLUMNS`` is not set."""


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no such method, or the stream is closed
        return False


def is_live(stream: TextIO, env: Mapping[str, str] | None = None) -> bool:
    """Whether a region may be redrawn: a terminal that is not dumb, and no CI log."""
    env = os.environ if env is None else env
    return is_terminal(stream) and env.get("TERM", "") not in ("dumb", "unknown") and not env.get("CI")


def has_colour(stream: TextIO, env: Mapping[str, str] | None = None) -> bool:
    """``NO_COLOR`` wins, then ``FORCE_COLOR``, then whether the stream is a terminal that is not dumb."""
    env = os.environ if env is None else env
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return is_terminal(stream) and env.get("TERM", "") not in ("dumb", "unknown")


class Screen:
    """Where lines go. Views ask it for safe text and for its width, and hand it finished lines.

    Args:
        stream: Any text stream.
        env: Stands in for ``os.environ`` (tests).
        width: Fixed width; None asks the terminal anew each time.
    """

    def __init__(self, stream: TextIO, env: Mapping[str, str] | None = None, width: int | None = None) -> None:
        self.stream = stream
        self.env = os.environ if env is None else env
        self.live = is_live(stream, self.env)
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        colour = has_colour(stream, self.env)
        if width is None and not is_terminal(stream):
            columns = self.env.get("COLUMNS", "")
            width = int(columns) if columns.isdigit() and int(columns) > 0 else PIPED_WIDTH
        self.console = Console(
            file=stream,
            width=width,
            height=None,
            force_terminal=self.live or colour,
            no_color=not colour,
            color_system="standard" if colour else None,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            force_interactive=self.live,
            force_jupyter=False,  # rich would leave the stream and make an output of each line
            _environ=self.env,
        )

    @property
    def width(self) -> int:
        return max(20, self.console.width)

    @property
    def height(self) -> int:
        return max(8, self.console.height)

    def text(self, value: object, style: str = "") -> Text:
        """``value`` as safe text for this stream."""
        text = Text(plain(str(value), self.encoding), no_wrap=True, overflow="ignore", end="")
        text.stylize(style)  # a span, not the base style: that would colour what is appended too
        return text

    def cut(self, text: Text, width: int) -> Text:
        """``text`` in at most ``width`` cells, the last one an ellipsis where something is missing."""
        if text.cell_len <= width:
            return text
        out = text.copy()
        out.truncate(max(width - 1, 0), overflow="crop")
        return out.append(self.text("…")) if width > 0 else out

    def fold(self, text: Text, indent: str = "") -> list[Text]:
        """``text`` on as many lines as it needs, broken between words; further lines begin with ``indent``.

        A word longer than a line is broken where the line ends.
        """
        words = [match.span() for match in re.finditer(r"\S+", text.plain)]
        cuts = [0]
        end = 0
        for start, stop in words:
            room = self.width - (cell_len(indent) if len(cuts) > 1 else 0)
            if end and cell_len(text.plain[cuts[-1] : stop]) > room:
                cuts.append(start)
            end = stop
        pieces = [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text.plain)], strict=True)]
        lines: list[Text] = []
        for piece in pieces:
            piece.rstrip()
            while True:
                room = self.width - (cell_len(indent) if lines else 0)
                at = len(piece.plain) if piece.cell_len <= room else min(len(piece.plain), room)
                while at > 1 and cell_len(piece.plain[:at]) > room:
                    at -= 1
                head, piece = piece[:at], piece[at:]
                lines.append(Text.assemble(indent if lines else "", head, no_wrap=True, overflow="ignore", end=""))
                if not piece.plain:
                    break
        return lines

    def line(self, line: Text) -> None:
        """Print one finished line and flush it."""
        self.console.print(line, soft_wrap=True, crop=False)
        self.stream.flush()

    def lines(self, lines: Iterable[Text]) -> None:
        for line in lines:
            self.line(line)
