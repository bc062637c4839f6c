"""One seed from several parts."""

from __future__ import annotations

import hashlib


def derive(*parts: object) -> int:
    """A seed from 1 to 2**31 - 1 that depends on all parts; neighbouring seeds share no stream."""
    digest = hashlib.sha256("\x1f".join(str(p) for p in parts).encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") % (2**31 - 1) + 1
