"""How reading tells whoever watches that it goes on."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called often while a source is read; ``fertune.searching.Observer.progress`` is one."""

    def __call__(self, what: str, done: int, total: int | None = None, unit: str = "", /) -> None:
        """``done`` of ``total`` units (None where unknown) of ``what``; unit ``bytes`` is shown as MB."""


def unseen(what: str, done: int, total: int | None = None, unit: str = "", /) -> None:
    """Nobody watches."""
