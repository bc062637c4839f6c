"""Picture files of any mode to uint8 pixels of one size; what was changed on the way is said."""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.options import ReadOptions
from fertune.data.progress import Progress, unseen
from fertune.data.resize import Size, resize, resized_note
from fertune.data.words import counted
from fertune.errors import MAX_DETAILS, DataError

KINDS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
ORIENTATION = 0x0112  # the EXIF tag; 1 is upright
SIXTEEN_BIT = 257  # 65,535 / 255
ODDITIES = {
    "alpha": ("transparency left out", "has transparency, which was left out", "have transparency, which was left out"),
    "deep": (
        "16 bits scaled to 8", "has 16 bits a pixel and was scaled to 8", "have 16 bits a pixel and were scaled to 8",
    ),
    "turned": (
        "turned upright, as EXIF says", "was turned upright, as its EXIF data say",
        "were turned upright, as their EXIF data say",
    ),
    "moving": (
        "first frame taken", "has more than one frame; the first was taken",
        "have more than one frame; the first was taken",
    ),
}  # fmt: skip
"""What was changed -> how it is said where the picture is named, of one picture, and of many."""


class Unreadable(Exception):
    """One clause: why a file is no usable picture."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: uint8 (h, w) where it is gray, else (h, w, 3).
        oddities: Of ``ODDITIES``.
    """

    pixels: NDArray[np.uint8]
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Gathered:
    """Pictures of one size.

    Attributes:
        images: uint8 (n, h, w, c); 1 channel where every picture is gray, else 3.
        kept: int64 (n,), which of the asked-for pictures these are.
        notes: What was changed or left out.
    """

    images: NDArray[np.uint8]
    kept: NDArray[np.int64]
    notes: tuple[str, ...]


def decode(source: Path | bytes | Any) -> Picture:
    """Decode a file, its bytes, or an image that Pillow has opened.

    Sixteen bits are divided by 257; transparency is left out; EXIF orientation is applied; of several frames the first
    is taken.

    Raises:
        Unreadable: Not a picture, a damaged one, or one whose declared size is beyond Pillow's limit.
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Path) and (denied := not_readable(source)):
        raise Unreadable(denied)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not isinstance(source, (Path, bytes)):
                return _pixels(source)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                return _pixels(image)
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        empty = len(source) == 0 if isinstance(source, bytes) else source.stat().st_size == 0
        raise Unreadable("an empty file" if empty else "not a picture") from error
    # each decoder has its own errors for a damaged file, and a picture bomb is one of them
    except Exception as error:
        raise Unreadable(str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def not_readable(path: str | Path) -> str:
    """Why a file cannot be opened, in two words; an empty string where it can."""
    if os.access(path, os.R_OK):
        return ""
    return "permission denied" if os.path.exists(path) else "no such file"


def _pixels(image: Any) -> Picture:
    from PIL import Image, ImageOps

    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and image.width * image.height > limit:
        raise Unreadable(f"it declares {image.width:,} x {image.height:,} pixels, more than {limit:,} in all")
    oddities = {
        "moving": getattr(image, "n_frames", 1) > 1,
        "deep": ";16" in repr(getattr(image, "tile", "")) and image.mode in ("RGB", "RGBA"),
    }
    image.load()
    if image.getexif().get(ORIENTATION, 1) != 1:
        image = ImageOps.exif_transpose(image)
        oddities["turned"] = True
    oddities["alpha"] = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        pixels = _from_deep(np.asarray(image), image.mode)
        oddities["deep"] = True
    elif image.mode in ("L", "1", "LA", "La"):
        pixels = np.asarray(image.convert("L"))
    else:
        if image.mode in ("P", "PA") and oddities["alpha"]:
            image = image.convert("RGBA")
        pixels = np.asarray(image.convert("RGB"))
        if bool(np.all(pixels[..., :1] == pixels[..., 1:])):
            pixels = pixels[..., 0]
    return Picture(pixels, tuple(name for name in ODDITIES if oddities.get(name)))


def _from_deep(pixels: NDArray[Any], mode: str) -> NDArray[np.uint8]:
    low, high = pixels.min(), pixels.max()
    if mode == "F" or low < 0 or high > 65535:
        raise Unreadable(f"its pixels (mode {mode}) go from {low} to {high}; 8 and 16 bits are read")
    return np.rint(pixels.astype(np.float64) / SIXTEEN_BIT).astype(np.uint8)


def gather(
    called: str,
    names: Sequence[str],
    read: Callable[[int], Picture],
    options: ReadOptions,
    *,
    help: str,
    progress: Progress = unseen,
) -> Gathered:
    """Decode pictures and bring them to one size.

    Args:
        called: What messages call the whole.
        names: One a picture, for messages.
        read: Gives the picture of a position, or raises ``Unreadable``.
        options: ``image_size`` and ``skip_bad_rows``.
        help: What to do with pictures that cannot be read.
        progress: Is told of pictures.

    Raises:
        DataError: Every picture that cannot be read, or whose size differs from most; or none is left.
    """
    pictures: list[NDArray[np.uint8]] = []
    kept: list[int] = []
    sizes: list[Size] = []
    unreadable: list[str] = []
    odd: Counter[str] = Counter()
    for at, name in enumerate(names):
        progress(f"reading {called}", at, len(names), "pictures")
        try:
            picture = read(at)
        except Unreadable as error:
            unreadable.append(f"{name}: {error}")
            continue
        sizes.append((picture.pixels.shape[0], picture.pixels.shape[1]))
        pictures.append(picture.pixels if options.image_size is None else resize(picture.pixels, options.image_size))
        kept.append(at)
        odd.update(picture.oddities)
    progress(f"reading {called}", len(names), len(names), "pictures")
    faults = [] if options.skip_bad_rows else unreadable
    others = _odd_sizes([names[at] for at in kept], sizes) if options.image_size is None else []
    if faults or others:
        count = len(faults) + len(others)
        raise DataError(
            f"{called} has {count:,} picture{'s' if count > 1 else ''} that cannot be used",
            details=[*faults, *others], help=sizes_differ(sizes) if others else help,
        )  # fmt: skip
    if not pictures:
        raise DataError(f"{called} has no picture that can be read", details=unreadable, help=help)
    colour = any(picture.ndim == 3 for picture in pictures)
    channels = 3 if colour else 1
    images = np.empty((len(pictures), *pictures[0].shape[:2], channels), np.uint8)
    for row, pixels in enumerate(pictures):
        images[row] = pixels if pixels.ndim == 3 else pixels[..., None]
    notes = [
        counted(odd[kind], f"picture {one}", f"pictures {many}")
        for kind, (_, one, many) in ODDITIES.items()
        if odd[kind]
    ]
    notes += resized_note(sizes, options.image_size) if options.image_size is not None else []
    return Gathered(images, np.array(kept, np.int64), (*left_out_note(unreadable), *notes))


def left_out_note(faults: Sequence[str]) -> tuple[str, ...]:
    """One note that names the first 20 bad rows or pictures and counts the others; nothing where there is none."""
    if not faults:
        return ()
    more = f"; and {len(faults) - MAX_DETAILS:,} more" if len(faults) > MAX_DETAILS else ""
    what = counted(len(faults), "bad row or picture was", "bad rows or pictures were")
    return (f"{what} left out: {'; '.join(faults[:MAX_DETAILS])}{more}",)


def sizes_differ(sizes: Sequence[Size]) -> str:
    """What to type where pictures are of several sizes, (height, width): the commonest is proposed."""
    height, width = Counter(sizes).most_common(1)[0][0]
    usual = f"{width}" if width == height else f"{width}x{height}"
    return f"bring them to one size: --image-size {usual}, or any other (64x48 is width x height)"


def _odd_sizes(names: Sequence[str], sizes: Sequence[Size]) -> list[str]:
    if len(set(sizes)) < 2:
        return []
    usual = Counter(sizes).most_common(1)[0][0]
    return [
        f"{name}: {w} x {h} pixels where most are {usual[1]} x {usual[0]}"
        for name, (h, w) in zip(names, sizes, strict=True) if (h, w) != usual
    ]  # fmt: skip
