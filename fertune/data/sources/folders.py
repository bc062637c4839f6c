"""Folders of pictures: ``train/<class>/*``, optional ``validation/`` or ``val/``, optional ``test/``."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import TEST, TRAIN, VALIDATION, Parsed
from fertune.errors import DataError, did_you_mean

KINDS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
SPLIT_FOLDERS = {"train": TRAIN, "validation": VALIDATION, "val": VALIDATION, "test": TEST}
LAYOUT = "pictures stand in train/<class>/, and where you have them in validation/<class>/ and test/<class>/"
SHOWN = 5


@dataclass
class Listing:
    """The files of a data set, in the order of their rows.

    Attributes:
        root: The folder.
        files: Relative paths with ``/``, sorted inside train, validation, test.
        split: One a file.
        classes: One a file.
        class_names: Sorted names of the folders in train.
        left_out: Relative paths of what is neither a picture nor hidden.
    """

    root: Path
    files: list[str] = field(default_factory=list)
    split: list[int] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    class_names: tuple[str, ...] = ()
    left_out: list[str] = field(default_factory=list)


def list_folder(root: Path) -> Listing:
    """Find the pictures; nothing is opened.

    Raises:
        DataError: Not such a layout, or a class that train has not.
    """
    listing = Listing(root)
    inside = {entry.name: entry for entry in _visible(root)}
    if "train" not in inside or not inside["train"].is_dir():
        found = ", ".join(sorted(inside)[:8]) or "nothing"
        hint = did_you_mean("train", inside)
        raise DataError(f"{root.name} has no folder train/{hint}", details=[f"it holds {found}"], help=LAYOUT)
    if "val" in inside and "validation" in inside:
        raise DataError(f"{root.name} has both val/ and validation/", help="keep one of the two")
    listing.left_out += [name for name in sorted(inside) if name not in SPLIT_FOLDERS]
    faults = []
    for name, split in SPLIT_FOLDERS.items():
        if name not in inside or not inside[name].is_dir():
            continue
        for folder in _visible(root / name):
            if not folder.is_dir():
                listing.left_out.append(f"{name}/{folder.name}")
                continue
            if name == "train":
                listing.class_names += (folder.name,)
            elif folder.name not in listing.class_names:
                hint = did_you_mean(folder.name, listing.class_names)
                faults.append(f"{name}/{folder.name}: train/ has no class {folder.name!r}{hint}")
            for file in _visible(root / name / folder.name):
                relative = f"{name}/{folder.name}/{file.name}"
                if file.name.lower().endswith(KINDS) and file.is_file():
                    listing.files.append(relative)
                    listing.split.append(split)
                    listing.classes.append(folder.name)
                else:
                    listing.left_out.append(relative)
    if len(listing.class_names) < 2:
        faults.append(f"train/ has {len(listing.class_names)} class folders; two or more are needed")
    if not faults and TRAIN not in listing.split:
        faults.append(f"train/ has no pictures; {', '.join(KINDS)} are read")
    if faults:
        raise DataError(f"{root.name} cannot be used as a data set", details=faults, help=LAYOUT)
    return listing


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)


def read_folder(listing: Listing) -> Parsed:
    """Decode all pictures: 1 channel where each of them is gray, else 3; alpha is left out and said.

    Raises:
        DataError: Pictures that cannot be read, or sizes that differ.
    """
    pictures, unreadable, alpha = [], [], 0
    sizes: list[tuple[int, int]] = []
    for relative in listing.files:
        try:
            picture, had_alpha = _decode(listing.root / relative)
        except _Unreadable as error:
            unreadable.append(f"{relative}: {error}")
            continue
        pictures.append(picture)
        sizes.append((picture.shape[1], picture.shape[0]))
        alpha += had_alpha
    faults = unreadable + _odd_sizes([f for f in listing.files if f not in _names(unreadable)], sizes)
    if faults:
        raise DataError(
            f"{listing.root.name} has {len(faults):,} picture{'s' if len(faults) > 1 else ''} that cannot be used",
            details=faults, help="mend these files or take them out; all pictures must have one size",
        )  # fmt: skip
    if any(picture.ndim == 3 for picture in pictures):
        images = np.stack([p if p.ndim == 3 else np.repeat(p[..., None], 3, axis=2) for p in pictures])
    else:
        images = np.stack(pictures)[..., None]
    notes = []
    if listing.left_out:
        some = ", ".join(listing.left_out[:SHOWN]) + (", ..." if len(listing.left_out) > SHOWN else "")
        notes.append(f"{len(listing.left_out):,} files or folders are no pictures of a class and were left out: {some}")
    if alpha:
        notes.append(f"{alpha:,} pictures have transparency, which was left out")
    number = {name: index for index, name in enumerate(listing.class_names)}
    return Parsed(
        images=images, labels=np.array([number[name] for name in listing.classes], np.int32),
        split=np.array(listing.split, np.int8), row_ids=np.arange(len(images), dtype=np.int32),
        class_names=listing.class_names, name=listing.root.name, notes=tuple(notes),
    )  # fmt: skip


def _names(faults: list[str]) -> set[str]:
    return {fault.split(": ", 1)[0] for fault in faults}


class _Unreadable(Exception):
    """One clause: why a file is no usable picture."""


def _decode(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """uint8 (h, w) where the picture is gray, else (h, w, 3); and whether it had an alpha channel."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode in ("I", "F", "I;16", "I;16B", "I;16L", "I;16N"):
                raise _Unreadable(f"its pixels have more than 8 bits (mode {image.mode})")
            alpha = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
            if image.mode in ("L", "1", "LA", "La"):
                return np.asarray(image.convert("L")), alpha
            pixels = np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise _Unreadable("not a picture") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _Unreadable(str(error) or type(error).__name__) from error
    gray = bool(np.all(pixels[..., :1] == pixels[..., 1:]))
    return (pixels[..., 0] if gray else pixels), alpha


def _odd_sizes(files: list[str], sizes: list[tuple[int, int]]) -> list[str]:
    if len(set(sizes)) < 2:
        return []
    usual = Counter(sizes).most_common(1)[0][0]
    return [
        f"{file}: {w} x {h} pixels where most are {usual[0]} x {usual[1]}"
        for file, (w, h) in zip(files, sizes, strict=True) if (w, h) != usual
    ]  # fmt: skip
