"""Folds as a run keeps them, their fingerprint, and files that two runs share."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fertune.files import replace_with
from fertune.folds import Fold
from fertune.store.files import write_arrays

PARTS = ("fit", "stop", "held_out")


def write_folds(path: Path, parts: Sequence[Fold], kind: str = "fold") -> None:
    """Write folds or bags, each array by ``<kind><number>_<part>``, int32 positions in the data set."""
    write_arrays(path, **{f"{kind}{i}_{p}": getattr(x, p) for i, x in enumerate(parts) for p in PARTS})


def read_folds(path: Path, k: int) -> list[Fold]:
    """The ``k`` folds that ``write_folds`` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return [Fold(*(stored[f"fold{i}_{part}"] for part in PARTS)) for i in range(k)]


def folds_fingerprint(path: Path) -> str | None:
    """sha256 over names and positions, whatever the compression; None where there is no readable file."""
    digest = hashlib.sha256()
    try:
        with np.load(path, allow_pickle=False) as stored:
            for name in sorted(stored.files):
                digest.update(name.encode() + b"\0")
                digest.update(np.ascontiguousarray(stored[name], "<i4").tobytes())
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return digest.hexdigest()


def share_file(source: Path, target: Path) -> None:
    """Have the file in a second place: by a hard link where the file system can, else by a copy.

    Files of a run are replaced whole, never written into, so neither place sees what becomes of the other.
    """

    def link(draft: Path) -> None:
        draft.unlink(missing_ok=True)
        try:
            os.link(source, draft)
        except OSError:
            shutil.copyfile(source, draft)

    replace_with(target, link)
