"""Parsed data sets on disk, each once, keyed by content, shared by every process.

``$FERTUNE_CACHE``, else the user's cache folder, holds one folder a data set, ``<key>.lock`` beside it while it is
written, and ``index/``, which remembers the content hash of a file by its path, size and time of change, so that a
file of 300 MB is not hashed each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fertune.data.dataset import PROTOCOL, ImageDataset
from fertune.errors import DataError

PARSERS = 1  # raise it when any parser reads the same bytes differently
SETTLED = 2.0  # seconds after which a file's time of change can be trusted
Say = Callable[[str], None]


def cache_root() -> Path:
    """The folder of all cached data sets, made where it is missing.

    Raises:
        DataError: It cannot be written.
    """
    given = os.environ.get("FERTUNE_CACHE")
    if given:
        root = Path(given).expanduser()
    else:
        from platformdirs import user_cache_dir

        root = Path(user_cache_dir("fertune", appauthor=False))
    try:
        (root / "index").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, error) from error
    return root.resolve()


def _unwritable(root: Path, error: OSError) -> DataError:
    return DataError(
        f"the cache folder {root} cannot be written: {error.strerror or error}",
        help="export FERTUNE_CACHE=a_folder_with_space_that_you_can_write",
    )


def key_of(*parts: object) -> str:
    """20 hex digits from what decides the content."""
    text = json.dumps([PROTOCOL, PARSERS, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def cached(key: str, build: Callable[[], ImageDataset], say: Say) -> tuple[ImageDataset, bool]:
    """Open the data set of this key, or build and keep it; one process builds, others wait for it.

    A damaged one (cut off, altered, of an older protocol) is built again.

    Returns:
        The data set, in the cache, and whether it was there already.
    """
    from filelock import FileLock, Timeout

    root = cache_root()
    folder = root / key
    found = _open(folder)
    if found is not None:
        return found, True
    lock = FileLock(root / f"{key}.lock")
    try:
        try:
            lock.acquire(timeout=1)
        except Timeout:
            say("another process is reading this data set; waiting for it")
            lock.acquire()
        try:
            found = _open(folder)
            if found is not None:
                return found, True
            for left in root.glob(f".{key}.*"):  # of a process that was killed while it wrote
                shutil.rmtree(left, ignore_errors=True)
            if folder.exists():
                say("the cached copy is damaged; it is made again")
            return _built(build).save(folder), False
        except BaseException:  # Ctrl-C too: no lock of a failed build stays
            with contextlib.suppress(OSError):  # of systems where a lock that is held cannot be removed
                (root / f"{key}.lock").unlink()
            raise
        finally:
            lock.release()
    except OSError as error:
        raise _unwritable(root, error) from error


def forget(dataset: ImageDataset) -> None:
    """Take a data set, and its lock, out of the cache."""
    if dataset.folder is not None:
        shutil.rmtree(dataset.folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # gone already, or of a system that removes no lock that is held
            dataset.folder.with_name(f"{dataset.folder.name}.lock").unlink()


def _built(build: Callable[[], ImageDataset]) -> ImageDataset:
    """What ``build`` makes; that a source cannot be read is no fault of the cache."""
    try:
        return build()
    except OSError as error:
        where = f"{error.filename} " if isinstance(error.filename, str) else "the data "
        raise DataError(f"{where}cannot be read: {error.strerror or error}", help="check its permissions") from error


def _open(folder: Path) -> ImageDataset | None:
    if not folder.exists():
        return None
    try:
        dataset = ImageDataset.open(folder)
    except DataError:
        return None
    return dataset if dataset.verify() else None


def hash_file(path: Path) -> str:
    """sha256 of the bytes of a file, as hex; remembered by path, size and time of change."""
    status = path.stat()
    signature = ["file", str(path.resolve()), status.st_size, status.st_mtime_ns]
    return _remembered(signature, status.st_mtime, lambda: _sha256([path]))


def hash_files(root: Path, files: Iterable[str]) -> str:
    """sha256 over the names and bytes of files below a folder; remembered as in ``hash_file``."""
    names = list(files)
    states = [os.stat(f"{root}/{name}") for name in names]
    listing = [[name, s.st_size, s.st_mtime_ns] for name, s in zip(names, states, strict=True)]
    newest = max((s.st_mtime for s in states), default=0.0)
    signature = ["folder", str(root.resolve()), hashlib.sha256(json.dumps(listing).encode()).hexdigest()]
    return _remembered(signature, newest, lambda: _sha256([root / name for name in names], names))


def _sha256(paths: list[Path], names: list[str] | None = None) -> str:
    """Of the bytes of one file; or, with names, of the list of names and the digest of each file."""
    digests = []
    for path in paths:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256(json.dumps([names, digests]).encode()).hexdigest() if names is not None else digests[0]


def _remembered(signature: Sequence[object], changed: float, compute: Callable[[], str]) -> str:
    """Look the hash up; a file that changed a moment ago may change again within one tick, so it is not noted."""
    note = cache_root() / "index" / f"{hashlib.sha256(json.dumps(signature).encode()).hexdigest()[:20]}.json"
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["signature"] == list(signature):
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no note, or a damaged one: it is made again
    value = compute()
    if time.time() - changed > SETTLED:
        draft = note.with_name(f".{note.stem}.{uuid.uuid4().hex[:8]}")
        draft.write_text(json.dumps({"signature": signature, "sha256": value}), encoding="utf-8")
        draft.replace(note)
    return value
