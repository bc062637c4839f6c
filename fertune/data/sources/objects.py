"""What Python hands over: arrays, dictionaries of them, tf.data, Hugging Face data sets, pandas DataFrames.

Libraries are recognised by the names of their classes and are never imported from here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fertune.data.assemble import TEST, TRAIN, VALIDATION, Parsed, deal
from fertune.data.options import ReadOptions
from fertune.data.sources.arrays import Part, parse_parts
from fertune.data.sources.npz import KNOWN, parse_arrays
from fertune.data.sources.splits import split_faults, split_of
from fertune.errors import DataError

LEGAL = (
    "give (pictures, labels), a dictionary of such pairs by split, a tf.data.Dataset of (picture, label), a Hugging "
    "Face Dataset or DatasetDict, or a pandas DataFrame"
)
X_NAMES = ("x", "images", "image", "pictures", "X")
Y_NAMES = ("y", "labels", "label")
PAIR = (("x_train", "y_train", TRAIN), ("x_test", "y_test", TEST))
TRIPLE = (("x_train", "y_train", TRAIN), ("x_val", "y_val", VALIDATION), ("x_test", "y_test", TEST))


def is_from(value: Any, package: str, *names: str) -> bool:
    """Whether an object's class, or one it inherits from, has one of these names in a package."""
    return any(c.__module__.split(".")[0] == package and c.__name__ in names for c in type(value).__mro__)


def is_tf_data(value: Any) -> bool:
    """Whether it is a ``tf.data.Dataset``."""
    return hasattr(value, "as_numpy_iterator") and is_from(value, "tensorflow", "DatasetV2", "Dataset")


def is_frame(value: Any) -> bool:
    """Whether it is a DataFrame of pandas."""
    return is_from(value, "pandas", "DataFrame")


def is_hugging_face(value: Any) -> bool:
    """Whether it is a data set of the library ``datasets``, or several by split."""
    kinds = ("Dataset", "IterableDataset", "DatasetDict", "IterableDatasetDict")
    return is_from(value, "datasets", *kinds)


def kind_of(value: Any) -> str:
    """What messages and ``run.json`` call it."""
    if is_tf_data(value):
        return "tf.data.Dataset"
    package = type(value).__module__.split(".")[0]
    return type(value).__name__ if package == "builtins" else f"{package}.{type(value).__name__}"


def parse_object(value: Any, options: ReadOptions) -> Parsed:
    """Read an object.

    Raises:
        DataError: Not such an object, or all that is wrong with it.
    """
    called = f"the {kind_of(value)}"
    if is_frame(value):
        return _frame(value, options)
    if is_hugging_face(value):
        from fertune.data.sources.hugging_face import parse_hugging_face

        splits = dict(value) if isinstance(value, Mapping) else {None: value}
        return parse_hugging_face(splits, called, options)
    if is_tf_data(value):
        return _parts([("pictures", "labels", None, value)], "dataset", called, LEGAL, options)
    if isinstance(value, Mapping):
        return parse_mapping(value, name="arrays", called=called, help=LEGAL, options=options)
    if isinstance(value, (tuple, list)) and len(value) in (2, 3):
        pairs = PAIR if len(value) == 2 else TRIPLE
        if all(isinstance(v, tuple) and len(v) == 2 or is_tf_data(v) for v in value):
            parts = [(x, y, split, pair) for (x, y, split), pair in zip(pairs, value, strict=True)]
            return _parts(parts, "arrays", called, LEGAL, options)
        if len(value) == 2:
            return _parts([("pictures", "labels", None, value)], "arrays", called, LEGAL, options)
    raise DataError(f"{called} is nothing that fertune reads", details=[LEGAL])


def parse_mapping(content: Mapping[Any, Any], *, name: str, called: str, help: str, options: ReadOptions) -> Parsed:
    """A dictionary: ``x_train, y_train, ...``; or pictures and labels by split; or pictures and labels.

    Raises:
        DataError: Other keys, or all that is wrong with what it holds.
    """
    keys = [str(key) for key in content]
    given = {str(key): value for key, value in content.items()}
    if set(keys) & set(KNOWN) - {"class_names"}:
        return parse_arrays(given, name, called, options=options)
    if content and all(is_hugging_face(value) for value in given.values()):
        from fertune.data.sources.hugging_face import parse_hugging_face

        return parse_hugging_face(given, called, options)
    class_names = given.pop("class_names", None)
    if (pair := _pair(given)) is not None:
        return _parts([("pictures", "labels", None, pair)], name, called, help, options, class_names)
    faults = split_faults(given)
    if faults:
        raise DataError(
            f"{called} cannot be used as a data set",
            details=[f"its keys are {', '.join(map(repr, keys[:12])) or 'none'}", *faults], help=help,
        )  # fmt: skip
    order = sorted(given, key=lambda key: split_of(key) or 0)
    parts = [(f"{key} pictures", f"{key} labels", split_of(key), given[key]) for key in order]
    return _parts(parts, name, called, help, options, class_names)


def _pair(value: Any) -> tuple[Any, Any] | None:
    """(pictures, labels or None) of one part; None where it is no such thing."""
    if isinstance(value, Mapping):
        x = next((name for name in X_NAMES if name in value), None)
        y = next((name for name in Y_NAMES if name in value), None)
        return (value[x], value[y] if y else None) if x else None
    if isinstance(value, np.ndarray) and value.dtype == object and value.shape == (2,):
        return value[0], value[1]
    return (value[0], value[1]) if isinstance(value, (tuple, list)) and len(value) == 2 else None


def _parts(
    given: Sequence[tuple[str, str, int | None, Any]], name: str, called: str, help: str, options: ReadOptions,
    class_names: Any = None,
) -> Parsed:  # fmt: skip
    parts, rounding, faults = [], False, []
    for x_name, y_name, split, value in given:
        if is_tf_data(value):
            rounding = True
            class_names = class_names if class_names is not None else getattr(value, "class_names", None)
            pair: tuple[Any, Any] | None = _drain(value, called)
        else:
            pair = _pair(value)
        if pair is None or pair[1] is None and split != TEST:
            what = kind_of(value) if pair is None else f"{x_name} without labels"
            faults.append(f"{x_name.removesuffix(' pictures')}: {what} where (pictures, labels) is needed")
            continue
        parts.append(Part(x_name, pair[0], y_name, pair[1], split))
    if faults or not parts:
        raise DataError(f"{called} cannot be used as a data set", details=faults, help=help)
    names = None if class_names is None else [str(word) for word in class_names]
    return parse_parts(
        parts, name=name, called=called, help=help, options=options, class_names=names, rounding=rounding
    )


def _drain(dataset: Any, called: str) -> tuple[list[Any], Any]:
    """All (picture, label) of a tf.data.Dataset, batched or not."""
    pictures: list[Any] = []
    labels: list[Any] = []
    cardinality = getattr(dataset, "cardinality", None)
    if cardinality is not None and int(cardinality()) == -1:
        raise DataError(f"{called} has no end: it repeats for ever", help="leave .repeat() out, or add .take(n)")
    for element in dataset.as_numpy_iterator():
        element = _pair(element) if isinstance(element, Mapping) else element
        if not isinstance(element, tuple) or len(element) != 2:
            what = f"tuples of {len(element)}" if isinstance(element, tuple) else type(element).__name__
            raise DataError(f"{called} gives {what} where (picture, label) is needed", details=[LEGAL])
        picture, label = np.asarray(element[0]), np.asarray(element[1])
        if picture.ndim == 4 or picture.ndim == 3 and label.ndim == 1 and len(label) == len(picture):
            pictures.extend(picture)
            labels.extend(label)
        else:
            pictures.append(picture)
            labels.append(label)
    return pictures, _words(labels)


def _words(labels: list[Any]) -> Any:
    """One array of labels; bytes, as tensors hold text, become text."""
    array = np.array([label.decode() if isinstance(label, bytes) else label for label in map(_scalar, labels)])
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _scalar(label: Any) -> Any:
    return label.item() if isinstance(label, np.ndarray) and label.ndim == 0 else label


def _frame(frame: Any, options: ReadOptions) -> Parsed:
    names = {str(column).strip().lower(): column for column in frame.columns}
    if "pixels" in names and not options.path_column:
        return _fer_frame(frame, names)
    from fertune.data.sources.table import list_table, parse_table, table_of

    return parse_table(list_table(table_of(frame, "table", "the DataFrame", Path.cwd()), options), options)


def _fer_frame(frame: Any, names: Mapping[str, Any]) -> Parsed:
    """Through a csv file, so that one reader knows FER's rules."""
    from fertune.data.sources.csv import read_csv

    has_usage = "usage" in names
    columns = {word: frame[names[word]] for word in ("emotion", "pixels") if word in names}
    columns["Usage"] = frame[names["usage"]] if has_usage else "Training"
    plain = frame.assign(**columns)[list(columns)]
    if "emotion" in columns and columns["emotion"].dtype.kind == "f":
        plain = plain.assign(emotion=columns["emotion"].astype("Int64"))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "the DataFrame as csv"
        plain.to_csv(path, index=False)
        parsed = read_csv(path)
    return parsed if has_usage else deal(parsed)
