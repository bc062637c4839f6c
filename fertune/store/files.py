"""Files of a run: text, JSON and arrays, each there whole or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from fertune.files import write_binary, write_npz


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as utf-8, atomically."""
    write_binary(path, lambda file: file.write(text.encode("utf-8")))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as JSON, atomically; a NaN is a ValueError, since JSON has none."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write an npz file, atomically; object arrays are a TypeError, since a run folder holds no pickle."""
    write_npz(path, arrays)


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
