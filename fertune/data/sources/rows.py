"""Pictures that are opened one by one, each with a label: the rows of a table, or of a library's data set."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fertune.data.assemble import TEST, TRAIN, UNLABELLED, Parsed, deal
from fertune.data.options import ReadOptions
from fertune.data.progress import Progress, unseen
from fertune.data.sources.arrays import check_classes
from fertune.data.sources.pictures import Picture, gather, left_out_note
from fertune.errors import DataError, did_you_mean

WHOLE = re.compile("-?[0-9]{1,18}")


@dataclass
class Rows:
    """Rows before their pictures are opened.

    Attributes:
        places: What messages call each row: ``line 7``.
        pictures: What they add for a picture that cannot be read, its file; empty for nothing.
        labels: Names or whole numbers; None, NaN or an empty name for none, which only rows of test may have.
        splits: Index into ``SPLITS``; None where the source has no splits.
        groups: Any values, one a row; None for none.
        class_names: Where labels are numbers that stand for them.
        label_word, group_word: What messages call them.
        bad: Row -> what is wrong with it, found before.
        notes: Found before.
    """

    places: Sequence[str]
    labels: Sequence[Any]
    splits: Sequence[int] | None = None
    groups: Sequence[Any] | None = None
    class_names: Sequence[str] | None = None
    label_word: str = "label"
    group_word: str = "group"
    pictures: Sequence[str] = ()
    bad: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def missing(value: Any) -> bool:
    """Whether a cell is empty: None, NaN, pandas' NA, or nothing but spaces."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value or isinstance(value, str) and not value.strip()


def parse_rows(
    rows: Rows, read: Callable[[int], Picture], *, name: str, called: str, help: str, options: ReadOptions,
    progress: Progress = unseen,
) -> Parsed:  # fmt: skip
    """Check labels, open the pictures, and deal splits where there are none.

    Args:
        rows: All rows.
        read: Gives the picture of a row, or raises ``Unreadable``.
        name: Of the data set.
        called: What messages call it.
        help: How to mend it.
        options: ``image_size`` and ``skip_bad_rows``.
        progress: Is told of pictures.

    Raises:
        DataError: All bad rows, or pictures that cannot be read.
    """
    for at, value in enumerate(rows.groups or ()):
        if missing(value):
            rows.bad.setdefault(at, f"{rows.places[at]}, {rows.group_word}: empty; every row needs a group")
    codes, names = _codes(rows)
    if rows.bad and not options.skip_bad_rows:
        count = len(rows.bad)
        raise DataError(
            f"{called} has {count:,} bad row{'s' if count > 1 else ''}",
            details=[text for _, text in sorted(rows.bad.items())], help=help,
        )  # fmt: skip
    good = [at for at in range(len(rows.labels)) if at not in rows.bad]
    told = [text for _, text in sorted(rows.bad.items())]
    if not good:
        raise DataError(f"{called} has no row that can be used", details=told or ["it has no rows"], help=help)
    places = [f"{rows.places[at]}, {rows.pictures[at]}" if rows.pictures else rows.places[at] for at in good]
    gathered = gather(called, places, lambda i: read(good[i]), options, help=help, progress=progress)
    kept = np.array(good, np.int64)[gathered.kept]
    labels = codes[kept]
    split = np.full(len(kept), TRAIN) if rows.splits is None else np.array([rows.splits[at] for at in kept.tolist()])
    lacking = int(np.sum(labels < 0))
    notes = [*rows.notes, *left_out_note(told), *gathered.notes]
    if lacking:
        notes.append(f"{lacking:,} of {int(np.sum(split == TEST)):,} test rows have no label")
    groups = None if rows.groups is None else _numbers([rows.groups[at] for at in kept.tolist()])
    if groups is not None:
        notes.append(f"rows with the same {rows.group_word} are kept together: {len(np.unique(groups)):,} groups")
        pairs = np.unique(np.stack([groups, split]), axis=1)
        if divided := int(np.sum(np.bincount(pairs[0]) > 1)):
            notes.append(f"{divided:,} of these groups stand in more than one of the given splits")
    parsed = Parsed(
        images=gathered.images, labels=labels, split=np.where(labels < 0, UNLABELLED, split).astype(np.int8),
        row_ids=kept.astype(np.int32), class_names=names, name=name, notes=tuple(notes), groups=groups,
    )  # fmt: skip
    check_classes(parsed, called, help, told)
    return deal(parsed) if rows.splits is None else parsed


def _numbers(values: Sequence[Any]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    number: dict[str, int] = {}
    return np.array([number.setdefault(str(value), len(number)) for value in values], np.int32)


def _codes(rows: Rows) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], tuple[str, ...]]:
    """int32 label of each row, -1 for none; and class names. What is wrong goes to ``rows.bad``."""
    values = [None if missing(v) else _tidy(v) for v in rows.labels]
    word = rows.label_word
    for at, value in enumerate(values):
        if at in rows.bad:
            continue
        blank = value is None or rows.class_names is not None and value == -1
        if blank:
            values[at] = None
            if rows.splits is None or rows.splits[at] != TEST:
                rows.bad[at] = f"{rows.places[at]}, {word}: empty; only test rows may lack a label"
        elif not isinstance(value, (str, int, np.generic)):
            values[at] = None
            rows.bad[at] = f"{rows.places[at]}, {word}: {value!r} is not a class; labels are whole numbers or names"
        elif rows.class_names is not None and _index(value, rows.class_names) is None:
            hint = did_you_mean(str(value), rows.class_names)
            rows.bad[at] = (
                f"{rows.places[at]}, {word}: {value!r} is not a class; classes are 0 to "
                f"{len(rows.class_names) - 1}, or {', '.join(rows.class_names[:8])}{hint}"
            )
    # rows that are left out for another reason keep their class, so that an empty one is noted
    there = [at for at, value in enumerate(values) if value is not None]
    if rows.class_names is not None:
        lookup = {at: _index(values[at], rows.class_names) or 0 for at in there}
        return _filled(len(values), lookup), tuple(rows.class_names)
    found: dict[str, Any] = {str(values[at]): values[at] for at in there}
    numeric = all(WHOLE.fullmatch(text) for text in found)
    order = sorted(found, key=(lambda text: (int(text), text)) if numeric else str)
    number = {text: i for i, text in enumerate(order)}
    return _filled(len(values), {at: number[str(values[at])] for at in there}), tuple(order)


def _tidy(value: Any) -> Any:
    """Without spaces round a name; a whole float, which a column with gaps is made of, as a whole number."""
    if isinstance(value, str):
        return value.strip()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _index(value: Any, class_names: Sequence[str]) -> int | None:
    """Of a class by its number or its name; None for no class."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value) if 0 <= value < len(class_names) else None
    return class_names.index(value) if value in class_names else None


def _filled(count: int, values: dict[int, int]) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    out = np.full(count, -1, np.int32)
    for at, value in values.items():
        out[at] = int(value)
    return out
