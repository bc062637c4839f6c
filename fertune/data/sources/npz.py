"""An npz file with ``x_train, y_train[, x_val, y_val][, x_test, y_test][, class_names]``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import TEST, TRAIN, UNLABELLED, VALIDATION, Parsed
from fertune.data.convert import to_labels, to_pictures
from fertune.errors import DataError, did_you_mean

KNOWN = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test", "class_names")
SPLIT_OF = {"train": TRAIN, "val": VALIDATION, "test": TEST}
LAYOUT = "np.savez('data.npz', x_train=..., y_train=..., x_val=..., y_val=..., x_test=..., y_test=...)"


def read_npz(path: Path) -> Parsed:
    """Read an npz file; nothing in it is unpickled.

    Raises:
        DataError: Not such a file, or all faults of its arrays.
    """
    arrays, faults = {}, []
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise DataError(f"{path.name} holds a single array, not an npz file", help=LAYOUT)
        with loaded as file:
            for name in file.files:
                try:
                    arrays[name] = file[name]
                except ValueError:
                    faults.append(f"{name} holds pickled objects, which are not loaded; save plain numbers or text")
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is not an npz file, or is damaged: {error}", help=LAYOUT) from error
    if faults:
        raise _wrong(path.name, faults)
    return parse_arrays(arrays, path.stem, path.name)


def parse_arrays(arrays: Mapping[str, NDArray[Any]], name: str, called: str | None = None) -> Parsed:
    """Check and convert the arrays; rows are numbered over train, val, test.

    ``x_test`` without ``y_test`` is unlabelled.

    Args:
        arrays: By the names in ``KNOWN``; others are named in a note, or refused where they look like a mistyped one.
        name: Of the data set.
        called: What messages call it; None for ``name``.

    Raises:
        DataError: All faults at once.
    """
    called = called or name
    faults = [f"{key} is missing" for key in ("x_train", "y_train") if key not in arrays]
    faults += [
        f"{x} is there and {y} is not" for x, y in (("x_val", "y_val"), ("y_val", "x_val"), ("y_test", "x_test"))
        if x in arrays and y not in arrays
    ]  # fmt: skip
    notes = []
    for key in sorted(set(arrays) - set(KNOWN)):
        if key.startswith(("x_", "y_", "class")):
            faults.append(f"{key} is no known name{did_you_mean(key, KNOWN)}")
        else:
            notes.append(f"the array {key!r} was not read")
    if faults:
        raise _wrong(called, faults)
    parts = [part for part in SPLIT_OF if f"x_{part}" in arrays]
    class_names, faults = _class_names(arrays)
    pictures, more_notes, found = to_pictures({f"x_{part}": arrays[f"x_{part}"] for part in parts})
    faults += found
    given = {f"y_{part}": arrays[f"y_{part}"] for part in parts if f"y_{part}" in arrays}
    labels, names, found = to_labels(given, class_names)
    faults += found
    for part in parts:
        x, y = arrays[f"x_{part}"], arrays.get(f"y_{part}")
        if y is not None and x.ndim and y.ndim and len(x) != len(y):
            faults.append(f"x_{part} has {len(x):,} pictures and y_{part} {len(y):,} labels")
    if not faults and len(names) < 2:
        faults.append(f"all labels are {names[0]!r}; two classes or more are needed" if names else "there are no rows")
    if faults:
        raise _wrong(called, faults)
    splits = []
    for part in parts:
        rows = len(pictures[f"x_{part}"])
        if f"y_{part}" not in labels:
            labels[f"y_{part}"] = np.full(rows, -1, np.int32)
            notes.append(f"y_{part} is missing: the {rows:,} pictures of x_{part} are unlabelled")
            splits.append(np.full(rows, UNLABELLED, np.int8))
        else:
            splits.append(np.full(rows, SPLIT_OF[part], np.int8))
    split = np.concatenate(splits)
    return Parsed(
        images=np.concatenate([pictures[f"x_{part}"] for part in parts]),
        labels=np.concatenate([labels[f"y_{part}"] for part in parts]),
        split=split, row_ids=np.arange(len(split), dtype=np.int32), class_names=names, name=name,
        notes=tuple(notes + more_notes),
    )  # fmt: skip


def _class_names(arrays: Mapping[str, NDArray[Any]]) -> tuple[tuple[str, ...] | None, list[str]]:
    if "class_names" not in arrays:
        return None, []
    array = arrays["class_names"]
    if array.ndim != 1 or array.dtype.kind not in "US":
        return None, [f"class_names is an array of {array.dtype}, shape {array.shape}; it must be one row of text"]
    names = tuple(str(name) for name in array.astype(str))
    doubled = sorted({name for name in names if names.count(name) > 1})
    return names, [f"class_names has {', '.join(map(repr, doubled))} twice"] if doubled else []


def _wrong(called: str, faults: list[str]) -> DataError:
    return DataError(f"{called} cannot be used as a data set", details=faults, help=LAYOUT)
