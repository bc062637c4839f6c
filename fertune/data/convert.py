"""Arrays of any usual kind to uint8 pictures and int32 labels. Nothing is mended silently."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.resize import Size, resize_all, resized_note
from fertune.errors import did_you_mean

Array = NDArray[Any]
CHUNK_ROWS = 4096
UNLABELLED = -1


@dataclass
class Converted:
    """Arrays by name, converted by one rule for all of them.

    Attributes:
        values: uint8 (n, h, w, c), or int32 (n,); empty where there are faults. Bad rows hold zeros.
        bad: Of each array: row -> what is wrong with it.
        faults: What is wrong with whole arrays.
        notes: What was changed.
        names: Of labels: the class names.
        sizes: (height, width) of every picture where they differ, which an image size would mend; else empty.
    """

    values: dict[str, Array] = field(default_factory=dict)
    bad: dict[str, dict[int, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: tuple[str, ...] = ()
    sizes: list[Size] = field(default_factory=list)


def to_pictures(arrays: Mapping[str, Array], size: Size | None = None, *, rounding: bool = False) -> Converted:
    """Pictures of one shape from arrays by name.

    uint8 stays; whole numbers must lie in 0 to 255; floats that all lie in 0 to 1 are multiplied by 255, other floats
    must be whole numbers from 0 to 255; truth values become 0 and 255.

    Args:
        arrays: name -> (n, h, w) or (n, h, w, c).
        size: (height, width) that all of them are brought to; None: they must have one.
        rounding: Take floats between whole numbers too, as resizing layers make them.
    """
    found = Converted(faults=[fault for name, array in arrays.items() for fault in _shape_faults(name, array)])
    if found.faults:
        return found
    whole = {name: array[..., None] if array.ndim == 3 else array for name, array in arrays.items()}
    shapes = {name: array.shape[1:] if size is None else array.shape[3:] for name, array in whole.items()}
    first, shape = next(iter(shapes.items()))
    word = "pictures of {}" if size is None else "{} channels"
    found.faults += [
        f"{name} has {word.format(_by(s))}, {first} {'of ' if size is None else ''}{_by(shape)}"
        for name, s in shapes.items()
        if s != shape
    ]
    if size is None and len({s[:2] for s in shapes.values()}) > 1:
        found.sizes = [array.shape[1:3] for array in whole.values() for _ in range(len(array))]
    unit = _unit([array for array in whole.values() if array.dtype.kind == "f"])
    for name, array in whole.items():
        found.bad[name] = _bad_rows(name, array, unit, rounding)
    if found.faults:
        return found
    for name, array in whole.items():
        found.values[name] = _to_uint8(array, unit, found.bad[name])
    if unit:
        found.notes.append("float pictures from 0 to 1 were multiplied by 255")
    elif rounding and any(a.dtype.kind == "f" and _has_fractions(a) for a in whole.values()):
        found.notes.append("float pixels were rounded to whole numbers")
    if size is not None:
        found.notes += resized_note([a.shape[1:3] for a in whole.values() for _ in range(len(a))], size)
        found.values = {name: resize_all(array, size) for name, array in found.values.items()}
    return found


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _shape_faults(name: str, array: Array) -> list[str]:
    if array.dtype.kind not in "buif":
        return [f"{name} is an array of {array.dtype}; pictures are numbers"]
    if array.ndim not in (3, 4):
        return [f"{name} has shape {array.shape}; pictures are (n, height, width) or (n, height, width, channels)"]
    if 0 in array.shape[1:]:
        return [f"{name} has shape {array.shape}; its pictures have no pixels"]
    if array.ndim == 4 and array.shape[3] > 4:
        hint = "; put the channels last" if array.shape[1] <= 4 else ""
        return [f"{name} has shape {array.shape}: {array.shape[3]} channels where 1 to 4 are legal{hint}"]
    return []


def _chunks(array: Array) -> Iterator[tuple[int, Array]]:
    return ((start, array[start : start + CHUNK_ROWS]) for start in range(0, len(array), CHUNK_ROWS))


def _unit(floats: Sequence[Array]) -> bool:
    """Whether float pictures go from 0 to 1: all of them do, or most do and there are fractions among the values."""
    inside = total = 0
    for array in floats:
        for _, chunk in _chunks(array):
            ok = ((chunk >= 0) & (chunk <= 1)) | ~np.isfinite(chunk)
            inside += int(ok.reshape(len(chunk), -1).all(axis=1).sum())
            total += len(chunk)
    return total > 0 and (inside == total or 2 * inside > total and any(_has_fractions(array) for array in floats))


def _has_fractions(array: Array) -> bool:
    return any(bool(np.any(np.isfinite(chunk) & (chunk != np.floor(chunk)))) for _, chunk in _chunks(array))


def _bad_rows(name: str, array: Array, unit: bool, rounding: bool) -> dict[int, str]:
    """Rows with a value that is no pixel, the first such value of each."""
    if array.dtype == np.uint8 or array.dtype.kind == "b":
        return {}
    found = {}
    legal = "whole numbers from 0 to 255 are legal"
    if array.dtype.kind == "f":
        legal = "floats must all lie in 0 to 1, or all be whole numbers from 0 to 255"
    for start, chunk in _chunks(array):
        bad = (chunk < 0) | (chunk > (1 if unit and array.dtype.kind == "f" else 255))
        if array.dtype.kind == "f":
            bad |= ~np.isfinite(chunk)
            if not unit and not rounding:
                bad |= chunk != np.floor(chunk)
        flat = bad.reshape(len(chunk), -1)
        for row in np.flatnonzero(flat.any(axis=1)).tolist():
            value = chunk[row].reshape(-1)[int(flat[row].argmax())].item()
            found[start + row] = f"{name}, row {start + row}: {value} is not a pixel; {legal}"
    return found


def _to_uint8(array: Array, unit: bool, bad: Collection[int]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, np.uint8)
    out = np.empty(array.shape, np.uint8)
    scale = 255 if array.dtype.kind == "b" or (unit and array.dtype.kind == "f") else 1
    for start, chunk in _chunks(array):
        values = chunk.astype(np.float64)
        for row in bad:
            if start <= row < start + len(chunk):
                values[row - start] = 0
        out[start : start + len(chunk)] = np.rint(values * scale).astype(np.uint8)
    return out


def to_labels(
    arrays: Mapping[str, Array], class_names: Sequence[str] | None, *, may_lack: Collection[str] = ()
) -> Converted:
    """int32 labels from whole numbers or names, by one rule for all arrays.

    With ``class_names``, numbers are indices into them and names must be among them. Without, the classes are the
    distinct values found, sorted, and their names are those values.

    Args:
        arrays: name -> (n,) or (n, 1).
        class_names: One name a class, or None.
        may_lack: Names of arrays in which an empty name, or -1, stands for a row without a label; it becomes -1.
    """
    found, flat = Converted(bad={name: {} for name in arrays}), {}
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            hint = "; for one-hot rows give their argmax" if array.ndim == 2 else ""
            found.faults.append(f"{name} has shape {array.shape} where one label a picture, (n,), is needed{hint}")
        elif array.dtype.kind not in "buifUS":
            found.faults.append(f"{name} is an array of {array.dtype}; labels are whole numbers or names")
        elif array.dtype.kind == "f":
            odd = ~np.isfinite(array) | (array != np.floor(array))
            for row in np.flatnonzero(odd).tolist():
                value = array[row]
                found.bad[name][row] = f"{name}, row {row}: {value} is not a class; labels are whole numbers or names"
            flat[name] = np.where(odd, 0, array).astype(np.int64)
        else:
            flat[name] = array.astype(np.int64) if array.dtype.kind in "bui" else array.astype(str)
    kinds = {array.dtype.kind for array in flat.values()}
    if len(kinds) > 1:
        found.faults.append("some labels are numbers and some are names; give one kind")
    if found.faults or not flat:
        return found
    numbers = kinds == {"i"}
    blank = {
        name: (array == (-1 if numbers else "")) if name in may_lack else np.zeros(len(array), bool)
        for name, array in flat.items()
    }
    (_check_numbers if numbers else _check_names)(found, flat, blank, class_names)
    good = {n: ~blank[n] & ~np.isin(np.arange(len(a)), list(found.bad[n])) for n, a in flat.items()}
    seen = np.unique(np.concatenate([array[good[name]] for name, array in flat.items()]))
    known = list(class_names) if class_names is not None else seen.tolist()
    index = {value: number for number, value in enumerate(range(len(known)) if numbers and class_names else known)}
    for name, array in flat.items():
        out = np.full(len(array), UNLABELLED, np.int32)
        out[good[name]] = [index[value] for value in array[good[name]].tolist()]
        found.values[name] = out
    found.names = tuple(str(value) for value in known)
    return found


def _check_numbers(
    found: Converted, flat: Mapping[str, Array], blank: Mapping[str, Array], class_names: Sequence[str] | None
) -> None:
    top = len(class_names) - 1 if class_names is not None else None
    legal = "classes are whole numbers from 0" if top is None else f"classes are 0 to {top}"
    for name, array in flat.items():
        bad = ((array < 0) if top is None else (array < 0) | (array > top)) & ~blank[name]
        for row in np.flatnonzero(bad).tolist():
            found.bad[name].setdefault(row, f"{name}, row {row}: {array[row]} is not a class; {legal}")


def _check_names(
    found: Converted, flat: Mapping[str, Array], blank: Mapping[str, Array], class_names: Sequence[str] | None
) -> None:
    for name, array in flat.items():
        for row, word in enumerate(array.tolist()):
            if blank[name][row]:
                continue
            if not word.strip():
                found.bad[name][row] = f"{name}, row {row}: the label is empty"
            elif class_names is not None and word not in class_names:
                hint = did_you_mean(word, class_names)
                found.bad[name][row] = f"{name}, row {row}: {word!r} is not in class_names{hint}"
