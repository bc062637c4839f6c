"""What lies in the cache: listed, and cleared."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fertune.data.cache import cache_root
from fertune.data.dataset import SPLITS
from fertune.errors import DataError, did_you_mean

OTHER = "index"


@dataclass(frozen=True)
class Kept:
    """One data set in the cache.

    Attributes:
        key: Name of its folder.
        name, source: As it was read; empty where it is damaged.
        rows: Pictures; 0 where it is damaged.
        splits: Rows of train, validation, test and unlabelled.
        shape: (height, width, channels).
        bytes: On disk. Data sets that differ in their validation rows alone share their pictures.
        age: Seconds since it was written.
        path: Its folder.
        damaged: Whether its description cannot be read; it is made again when it is next asked for.
    """

    key: str
    name: str
    source: str
    rows: int
    splits: tuple[int, ...]
    shape: tuple[int, ...]
    bytes: int
    age: float
    path: Path
    damaged: bool = False

    def to_json(self) -> dict[str, Any]:
        splits = dict(zip(SPLITS, self.splits, strict=False))
        shown = {"splits": splits, "shape": list(self.shape), "path": str(self.path), "age": round(self.age, 1)}
        return {**asdict(self), **shown}


@dataclass(frozen=True)
class Cleared:
    """What ``clear`` did.

    Attributes:
        removed: Data sets that are gone.
        locked: Those that another process writes just now; they stay.
        freed: Bytes on disk.
    """

    removed: tuple[Kept, ...]
    locked: tuple[Kept, ...]
    freed: int


def kept_data() -> list[Kept]:
    """All data sets in the cache, the newest first.

    Raises:
        DataError: The cache folder cannot be used.
    """
    folders = [e for e in cache_root().iterdir() if e.is_dir() and e.name != OTHER and not e.name.startswith(".")]
    return sorted((_kept(folder) for folder in folders), key=lambda kept: (kept.age, kept.key))


def _kept(folder: Path) -> Kept:
    try:
        age = max(0.0, time.time() - folder.stat().st_mtime)
        size = sum(_sizes([folder]).values())
        meta = json.loads((folder / "meta.json").read_text("utf-8"))
        rows, *shape = (int(n) for n in meta["shape"])
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            splits = tuple(int(n) for n in np.bincount(arrays["split"], minlength=len(SPLITS)))
        return Kept(folder.name, str(meta["name"]), str(meta["source"]), rows, splits, tuple(shape), size, age, folder)
    # whatever is wrong with its files, it is listed and can be removed
    except Exception:
        return Kept(folder.name, "", "", 0, (), (), sum(_sizes([folder]).values()), 0.0, folder, damaged=True)


def total_bytes(kept: Sequence[Kept]) -> int:
    """Bytes on disk, those that several share counted once."""
    return sum(_sizes([one.path for one in kept]).values())


def _sizes(folders: Sequence[Path]) -> dict[tuple[int, int], int]:
    """(device, inode) -> bytes."""
    found = {}
    for folder in folders:
        for file in folder.rglob("*"):
            try:
                status = file.lstat()
            except OSError:  # gone meanwhile
                continue
            if not file.is_dir():
                found[status.st_dev, status.st_ino] = status.st_size
    return found


def clear(names: Sequence[str] = ()) -> Cleared:
    """Remove data sets from the cache; they are read again when they are next asked for.

    Args:
        names: Names or keys; none for all, which also forgets the hashes of files.

    Raises:
        DataError: A name that no data set has; nothing is removed then.
    """
    from filelock import FileLock, Timeout

    kept = kept_data()
    unknown = [name for name in names if not any(name in (one.name, one.key) for one in kept)]
    if unknown:
        known = sorted({one.name for one in kept if one.name})
        raise DataError(
            f"the cache has no data set named {', '.join(map(repr, unknown))}{did_you_mean(unknown[0], known)}",
            help="fertune data cache    # lists what is there",
        )
    root = cache_root()
    before = sum(_sizes([root]).values())
    removed, locked = [], []
    for one in kept:
        if names and one.name not in names and one.key not in names:
            continue
        try:
            with FileLock(root / f"{one.key}.lock", timeout=0):
                for folder in (one.path, *root.glob(f".{one.key}.*")):
                    shutil.rmtree(folder)
        except Timeout:
            locked.append(one)
        except OSError as error:
            raise DataError(f"{one.path} cannot be removed: {error.strerror or error}") from error
        else:
            removed.append(one)
    if not names:
        _sweep(root)
    return Cleared(tuple(removed), tuple(locked), before - sum(_sizes([root]).values()))


def _sweep(root: Path) -> None:
    """Forget the hashes of files, and remove what killed writers left."""
    from filelock import FileLock, Timeout

    for note in (root / OTHER).glob("*.json"):
        note.unlink(missing_ok=True)
    for draft in [entry for entry in root.iterdir() if entry.name.startswith(".") and entry.is_dir()]:
        try:
            with FileLock(root / f"{draft.name[1:].split('.')[0]}.lock", timeout=0):
                shutil.rmtree(draft, ignore_errors=True)
        except Timeout:
            continue
