"""Whole files or none: everything is written beside its place, flushed, and moved in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_binary(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file, atomically."""
    _replace(path, write)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as utf-8, atomically."""
    _replace(path, lambda file: file.write(text.encode("utf-8")))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, atomically; a NaN is a ValueError, since JSON has none."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an npz file, atomically; object arrays are refused, since they would be pickled."""
    for name, array in arrays.items():
        if array.dtype == object:
            raise TypeError(f"array {name!r} holds Python objects; a run folder holds no pickle")
    _replace(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
