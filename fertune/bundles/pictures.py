"""Picture files as a model takes them: found, decoded, brought to its channels and size, a batch at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fertune.data.resize import resize
from fertune.data.sources.pictures import KINDS, ODDITIES, Unreadable, decode
from fertune.errors import DataError, did_you_mean

BATCH_BYTES = 32 * 2**20
"""Of the pictures that are in memory at a time."""

RESIZED = "brought from"
"""How the note of a picture of another size begins; its width and height follow."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Pictures that could be read, and those that could not.

    Attributes:
        files: One a picture.
        images: uint8 (n, h, w, c).
        notes: One tuple a picture.
        unreadable: (file, one clause why).
    """

    files: tuple[str, ...]
    images: npt.NDArray[np.uint8]
    notes: tuple[tuple[str, ...], ...]
    unreadable: tuple[tuple[str, str], ...]


def find_pictures(paths: Iterable[str | Path]) -> tuple[list[str], list[tuple[str, str]]]:
    """Files, each once, and all pictures in and below folders; nothing is opened.

    Files are taken whatever their ending. Of a folder, files with a picture's ending are taken, sorted by path; hidden
    ones and links to folders are left out.

    Returns:
        Their paths; and (path, one clause why) of what is not there or holds no picture.
    """
    files: list[str] = []
    missing: list[tuple[str, str]] = []
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            try:
                found = sorted(_below(path))
            except OSError as error:
                missing.append((str(given), error.strerror or str(error)))
                continue
            files += found
            if not found:
                missing.append((str(given), "a folder without pictures"))
        elif path.is_file():
            files.append(str(path))
        elif path.exists():
            missing.append((str(given), "neither a file nor a folder"))
        else:
            missing.append((str(given), "no such file" + _near(path)))
    return list(dict.fromkeys(files)), missing


def _below(folder: Path) -> Iterator[str]:
    def fail(error: OSError) -> None:
        if error.filename == str(folder):
            raise error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            os.path.join(where, name) for name in names if name.lower().endswith(KINDS) and not name.startswith(".")
        )


def _near(path: Path) -> str:
    try:
        return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()])
    except OSError:
        return ""


def as_input(pixels: npt.NDArray[np.uint8], shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """uint8 (h, w) or (h, w, 3) as uint8 of ``shape``: its channels first, then its size."""
    if shape[2] == 1 and pixels.ndim == 3:
        from PIL import Image

        pixels = np.asarray(Image.fromarray(pixels).convert("L"))
    elif shape[2] == 3 and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    pixels = resize(pixels, shape[:2])
    return pixels[..., None] if pixels.ndim == 2 else pixels


def check_channels(shape: tuple[int, int, int]) -> None:
    """Raise DataError unless picture files can be brought to ``shape``."""
    if shape[2] not in (1, 3):
        raise DataError(
            f"the model takes pictures of {shape[2]} channels; picture files give 1 or 3",
            help="give arrays from Python: ft.load(MODEL).predict_proba(images)",
        )


def batches(files: Sequence[str], shape: tuple[int, int, int]) -> Iterator[Batch]:
    """Read ``files`` so many at a time that their pixels take 32 MiB at most."""
    size = int(np.clip(BATCH_BYTES // math.prod(shape), 16, 1024))
    for start in range(0, len(files), size):
        yield _read(files[start : start + size], shape)


def _read(files: Sequence[str], shape: tuple[int, int, int]) -> Batch:
    images = np.empty((len(files), *shape), np.uint8)
    kept: list[str] = []
    notes: list[tuple[str, ...]] = []
    unreadable: list[tuple[str, str]] = []
    for file in files:
        try:
            picture = decode(Path(file))
        except Unreadable as error:
            unreadable.append((file, str(error)))
            continue
        images[len(kept)] = as_input(picture.pixels, shape)
        kept.append(file)
        notes.append(_changes(picture.pixels.shape, picture.oddities, shape))
    return Batch(tuple(kept), images[: len(kept)], tuple(notes), tuple(unreadable))


def _changes(found: tuple[int, ...], oddities: Sequence[str], shape: tuple[int, int, int]) -> tuple[str, ...]:
    notes = [ODDITIES[name][0] for name in oddities]
    if len(found) == 3 and shape[2] == 1:
        notes.append("colour made gray")
    if found[:2] != shape[:2]:
        notes.append(f"{RESIZED} {found[1]} x {found[0]}")
    return tuple(notes)
