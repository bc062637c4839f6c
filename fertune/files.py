"""Whole files or none: written beside their place under another name, flushed, then moved in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


def replace_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a file under a temporary name with the same ending, and move it to ``path``.

    The folder of ``path`` is made where it is missing. Whatever ``write`` raises leaves ``path`` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        write(draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_binary(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file; see ``replace_with``."""

    def fill(draft: Path) -> None:
        with draft.open("wb") as file:
            write(file)

    replace_with(path, fill)


def write_npz(path: Path, arrays: Mapping[str, npt.NDArray[Any]], *, compressed: bool = True) -> None:
    """An npz file; see ``replace_with``.

    Raises:
        TypeError: An array of Python objects, which would be pickled.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects, which npz would pickle")
    save = np.savez_compressed if compressed else np.savez
    write_binary(path, lambda file: save(file, **arrays))  # type: ignore[arg-type]
