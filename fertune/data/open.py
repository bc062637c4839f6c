"""One door to all data: a source as typed in, a cached memory-mapped data set out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fertune.data.assemble import assemble, carve_validation, lacks_validation
from fertune.data.cache import Say, cached, hash_file, hash_files, key_of
from fertune.data.dataset import ImageDataset
from fertune.data.options import ReadOptions
from fertune.data.sources.builtin import BUILTINS, parse_builtin, read_builtin
from fertune.errors import DataError, did_you_mean

DEFAULT = "builtin:faces"
LEGAL = "give a FER csv, an npz file, a folder with train/<class>/, builtin:faces or builtin:digits"
OPENING = "fertune search --space leaky_cnn --data fer2013.csv    # or a folder, an .npz file, builtin:faces"


def silent(line: str) -> None:
    """Say nothing."""


def open_dataset(
    source: str | Path | ImageDataset | None = None,
    *,
    options: ReadOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
    say: Say = silent,
) -> ImageDataset:
    """Read a data set, or find it in the cache.

    Args:
        source: Path of a FER csv, an npz file or a folder; ``builtin:faces`` or ``builtin:digits``, with options as
            ``builtin:faces?n=600&size=48&seed=1&label_noise=0.1``; a data set; None for ``builtin:faces``.
        options: How it is read; see ``ReadOptions``. The data set remembers them.
        seed: Of the stratified tenth of train that becomes validation where the source has none.
        say: Gets lines for people.

    Returns:
        A data set that lies in the cache (``folder`` is set), its pictures a memory map.

    Raises:
        DataError: All that is wrong with the source, at once.
    """
    started = time.perf_counter()
    options = ReadOptions.of(options)
    if source is None:
        say(f"no data given: using {DEFAULT}, drawn faces; give real ones by --data")
        source = DEFAULT
    if isinstance(source, str) and not source.strip():
        raise DataError("the data set's name is empty", details=[LEGAL], help=OPENING)
    if isinstance(source, ImageDataset):
        given = source
        if given.folder is not None and given.folder.is_dir() and not lacks_validation(given):
            return given
        rows = hashlib.sha256(given.row_ids.tobytes() + given.groups.tobytes()).hexdigest()
        base, hit = cached(key_of("dataset", given.fingerprint, rows), lambda: given, say)
        base = replace(base.named(given.name, given.source), notes=given.notes)
    elif str(source).startswith("builtin:"):
        base, hit = _builtin(str(source), say)
    else:
        base, hit = _file(Path(source).expanduser(), str(source), say)
    dataset = base
    if lacks_validation(base):
        key = key_of("validation", base.folder.name if base.folder else "", seed)
        dataset, _ = cached(key, lambda: carve_validation(base, seed), say)
        dataset = dataset.named(base.name, base.source)
    dataset = replace(dataset, options=options.to_json())
    if hit:
        say(f"opened {len(dataset):,} rows of {dataset.name} from the cache")
    else:
        say(f"read {len(dataset):,} rows of {dataset.name} in {time.perf_counter() - started:.0f} s; cached")
    return dataset


def _builtin(source: str, say: Say) -> tuple[ImageDataset, bool]:
    name, options = parse_builtin(source)
    key = key_of("builtin", name, options)
    dataset, hit = cached(key, lambda: assemble(read_builtin(name, options), source=source), say)
    return dataset.named(name, source), hit


def _file(path: Path, typed: str, say: Say) -> tuple[ImageDataset, bool]:
    from fertune.data.sources.csv import read_csv
    from fertune.data.sources.folders import list_folder, read_folder
    from fertune.data.sources.npz import read_npz

    try:
        if not path.exists():
            raise _nothing_there(path, typed)
        kind = path.suffix.lower()
        if path.is_dir():
            listing = list_folder(path.resolve())
            key = key_of("folder", hash_files(path, listing.files), sorted(listing.left_out))
            build = lambda: assemble(read_folder(listing), source=typed)  # noqa: E731
        elif kind == ".csv":
            key = key_of("csv", hash_file(path))
            build = lambda: assemble(read_csv(path), source=typed)  # noqa: E731
        elif kind == ".npz":
            key = key_of("npz", hash_file(path))
            build = lambda: assemble(read_npz(path), source=typed)  # noqa: E731
        else:
            what = f"a {kind} file" if kind else "a file without an ending"
            raise DataError(f"{typed} is {what}, which fertune does not read", details=[LEGAL], help=OPENING)
    except OSError as error:
        raise DataError(f"{typed} cannot be read: {error.strerror or error}", help="check its permissions") from error
    dataset, hit = cached(key, build, say)
    return dataset.named(path.resolve().name if path.is_dir() else path.stem, typed), hit


def _nothing_there(path: Path, typed: str) -> DataError:
    known = [f"builtin:{name}" for name in BUILTINS]
    hint = ""
    if path.parent == Path(".") and f"builtin:{typed}" in known:
        hint = f"; did you mean 'builtin:{typed}'?"
    elif path.parent.is_dir():
        near = {str(path.parent / entry.name) if path.parent != Path(".") else entry.name: 0
                for entry in path.parent.iterdir()}  # fmt: skip
        hint = did_you_mean(typed, [*near, *known])
    else:
        hint = f"; there is no folder {str(path.parent)!r} either"
    return DataError(f"there is no file or folder {typed!r}{hint}", details=[LEGAL], help=OPENING)
