"""Arrays of any usual kind to uint8 pictures and int32 labels. Nothing is mended silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.errors import did_you_mean

Array = NDArray[Any]
CHUNK_ROWS = 4096


def to_pictures(arrays: Mapping[str, Array]) -> tuple[dict[str, NDArray[np.uint8]], list[str], list[str]]:
    """Pictures of one shape from arrays by name, converted by one rule for all of them.

    uint8 stays; whole numbers must lie in 0 to 255; floats that all lie in 0 to 1 are multiplied by 255, other floats
    must be whole numbers from 0 to 255; truth values become 0 and 255.

    Args:
        arrays: name -> (n, h, w) or (n, h, w, c).

    Returns:
        name -> uint8 (n, h, w, c); notes; faults. With faults the first is empty.
    """
    faults = [fault for name, array in arrays.items() for fault in _shape_faults(name, array)]
    if faults:
        return {}, [], faults
    whole = {name: _with_channels(array) for name, array in arrays.items()}
    shapes = {name: array.shape[1:] for name, array in whole.items()}
    first, shape = next(iter(shapes.items()))
    faults += [f"{name} has pictures of {_by(s)}, {first} of {_by(shape)}" for name, s in shapes.items() if s != shape]
    floats = {name: array for name, array in whole.items() if array.dtype.kind == "f"}
    unit = bool(floats) and all(_within_unit(array) for array in floats.values())
    pictures = {}
    for name, array in whole.items():
        fault = _value_fault(name, array, unit)
        if fault:
            faults.append(fault)
        elif not faults:
            pictures[name] = _to_uint8(array, unit)
    notes = ["float pictures from 0 to 1 were multiplied by 255"] if unit and not faults else []
    return ({} if faults else pictures), notes, faults


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _with_channels(array: Array) -> Array:
    return array[..., None] if array.ndim == 3 else array


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


def _chunks(array: Array) -> list[Array]:
    return [array[start : start + CHUNK_ROWS] for start in range(0, len(array), CHUNK_ROWS)]


def _within_unit(array: Array) -> bool:
    return all(bool(np.all((chunk >= 0) & (chunk <= 1) | ~np.isfinite(chunk))) for chunk in _chunks(array))


def _value_fault(name: str, array: Array, unit: bool) -> str | None:
    if array.dtype == np.uint8 or array.dtype.kind == "b":
        return None
    for start, chunk in zip(range(0, len(array), CHUNK_ROWS), _chunks(array), strict=True):
        bad = (chunk < 0) | (chunk > 255)
        if array.dtype.kind == "f":
            bad = ~np.isfinite(chunk) if unit else bad | (chunk != np.floor(chunk)) | ~np.isfinite(chunk)
        if bad.any():
            at = np.unravel_index(int(bad.argmax()), chunk.shape)
            legal = "floats must all lie in 0 to 1, or all be whole numbers from 0 to 255"
            return (
                f"{name}, row {start + int(at[0])}: {chunk[at].item()} is not a pixel; "
                f"{legal if array.dtype.kind == 'f' else 'whole numbers from 0 to 255 are legal'}"
            )
    return None


def _to_uint8(array: Array, unit: bool) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, np.uint8)
    out = np.empty(array.shape, np.uint8)
    scale = 255 if array.dtype.kind == "b" or (unit and array.dtype.kind == "f") else 1
    for start, chunk in zip(range(0, len(array), CHUNK_ROWS), _chunks(array), strict=True):
        out[start : start + len(chunk)] = np.rint(chunk.astype(np.float64) * scale).astype(np.uint8)
    return out


def to_labels(
    arrays: Mapping[str, Array], class_names: Sequence[str] | None
) -> tuple[dict[str, NDArray[np.int32]], tuple[str, ...], list[str]]:
    """int32 labels from whole numbers or names, by one rule for all arrays.

    With ``class_names``, numbers are indices into them and names must be among them. Without, the classes are the
    distinct values found, sorted, and their names are those values.

    Args:
        arrays: name -> (n,) or (n, 1).

    Returns:
        name -> int32 (n,); class names; faults. With faults the first is empty.
    """
    faults, flat = [], {}
    for name, array in arrays.items():
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            hint = "; for one-hot rows give their argmax" if array.ndim == 2 else ""
            faults.append(f"{name} has shape {array.shape} where one label a picture, (n,), is needed{hint}")
        elif array.dtype.kind == "f" and (not np.isfinite(array).all() or np.any(array != np.floor(array))):
            row = int(np.argmax(~np.isfinite(array) | (array != np.floor(array))))
            faults.append(f"{name}, row {row}: {array[row]} is not a class; labels are whole numbers or names")
        elif array.dtype.kind not in "buifUS":
            faults.append(f"{name} is an array of {array.dtype}; labels are whole numbers or names")
        else:
            flat[name] = array.astype(np.int64) if array.dtype.kind in "buif" else array.astype(str)
    kinds = {array.dtype.kind for array in flat.values()}
    if len(kinds) > 1:
        faults.append("some labels are numbers and some are names; give one kind")
    if faults or not flat:
        return {}, (), faults
    if kinds == {"i"}:
        return _from_numbers(flat, class_names)
    return _from_names(flat, class_names)


def _from_numbers(
    flat: Mapping[str, Array], class_names: Sequence[str] | None
) -> tuple[dict[str, NDArray[np.int32]], tuple[str, ...], list[str]]:
    faults = []
    found = np.unique(np.concatenate(list(flat.values())))
    top = len(class_names) - 1 if class_names is not None else None
    for name, array in flat.items():
        bad = (array < 0) if top is None else (array < 0) | (array > top)
        for row in np.flatnonzero(bad):
            legal = "classes are whole numbers from 0" if top is None else f"classes are 0 to {top}"
            faults.append(f"{name}, row {row}: {array[row]} is not a class; {legal}")
    if faults:
        return {}, (), faults
    if class_names is not None:
        return {name: array.astype(np.int32) for name, array in flat.items()}, tuple(class_names), []
    labels = {name: np.searchsorted(found, array).astype(np.int32) for name, array in flat.items()}
    return labels, tuple(str(value) for value in found), []


def _from_names(
    flat: Mapping[str, Array], class_names: Sequence[str] | None
) -> tuple[dict[str, NDArray[np.int32]], tuple[str, ...], list[str]]:
    known = tuple(class_names) if class_names is not None else tuple(np.unique(np.concatenate(list(flat.values()))))
    index = {str(name): number for number, name in enumerate(known)}
    faults, labels = [], {}
    for name, array in flat.items():
        for row, word in enumerate(array.tolist()):
            if word not in index:
                faults.append(f"{name}, row {row}: {word!r} is not in class_names{did_you_mean(word, index)}")
        if not faults:
            labels[name] = np.array([index[word] for word in array.tolist()], np.int32)
    return ({} if faults else labels), tuple(index), faults
