"""An npz file with ``x_train, y_train[, x_val, y_val][, x_test, y_test][, class_names]``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import TEST, TRAIN, VALIDATION, Parsed
from fertune.data.options import ReadOptions
from fertune.data.sources.arrays import Part, parse_parts
from fertune.data.sources.headers import check_members
from fertune.errors import DataError, did_you_mean

KNOWN = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test", "class_names")
SPLIT_OF = {"train": TRAIN, "val": VALIDATION, "test": TEST}
LAYOUT = "np.savez('data.npz', x_train=..., y_train=..., x_val=..., y_val=..., x_test=..., y_test=...)"


def read_npz(path: Path, options: ReadOptions) -> Parsed:
    """Read an npz file; nothing in it is unpickled, and nothing larger than the memory is made.

    Raises:
        DataError: Not such a file, or all faults of its arrays.
    """
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with path.open("rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise DataError(f"{path.name} holds a single array, not an npz file", help=LAYOUT)
        names, faults = check_members(path, KNOWN)
        if faults:
            raise DataError(f"{path.name} cannot be used as a data set", details=faults, help=LAYOUT)
        with np.load(path, allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in names if name in KNOWN}
    except DataError:
        raise
    # zipfile, zlib and numpy each have their own errors for a damaged file
    except Exception as error:
        why = "it is cut off or altered" if isinstance(error, zipfile.BadZipFile) else error
        raise DataError(f"{path.name} is not an npz file, or is damaged: {why}", help=LAYOUT) from error
    others = {name: np.zeros(0) for name in names if name not in KNOWN}
    return parse_arrays({**arrays, **others}, path.stem, path.name, options=options)


def parse_arrays(
    arrays: Mapping[str, Any], name: str, called: str | None = None, *, options: ReadOptions | None = None
) -> Parsed:
    """Check and convert the arrays; rows are numbered over train, val, test.

    ``x_test`` without ``y_test`` is unlabelled, and so are test rows whose label is -1 or an empty name.

    Args:
        arrays: By the names in ``KNOWN``; others are named in a note, or refused where they look like a mistyped one.
        name: Of the data set.
        called: What messages call it; None for ``name``.
        options: ``image_size`` and ``skip_bad_rows``.

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
        raise DataError(f"{called} cannot be used as a data set", details=faults, help=LAYOUT)
    parts = [
        Part(f"x_{part}", arrays[f"x_{part}"], f"y_{part}", arrays.get(f"y_{part}"), split)
        for part, split in SPLIT_OF.items()
        if f"x_{part}" in arrays
    ]
    class_names, faults = _class_names(arrays)
    return parse_parts(
        parts, name=name, called=called, help=LAYOUT, options=options or ReadOptions(), class_names=class_names,
        notes=notes, faults=faults,
    )  # fmt: skip


def _class_names(arrays: Mapping[str, Any]) -> tuple[tuple[str, ...] | None, list[str]]:
    if "class_names" not in arrays:
        return None, []
    array = np.asarray(arrays["class_names"])
    if array.ndim != 1 or array.dtype.kind not in "US":
        return None, [f"class_names is an array of {array.dtype}, shape {array.shape}; it must be one row of text"]
    names = tuple(str(name) for name in array.astype(str))
    doubled = sorted({name for name in names if names.count(name) > 1})
    return names, [f"class_names has {', '.join(map(repr, doubled))} twice"] if doubled else []
