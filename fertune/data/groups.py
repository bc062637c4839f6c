"""Twin clusters: pictures that are the same picture."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def twin_groups(images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number the clusters of pictures with the same bytes, or whose mirror image has.

    A picture's key is the smaller of two 128-bit digests, its own and that of its mirror image, so both have one key.

    Args:
        images: uint8 (n, h, w, c).

    Returns:
        int32 (n,), numbered from 0 in the order of first appearance.
    """
    number: dict[bytes, int] = {}
    groups = np.empty(len(images), np.int32)
    for row, image in enumerate(images):
        key = min(_digest(image), _digest(image[:, ::-1]))
        groups[row] = number.setdefault(key, len(number))
    return groups


def _digest(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
