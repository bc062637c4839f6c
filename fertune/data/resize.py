"""Pictures brought to one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import Parsed
from fertune.data.words import counted

Size = tuple[int, int]


def resize(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Lanczos resampling, which filters what the smaller size cannot show; the shape is not kept.

    Args:
        picture: uint8 (h, w) or (h, w, c), any number of channels.
        size: (height, width) in pixels.

    Returns:
        uint8 of that size; the picture itself where it has it.
    """
    if picture.shape[:2] == tuple(size):
        return picture
    from PIL import Image

    height, width = size
    planes = [picture] if picture.ndim == 2 else [picture[..., c] for c in range(picture.shape[2])]
    done = [
        np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize((width, height), Image.Resampling.LANCZOS))
        for p in planes
    ]
    return done[0] if picture.ndim == 2 else np.stack(done, axis=2)


def resize_all(images: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """``resize`` for uint8 (n, h, w, c)."""
    if images.shape[1:3] == tuple(size):
        return images
    out = np.empty((len(images), *size, images.shape[3]), np.uint8)
    for row, picture in enumerate(images):
        out[row] = resize(picture, size)
    return out


def brought_to(parsed: Parsed, size: Size | None) -> Parsed:
    """The same with all pictures of one size, and a note where that changed any; None changes nothing."""
    if size is None or parsed.images.shape[1:3] == tuple(size):
        return parsed
    note = resized_note([parsed.images.shape[1:3]] * len(parsed.images), size)
    return replace(parsed, images=resize_all(parsed.images, size), notes=(*parsed.notes, *note))


def resized_note(sizes: Iterable[Size], size: Size) -> list[str]:
    """A note where pictures of these (height, width) were brought to ``size``; else nothing."""
    other = Counter(s for s in sizes if tuple(s) != tuple(size))
    if not other:
        return []
    (height, width), _ = other.most_common(1)[0]
    rest = len(other) - 1
    more = f" and {rest:,} other size{'s' if rest > 1 else ''}" if rest else ""
    before, after = f"{width} x {height}{more}", f"{size[1]} x {size[0]} pixels"
    return [f"{counted(other.total(), 'picture was', 'pictures were')} brought from {before} to {after}"]
