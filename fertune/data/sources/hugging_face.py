"""Data sets of the library ``datasets``, by the methods they have; the library itself is not imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fertune.data.assemble import TEST, TRAIN, Parsed
from fertune.data.options import ReadOptions
from fertune.data.sources.pictures import Picture, Unreadable, decode
from fertune.data.sources.rows import Rows, parse_rows
from fertune.data.sources.splits import LEGAL_SPLITS, split_faults, split_of
from fertune.errors import DataError, did_you_mean

IMAGE_WORDS = ("image", "img", "picture")
LABEL_WORDS = ("label", "labels", "fine_label", "emotion")
HELP = "name them: data_options={'path_column': 'image', 'label_column': 'label'}"


def parse_hugging_face(splits: Mapping[Any, Any], called: str, options: ReadOptions) -> Parsed:
    """Read one data set (under the key None; its splits are dealt), or several by split.

    Raises:
        DataError: Columns or splits that are not there, or bad rows.
    """
    alone = None in splits
    faults = [] if alone else split_faults(map(str, splits))
    if faults:
        raise DataError(
            f"{called} cannot be used as a data set",
            details=[f"its splits are {', '.join(map(str, splits))}", *faults], help=LEGAL_SPLITS,
        )  # fmt: skip
    order = sorted(splits, key=lambda key: split_of(str(key)) or 0)
    first = splits[order[0]]
    image, label = _columns(first, called, options)
    held = {key: _rows(splits[key]) for key in order}
    where = [(key, at) for key in order for at in range(len(held[key]))]
    rows = Rows(
        [f"row {at}" if key is None else f"{key}, row {at}" for key, at in where],
        [value for key in order for value in _labels(held[key], label, key, called)],
        splits=None if alone else [split_of(str(key)) or TRAIN for key, _ in where],
        groups=[value for key in order for value in _column(held[key], options.group_column)]
        if options.group_column else None,
        class_names=_class_names(first, label), label_word=label, group_word=options.group_column or "group",
    )  # fmt: skip

    def read(i: int) -> Picture:
        key, at = where[i]
        try:
            value = held[key][at][image]
        # the library decodes pictures itself, with errors of its own
        except Exception as error:
            raise Unreadable(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
        return _picture(value)

    return parse_rows(rows, read, name="dataset", called=called, help=HELP, options=options)


def _rows(dataset: Any) -> Any:
    """Something with a length whose rows can be asked for."""
    return dataset if hasattr(dataset, "__len__") else list(dataset)


def _column(dataset: Any, name: str) -> list[Any]:
    return [row[name] for row in dataset] if isinstance(dataset, list) else list(dataset[name])


def _labels(dataset: Any, name: str, split: Any, called: str) -> list[Any]:
    """Labels of one split; None for each row of a test split without that column."""
    first = dataset[0] if len(dataset) else {name: None}
    if name in first:
        return _column(dataset, name)
    if split is not None and split_of(str(split)) == TEST:
        return [None] * len(dataset)
    raise DataError(
        f"{called} has no column {name!r} in {split}", details=[f"the columns are {', '.join(first)}"], help=HELP
    )


def _columns(dataset: Any, called: str, options: ReadOptions) -> tuple[str, str]:
    """Names of the columns of pictures and of labels."""
    features = dict(getattr(dataset, "features", None) or {})
    names = list(getattr(dataset, "column_names", None) or features)
    found = []
    for given, kind, words in (
        (options.path_column, "Image", IMAGE_WORDS), (options.label_column, "ClassLabel", LABEL_WORDS)
    ):  # fmt: skip
        typed = [name for name, feature in features.items() if type(feature).__name__ == kind]
        known = [given] if given else [typed[0]] if len(typed) == 1 else [w for w in words if w in names]
        found.append(known[0] if known and known[0] in names else given or words[0])
    wanted = [*found, *([options.group_column] if options.group_column else [])]
    absent = [name for name in wanted if name not in names]
    if absent:
        raise DataError(
            f"{called} has no column {' and no column '.join(map(repr, absent))}",
            details=[f"the columns are {', '.join(names) or 'none'}"]
            + [f"{name!r} is missing{hint}" for name in absent if (hint := did_you_mean(name, names))], help=HELP,
        )  # fmt: skip
    return found[0], found[1]


def _class_names(dataset: Any, label: str) -> list[str] | None:
    names = getattr((getattr(dataset, "features", None) or {}).get(label), "names", None)
    return [str(name) for name in names] if names else None


def _picture(value: Any) -> Picture:
    """What a row holds as a picture: an image of Pillow, its bytes or path, or an array of pixels."""
    if isinstance(value, Mapping):
        value = value["bytes"] if value.get("bytes") is not None else Path(str(value.get("path")))
    if value is None:
        raise Unreadable("empty")
    if isinstance(value, (bytes, Path)) or hasattr(value, "getexif"):
        return decode(value)
    if isinstance(value, str):
        return decode(Path(value))
    pixels = np.asarray(value)
    legal = pixels.ndim in (2, 3) and pixels.size > 0 and pixels.dtype.kind in "iu"
    if not legal or pixels.min() < 0 or pixels.max() > 255:
        raise Unreadable(f"an array of {pixels.dtype}, shape {pixels.shape}, where whole numbers 0 to 255 are needed")
    pixels = pixels.astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        raise Unreadable(f"an array of shape {pixels.shape}; 1 or 3 channels are read")
    return Picture(pixels)
