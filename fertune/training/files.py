"""Whole files or none: written beside their place under another name, then moved in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def replace_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make a file under a temporary name with the same ending, and move it to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        write(draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """An npz file without pickle; arrays of objects are a TypeError."""
    objects = [name for name, array in arrays.items() if array.dtype.hasobject]
    if objects:
        raise TypeError(f"array {objects[0]!r} holds Python objects, which npz would pickle")
    replace_with(path, lambda draft: np.savez(draft, **arrays))  # type: ignore[arg-type]
