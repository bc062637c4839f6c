"""Numbers with their nouns."""

from __future__ import annotations


def counted(n: int, one: str, many: str) -> str:
    """``1 picture was``, ``1,200 pictures were``: a number with the words that go with it."""
    return f"{n:,} {one if n == 1 else many}"
