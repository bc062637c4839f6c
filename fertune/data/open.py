"""One door to all data: a source as typed in, or an object, in; a cached memory-mapped data set out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fertune.data.assemble import Parsed, assemble, carve_validation, lacks_validation
from fertune.data.cache import Say, cached, forget, hash_file, hash_files, key_of
from fertune.data.dataset import OBJECT, ImageDataset
from fertune.data.options import ReadOptions
from fertune.data.progress import Progress, unseen
from fertune.data.resize import brought_to
from fertune.data.sources.builtin import BUILTINS, parse_builtin, read_builtin
from fertune.errors import ConfigError, DataError, did_you_mean

DEFAULT = "builtin:faces"
LEGAL = (
    "give a FER csv (plain, or packed: gz, zip, tar), a table of paths and labels (csv or parquet), an npz or npy "
    "file, a folder with train/<class>/ or <class>/, builtin:faces or builtin:digits"
)
OPENING = "fertune search --space leaky_cnn --data fer2013.csv    # or a folder, an .npz file, builtin:faces"
COLUMNS = ("path_column", "label_column", "group_column")
Opened = tuple[ImageDataset, bool]


def silent(line: str) -> None:
    """Say nothing."""


def open_dataset(
    source: Any = None,
    *,
    options: ReadOptions | Mapping[str, Any] | None = None,
    seed: int = 0,
    say: Say = silent,
    progress: Progress = unseen,
    run: Mapping[str, Any] | None = None,
) -> ImageDataset:
    """Read a data set, or find it in the cache.

    Args:
        source: Path of a FER csv, a table of paths and labels (csv, parquet), an npz or npy file, or a folder;
            ``builtin:faces`` or ``builtin:digits``, with options as
            ``builtin:faces?n=600&size=48&seed=1&label_noise=0.1``; a data set; (pictures, labels) or a dictionary of
            such; a tf.data.Dataset, a Hugging Face Dataset or DatasetDict, a pandas DataFrame; None for
            ``builtin:faces``.
        options: How it is read; see ``ReadOptions``. The data set remembers them.
        seed: Of the stratified tenth of train that becomes validation where the source has none.
        say: Gets lines for people.
        progress: Is told how far the reading is.
        run: ``data`` of the ``run.json`` of a run that goes on: data that were a Python object are found by it.

    Returns:
        A data set that lies in the cache (``folder`` is set), its pictures a memory map.

    Raises:
        DataError: All that is wrong with the source, at once.
        ConfigError: Options that do not go with it.
        MissingPackage: What this source needs is not installed.
    """
    started = time.perf_counter()
    options = ReadOptions.of(options)
    if source is None:
        say(f"no data given: using {DEFAULT}, drawn faces; give real ones by --data")
        source = DEFAULT
    if isinstance(source, str) and not source.strip():
        raise DataError("the data set's name is empty", details=[LEGAL], help=OPENING)
    if isinstance(source, ImageDataset):
        fits = options.image_size in (None, source.image_shape[:2])
        if fits and source.folder is not None and source.folder.is_dir() and not lacks_validation(source):
            return source
        base, hit = _keep(_resized(source, options), "dataset", say)
    elif not isinstance(source, (str, os.PathLike)):
        base, hit = _object(source, options, say)
    elif str(source).startswith("builtin:"):
        _columns_are_for_tables(options, str(source), say)
        base, hit = _builtin(str(source), options, say)
    elif str(source).startswith(OBJECT):
        base, hit = _kept(str(source), run), True
    else:
        base, hit = _file(Path(source), str(source), options, say, progress)
    dataset = base
    if lacks_validation(base):
        key = key_of("validation", base.folder.name if base.folder else "", seed)
        try:
            dataset, _ = cached(key, lambda: carve_validation(base, seed), say)
        except DataError:
            if not hit:
                forget(base)
            raise
        dataset = dataset.named(base.name, base.source)
    dataset = replace(dataset, options=options.to_json())
    if hit:
        say(f"opened {len(dataset):,} rows of {dataset.name} from the cache")
    else:
        say(f"read {len(dataset):,} rows of {dataset.name} in {time.perf_counter() - started:.0f} s; cached")
    return dataset


def _kept(source: str, run: Mapping[str, Any] | None) -> ImageDataset:
    """What came as a Python object, from the cache, for the run that was made on it."""
    why = ""
    if run is not None:
        try:
            dataset = ImageDataset.open(run["folder"], run["fingerprint"])
            if dataset.verify():
                return replace(dataset, name=run["name"], source=source)
            why = f"the data set in {run['folder']} is damaged"
        except DataError as error:
            why = error.message
    raise DataError(
        f"the data of this run were given in Python ({source.removeprefix(OBJECT)}), and a run does not store them",
        details=[why] if why else [], help="give the same object again, as data=... where the run was made",
    )  # fmt: skip


def _asked(options: ReadOptions, *names: str) -> list[dict[str, Any]]:
    """What of these options differs from the defaults, as a part of a key; nothing where nothing does."""
    found = {name: value for name, value in options.to_json().items() if name in names}
    return [found] if found else []


def _columns_are_for_tables(options: ReadOptions, called: str, say: Say) -> None:
    """Raises where groups are asked for that would not be held; other columns are only said not to be used."""
    given = [name for name in COLUMNS if name in options.to_json()]
    if "group_column" in given:
        raise ConfigError(
            f"--group-column goes with a table of pictures, and {called} is none",
            help="give a csv or parquet file with the columns path, label and your groups",
        )
    for name in given:
        say(f"--{name.replace('_', '-')} goes with a table of pictures and was not used")


def _keep(dataset: ImageDataset, kind: str, say: Say) -> Opened:
    """Put a data set that is in memory into the cache."""
    rows = hashlib.sha256(dataset.row_ids.tobytes() + dataset.groups.tobytes()).hexdigest()
    base, hit = cached(key_of(kind, dataset.fingerprint, rows), lambda: dataset, say)
    return replace(base.named(dataset.name, dataset.source), notes=dataset.notes), hit


def _resized(given: ImageDataset, options: ReadOptions) -> ImageDataset:
    if options.image_size in (None, given.image_shape[:2]):
        return given
    parsed = Parsed(
        given.images, given.labels, given.split, given.row_ids, given.class_names, given.name, given.notes, given.groups
    )
    return assemble(brought_to(parsed, options.image_size), source=given.source)


def _object(value: Any, options: ReadOptions, say: Say) -> Opened:
    from fertune.data.sources.objects import is_frame, is_hugging_face, kind_of, parse_object

    if not is_frame(value) and not is_hugging_face(value):
        _columns_are_for_tables(options, f"the {kind_of(value)}", say)
    parsed = brought_to(parse_object(value, options), options.image_size)
    whole = assemble(parsed, source=f"{OBJECT}{kind_of(value)}", every_class=not options.skip_bad_rows)
    return _keep(whole, "object", say)


def _builtin(source: str, options: ReadOptions, say: Say) -> Opened:
    name, asked = parse_builtin(source)
    key = key_of("builtin", name, asked, *_asked(options, "image_size"))
    build = lambda: assemble(brought_to(read_builtin(name, asked), options.image_size), source=source)  # noqa: E731
    dataset, hit = cached(key, build, say)
    return dataset.named(name, source), hit


def _file(path: Path, typed: str, options: ReadOptions, say: Say, progress: Progress) -> Opened:
    with contextlib.suppress(RuntimeError):  # "~name/..." of nobody
        path = path.expanduser()
    try:
        if "\0" in typed or not path.exists():
            raise _nothing_there(path, typed)
        kind, key, read = _plan(path, typed, options, say, progress)
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else typed
        raise DataError(f"{where} cannot be read: {error.strerror or error}", help="check its permissions") from error
    dataset, hit = cached(
        key_of(kind, *key),
        lambda: assemble(brought_to(read(), options.image_size), source=typed, every_class=not options.skip_bad_rows),
        say,
    )
    return dataset.named(_name(path), typed), hit


def _name(path: Path) -> str:
    from fertune.data.sources.packed import bare_name, is_packed

    if path.is_dir():
        return path.resolve().name
    return bare_name(path) if is_packed(path) else path.stem


def _plan(
    path: Path, typed: str, options: ReadOptions, say: Say, progress: Progress
) -> tuple[str, list[object], Callable[[], Parsed]]:
    """What decides the content of a file or folder (its kind, and the rest of the cache's key), and how to read it.

    Raises:
        DataError: Nothing that fertune reads.
        OSError: It, or a file in it, cannot be opened.
    """
    from fertune.data.sources import csv, folders, npy, npz, packed, table

    if not path.is_file() and not path.is_dir():
        raise DataError(f"{typed} is {_special(path)}, not a file or folder", details=[LEGAL], help=OPENING)
    ending = path.suffix.lower()
    asked = _asked(options, "image_size", "skip_bad_rows")
    if ending == ".parquet" or ending == ".csv" and not path.is_dir() and table.is_table(path, options):
        listing = table.list_table(table.read_table(path), options)
        hashes = [hash_file(path), hash_files(listing.table.root, listing.present)]
        bad = [text for _, text in sorted(listing.rows.bad.items())]
        content = [*hashes, bad, *_asked(options, *COLUMNS)]
        return "table", [*content, *asked], lambda: table.parse_table(listing, options, progress)
    _columns_are_for_tables(options, typed, say)
    if path.is_dir():
        folder = folders.list_folder(path.resolve())
        content = [hash_files(path, folder.files), sorted(folder.left_out), folder.class_names, folder.denied]
        return "folder", [*content, *asked], lambda: folders.read_folder(folder, options, progress)
    if ending == ".csv" or packed.is_packed(path):
        skip = options.skip_bad_rows
        return "csv", [hash_file(path), *asked], lambda: csv.read_csv(path, skip_bad_rows=skip, progress=progress)
    if ending == ".npz":
        return "npz", [hash_file(path), *asked], lambda: npz.read_npz(path, options)
    if ending == ".npy":
        npy.check_npy(path)
        return "npy", [hash_file(path), *asked], lambda: npy.read_npy(path, options)
    what = f"a {ending} file" if ending else "a file without an ending"
    raise DataError(f"{typed} is {what}, which fertune does not read", details=[LEGAL], help=OPENING)


def _special(path: Path) -> str:
    """What a path is that is neither a file nor a folder."""
    kinds = {"a pipe": path.is_fifo(), "a socket": path.is_socket()}
    return next((kind for kind, found in kinds.items() if found), "a device")


def _nothing_there(path: Path, typed: str) -> DataError:
    known = [f"builtin:{name}" for name in BUILTINS]
    hint = ""
    if path.parent == Path(".") and f"builtin:{typed}" in known:
        hint = f"; did you mean 'builtin:{typed}'?"
    elif "\0" not in typed and path.parent.is_dir():
        near = {str(path.parent / entry.name) if path.parent != Path(".") else entry.name: 0
                for entry in path.parent.iterdir()}  # fmt: skip
        hint = did_you_mean(typed, [*near, *known])
    else:
        hint = f"; there is no folder {str(path.parent)!r} either"
    return DataError(f"there is no file or folder {typed!r}{hint}", details=[LEGAL], help=OPENING)
