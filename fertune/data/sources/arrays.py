"""Pictures and labels as arrays, in parts, to one parsed data set; npz, npy and Python objects all come here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import TEST, TRAIN, UNLABELLED, Parsed, deal
from fertune.data.convert import Converted, to_labels, to_pictures
from fertune.data.options import ReadOptions
from fertune.data.resize import Size
from fertune.data.sources.pictures import left_out_note, sizes_differ
from fertune.errors import DataError


@dataclass(frozen=True, eq=False)
class Part:
    """Pictures and labels of one split.

    Attributes:
        x_name, y_name: What messages call them.
        x: (n, h, w) or (n, h, w, c) of numbers; or a list of pictures of different sizes.
        y: (n,) labels; None for none, which only test may have.
        split: Index into ``SPLITS``; None where the source has no splits.
    """

    x_name: str
    x: Any
    y_name: str
    y: Any
    split: int | None


def parse_parts(
    parts: Sequence[Part], *, name: str, called: str, help: str, options: ReadOptions,
    class_names: Sequence[str] | None = None, rounding: bool = False, notes: Sequence[str] = (),
    faults: Sequence[str] = (),
) -> Parsed:  # fmt: skip
    """Check and convert; rows are numbered over the parts. Parts without splits are dealt to them.

    Args:
        parts: One or more; all have a split, or none has.
        name: Of the data set.
        called: What messages call it.
        help: What to type instead.
        options: ``image_size`` and ``skip_bad_rows``.
        class_names: One name a class; else the labels themselves are the names.
        rounding: See ``to_pictures``.
        notes, faults: Found before.

    Raises:
        DataError: All faults at once.
    """
    pictures = _pictures(parts, options.image_size, rounding)
    given = {part.y_name: plain(part.y) for part in parts if part.y is not None}
    tests = [part.y_name for part in parts if part.split == TEST]
    labels = to_labels(given, class_names, may_lack=tests)
    wrong = [*faults, *pictures.faults, *labels.faults]
    for part in parts:
        many, labelled = _count(part.x), _count(given.get(part.y_name))
        if part.y is not None and many != labelled:
            wrong.append(f"{part.x_name} has {many:,} pictures and {part.y_name} {labelled:,} labels")
    bad = [
        {**labels.bad.get(part.y_name, {}), **pictures.bad.get(part.x_name, {})} for part in parts
    ]  # row -> fault, one a part
    told = [text for rows in bad for _, text in sorted(rows.items())]
    wrong += [] if options.skip_bad_rows else told
    if wrong:
        raise DataError(
            f"{called} cannot be used as a data set", details=wrong,
            help=sizes_differ(pictures.sizes) if pictures.sizes else help,
        )  # fmt: skip
    keep = [np.setdiff1d(np.arange(_count(part.x)), list(rows)) for part, rows in zip(parts, bad, strict=True)]
    first = np.cumsum([0, *(_count(part.x) for part in parts)])
    split, out, more = [], [], [*notes, *left_out_note(told if options.skip_bad_rows else [])]
    for part, rows in zip(parts, keep, strict=True):
        column = labels.values[part.y_name][rows] if part.y is not None else np.full(len(rows), -1, np.int32)
        out.append(column)
        split.append(np.where(column < 0, UNLABELLED, TRAIN if part.split is None else part.split).astype(np.int8))
        lacking = int(np.sum(column < 0))
        if part.y is None:
            more.append(f"{part.y_name} is missing: the {lacking:,} pictures of {part.x_name} are unlabelled")
        elif lacking:
            more.append(f"{lacking:,} of {len(rows):,} rows of {part.x_name} have no label")
    parsed = Parsed(
        images=np.concatenate([pictures.values[p.x_name][r] for p, r in zip(parts, keep, strict=True)]),
        labels=np.concatenate(out), split=np.concatenate(split),
        row_ids=np.concatenate([start + r for start, r in zip(first, keep, strict=False)]).astype(np.int32),
        class_names=labels.names, name=name, notes=(*more, *pictures.notes),
    )  # fmt: skip
    check_classes(parsed, called, help, told)
    return parsed if parts[0].split is not None else deal(parsed)


def check_classes(parsed: Parsed, called: str, help: str, left_out: Sequence[str] = ()) -> None:
    """Hold that there are rows and two classes.

    Raises:
        DataError: They are not there; ``left_out`` says what was.
    """
    if len(parsed.labels) == 0 or not parsed.class_names:
        fault = "there are no rows" if not left_out else "no row is left"
    elif len(parsed.class_names) < 2:
        fault = f"all labels are {parsed.class_names[0]!r}; two classes or more are needed"
    else:
        return
    raise DataError(f"{called} cannot be used as a data set", details=[fault, *left_out], help=help)


def _count(array: Any) -> int:
    if array is None:
        return 0
    return len(array) if isinstance(array, (list, tuple)) or np.ndim(array) else 0


def _pictures(parts: Sequence[Part], size: Size | None, rounding: bool) -> Converted:
    """One conversion over all parts; a part whose pictures differ in size is converted picture by picture."""
    arrays: dict[str, NDArray[Any]] = {}
    ragged = {}
    for part in parts:
        x = even(part.x)
        if isinstance(x, list):
            ragged[part.x_name] = len(x)
            arrays |= {f"{part.x_name}, picture {row}": picture[None] for row, picture in enumerate(x)}
        else:
            arrays[part.x_name] = x
    found = to_pictures(arrays, size, rounding=rounding)
    for name, many in ragged.items():
        keys = [f"{name}, picture {row}" for row in range(many)]
        if found.values:
            found.values[name] = np.concatenate([found.values[key] for key in keys])
        found.bad[name] = {row: t.replace(", row 0:", ":") for row, k in enumerate(keys) for t in found.bad[k].values()}
    return found


def even(x: Any) -> NDArray[Any] | list[NDArray[Any]]:
    """One array; or a list of arrays where pictures have different shapes."""
    array = x if isinstance(x, np.ndarray) else None
    if array is None and not isinstance(x, (list, tuple)):
        return np.asarray(x)
    if array is not None and (array.dtype != object or array.ndim == 0):
        return array
    pictures = [np.asarray(picture) for picture in x]
    if not pictures:
        return np.zeros((0, 1, 1), np.uint8)
    if len({picture.shape for picture in pictures}) == 1:
        return np.stack(pictures)
    return pictures


def plain(y: Any) -> NDArray[Any]:
    """Labels as an array of numbers or text; None and NaN among names become empty names."""
    array = y if isinstance(y, np.ndarray) else np.asarray(y, object) if isinstance(y, (list, tuple)) else np.asarray(y)
    if array.dtype != object or array.ndim != 1:
        return array.astype(str) if array.dtype.kind == "T" else array
    values = array.tolist()
    missing = [v is None or isinstance(v, float) and v != v for v in values]
    there = [v for v, gone in zip(values, missing, strict=True) if not gone]
    if there and all(isinstance(v, (int, np.integer)) for v in there):
        return np.array([-1 if gone else int(v) for v, gone in zip(values, missing, strict=True)], np.int64)
    if there and all(isinstance(v, (str, bytes, np.str_)) for v in there):
        words = ["" if gone else v.decode() if isinstance(v, bytes) else str(v)
                 for v, gone in zip(values, missing, strict=True)]  # fmt: skip
        return np.array(words, np.str_) if words else array
    try:
        return np.array(values)
    except ValueError:
        return array
