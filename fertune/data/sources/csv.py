"""Kaggle's fer2013.csv: ``emotion,pixels,Usage``, one face a line, read as a stream.

The pixels of a row are one field of whole numbers with spaces between them. A row of the usual kind (single spaces,
one to three digits) is read by arithmetic on its bytes, which also proves that it is of that kind; any other row is
looked at word by word, so that the same rows pass and every fault is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import isqrt
from pathlib import Path
from typing import IO

import numpy as np

from fertune.data.assemble import TEST, TRAIN, UNLABELLED, VALIDATION, Parsed
from fertune.data.options import LARGEST_SIDE
from fertune.data.progress import Progress, unseen
from fertune.data.sources.packed import bare_name, open_csv
from fertune.errors import MAX_DETAILS, DataError, did_you_mean

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
COLUMNS = ("emotion", "pixels", "Usage")
USAGES = ("Training", "PublicTest", "PrivateTest")
USUAL_SIDE = 48
LABELS = {str(label).encode(): label for label in range(len(CLASSES))}
NO_LABEL = -1
SPACE, ZERO = ord(" "), np.uint8(ord("0"))
MEND = "mend these lines, or leave them out with --skip-bad-rows"
LAYOUT = "the columns of a FER csv are emotion,pixels,Usage, in any order; one face a line"
ENCODING = "save it again as a csv in UTF-8"
DECIDING = 64  # rows whose most common size is that of the pictures, or fewer where they are long
LONG = 8 << 20  # bytes
LONGEST = 4 * LARGEST_SIDE**2 + 4096  # bytes of a line
MOST_FAULTS = 100_000  # then reading stops
TOLD = 256  # rows from one word about progress to the next


@dataclass
class _Reading:
    """What has been read so far."""

    values: int  # a picture
    pixels: bytearray = field(default_factory=bytearray)
    labels: list[int] = field(default_factory=list)
    usages: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)  # numbers of their lines
    faults: list[tuple[int, str]] = field(default_factory=list)  # line, what follows "line N"

    def fault(self, line: int, text: str) -> None:
        self.faults.append((line, text))


def read_csv(path: Path, *, skip_bad_rows: bool = False, progress: Progress = unseen) -> Parsed:
    """Read a FER csv, packed or not (see ``fertune.data.sources.packed``).

    Training is train. PublicTest is validation and PrivateTest is test where PrivateTest has labels; otherwise
    PublicTest is test, and PrivateTest rows with an empty emotion are unlabelled.

    Args:
        path: Of the file.
        skip_bad_rows: Leave bad rows out and list them in the notes; the others keep their numbers.
        progress: Is told of bytes.

    Raises:
        DataError: Not such a file; or bad rows, all of them listed by their line (the header is line 1).
    """
    with open_csv(path) as stream:
        what, name = f"reading {path.name}", stream.name
        lines = _lines(stream.file, name)
        columns = _header(name, next(lines, (1, b""))[1])
        first = _first(lines)
        reading = _Reading(_usual(columns, [raw for _, raw in first]))
        blank: list[int] = []
        last, raw = 1, b"\n"
        for last, raw in chain(first, lines):
            line = raw.rstrip(b"\r\n")
            if not line.strip():
                blank.append(last)
            else:
                for number in blank:
                    reading.fault(number, ": an empty line in the middle of the file")
                blank.clear()
                _row(reading, columns, line, last)
            if len(reading.faults) + len(blank) > MOST_FAULTS:
                break
            if last % TOLD == 0:
                progress(what, stream.done(), stream.total, "bytes")
        progress(what, stream.total, stream.total, "bytes")
    faults = _told(reading, cut_off=last if not raw.endswith(b"\n") else 0)
    if len(faults) > MOST_FAULTS or faults and not skip_bad_rows:
        raise _bad_rows(name, reading, faults)
    if not reading.labels and not faults:
        raise DataError(f"{name} has a header and no rows", help=LAYOUT)
    return _parsed(name, bare_name(path), reading, faults)


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """(number from 1, bytes with the newline)."""
    number = 0
    while raw := file.readline(LONGEST + 1):
        number += 1
        if len(raw) > LONGEST:
            raise DataError(f"{name}, line {number} is longer than {LONGEST >> 20} MB: this is no csv of pictures")
        yield number, raw


def _first(lines: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Some lines to decide the size by."""
    taken, size = [], 0
    for number, raw in lines:
        taken.append((number, raw))
        size += len(raw)
        if len(taken) == DECIDING or size > LONG:
            break
    return taken


def _usual(columns: list[str], lines: list[bytes]) -> int:
    """Values of a picture: the most common square number of them, else that of FER-2013."""
    at = columns.index("pixels")
    counts: Counter[int] = Counter()
    for line in lines:
        fields = line.split(b",")
        values = len(_unquoted(fields[at]).split()) if len(fields) == len(columns) else 0
        if isqrt(values) ** 2 == values > 1:
            counts[values] += 1
    return counts.most_common(1)[0][0] if counts else USUAL_SIDE**2


def _header(name: str, raw: bytes) -> list[str]:
    """The names of the columns, spaces round them taken off."""
    if not raw.strip():
        raise DataError(f"{name} is empty" if not raw else f"{name} has no header; line 1 is empty", help=LAYOUT)
    if b"\0" in raw or raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{name} is not text in UTF-8; line 1 looks like UTF-16", help=ENCODING)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = f"line 1, byte {error.start + 1}: 0x{raw[error.start]:02x} is none"
        raise DataError(f"{name} is not text in UTF-8", details=[byte], help=ENCODING) from error
    names = [word.strip().strip('"').strip() for word in text.rstrip("\r\n").split(",")]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        near = [(column, did_you_mean(column, names)) for column in missing]
        shown = ", ".join(names[:8]) if len(text) < 200 else text[:60] + "..."
        raise DataError(
            f"{name} has no column {' and no column '.join(map(repr, missing))}",
            details=[
                f"line 1: the columns are {shown}",
                *(f"{column!r} is missing{hint}" for column, hint in near if hint),
            ],
            help=LAYOUT,
        )
    doubled = [column for column in COLUMNS if names.count(column) > 1]
    if doubled:
        raise DataError(f"{name} has the column {doubled[0]!r} twice", details=["line 1: " + ", ".join(names)])
    return names


def _row(reading: _Reading, columns: list[str], line: bytes, number: int) -> None:
    """Take one line in, or note what is wrong with it."""
    fields = line.split(b",")
    if len(fields) != len(columns):
        reading.fault(number, f": {len(fields):,} fields where the header has {len(columns)}")
        return
    before = len(reading.faults)
    if not line.isascii() and (bad := _not_text(fields, columns)):
        reading.fault(number, bad)
        return
    usage = _unquoted(fields[columns.index("Usage")]).decode("utf-8", "replace")
    if usage not in USAGES:
        hint = did_you_mean(usage[:40], USAGES)
        reading.fault(number, f", Usage: {usage[:40]!r} is not one of {', '.join(USAGES)}{hint}")
    word = _unquoted(fields[columns.index("emotion")])
    label = LABELS.get(word, NO_LABEL)
    if label == NO_LABEL and not (word == b"" and usage == "PrivateTest"):
        shown = word.decode("utf-8", "replace")[:40]
        what = "empty" if not word else f"{shown if shown.lstrip('-').isdigit() else repr(shown)} is not a class"
        only = "; only PrivateTest rows may lack a label" if not word else ""
        reading.fault(number, f", emotion: {what}{only or f'; classes are 0 to {len(CLASSES) - 1}'}")
    text = _unquoted(fields[columns.index("pixels")])
    pixels = _quickly(text, reading.values)
    if pixels is None:
        pixels = _slowly(reading, text.split(), number)
    if len(reading.faults) == before:
        reading.pixels += pixels
        reading.labels.append(label)
        reading.usages.append(USAGES.index(usage))
        reading.rows.append(number)


def _not_text(fields: list[bytes], columns: list[str]) -> str:
    """What follows "line N" where a column that is read is not in UTF-8; else nothing."""
    for column in COLUMNS:
        text = fields[columns.index(column)]
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            return f", {column}: byte 0x{text[error.start]:02x} is not text in UTF-8"
    return ""


def _unquoted(text: bytes) -> bytes:
    return text.strip().strip(b'"').strip()


def _quickly(text: bytes, values: int) -> bytes | None:
    """The pixels of a row of the usual kind, every byte of it checked; None for any other row."""
    letters = np.frombuffer(b" " + text + b" ", np.uint8)
    spaces = np.flatnonzero(letters == SPACE)
    if len(spaces) != values + 1:
        return None
    lengths = np.diff(spaces) - 1
    digits = letters - ZERO  # below ZERO they wrap round to more than 9
    if lengths.min() < 1 or lengths.max() > 3 or np.count_nonzero(digits > 9) != len(spaces):
        return None
    digits[spaces] = 0
    ends = spaces[1:] - 1
    found = digits[ends].astype(np.int16)
    found += digits[ends - 1] * np.int16(10)
    found += np.where(lengths == 3, digits[ends - 2], 0) * np.int16(100)
    return found.astype(np.uint8).tobytes() if found.max() <= 255 else None


def _slowly(reading: _Reading, words: list[bytes], number: int) -> bytes:
    """Any row: legal values like ``007`` pass, the first bad one is named and the others counted."""
    if len(words) != reading.values:
        side = isqrt(reading.values)
        wanted = f"{side} x {side} = {side * side:,}"
        reading.fault(number, f", pixels: {len(words):,} values where {wanted} are needed")
        return b""
    values, bad = bytearray(), []
    for place, word in enumerate(words, start=1):
        short = word.lstrip(b"0")[:4] or word[:1]
        value = int(short) if word.isdigit() else -1
        if 0 <= value <= 255:
            values.append(value)
        else:
            bad.append((place, word.decode("utf-8", "replace")[:20]))
    if bad:
        place, text = bad[0]
        more = f" (and {len(bad) - 1:,} more in this row)" if len(bad) > 1 else ""
        reading.fault(number, f", pixels, value {place}: {text!r} is not a whole number from 0 to 255{more}")
    return bytes(values)


def _told(reading: _Reading, cut_off: int) -> list[str]:
    """All faults, in the order of their lines. ``cut_off`` is the last line where no newline ends it, else 0."""
    end = "; the file ends in the middle of this line"
    return [f"line {line}{text}{end if line == cut_off else ''}" for line, text in reading.faults]


def _bad_rows(name: str, reading: _Reading, faults: list[str]) -> DataError:
    rows = len({line for line, _ in reading.faults})
    if len(faults) > MOST_FAULTS:
        message = f"{name} has more than {MOST_FAULTS:,} faults; nothing was written"
        return DataError(message, details=faults, help=LAYOUT)
    message = f"{name} has {rows:,} bad row{'s' if rows > 1 else ''}; nothing was written"
    return DataError(message, details=faults, help=MEND)


def _left_out(name: str, reading: _Reading, faults: list[str]) -> list[str]:
    """A note on the rows that were skipped: how many, the first ones with their reasons, a count of the others."""
    if not faults:
        return []
    rows = len({line for line, _ in reading.faults})
    more = f"; and {len(faults) - MAX_DETAILS:,} more" if len(faults) > MAX_DETAILS else ""
    were = "rows were" if rows > 1 else "row was"
    return [f"{rows:,} bad {were} left out of {name}: {'; '.join(faults[:MAX_DETAILS])}{more}"]


def _parsed(called: str, name: str, reading: _Reading, faults: list[str]) -> Parsed:
    side = isqrt(reading.values)
    labels = np.array(reading.labels, np.int32)
    usages = np.array(reading.usages, np.int8)
    private = usages == USAGES.index("PrivateTest")
    private_has_labels = bool(np.any(labels[private] != NO_LABEL))
    split = np.full(len(labels), TRAIN, np.int8)
    split[usages == USAGES.index("PublicTest")] = VALIDATION if private_has_labels else TEST
    split[private] = np.where(labels[private] == NO_LABEL, UNLABELLED, TEST)
    notes = []
    if np.any(private) and not private_has_labels:
        notes.append(f"the {int(private.sum()):,} PrivateTest rows have no labels; PublicTest is test")
    elif np.any(split == UNLABELLED):
        notes.append(f"{int(np.sum(split == UNLABELLED)):,} of {int(private.sum()):,} PrivateTest rows have no label")
    skipped = _left_out(called, reading, faults)
    train = np.unique(labels[split == TRAIN])
    if len(train) < 2:
        what = f"only {CLASSES[train[0]]!r} among its training rows" if len(train) else "no training rows"
        if not np.any(labels != NO_LABEL):
            what = "no row with a label"
        raise DataError(
            f"{called} has {what}{' left' if skipped else ''}; rows of two classes or more are needed", details=faults
        )
    return Parsed(
        images=np.frombuffer(reading.pixels, np.uint8).reshape(-1, side, side, 1), labels=labels, split=split,
        row_ids=np.array(reading.rows, np.int32) - 2, class_names=CLASSES, name=name, notes=(*notes, *skipped),
    )  # fmt: skip
