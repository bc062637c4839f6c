"""Kaggle's fer2013.csv: ``emotion,pixels,Usage``, one face a line, read as a stream.

The pixels of a row are one field of whole numbers with spaces between them. Each value is looked up in a table of the
256 legal words, so nothing but a whole number from 0 to 255 can pass; only rows that fail are looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path

import numpy as np

from fertune.data.assemble import TEST, TRAIN, UNLABELLED, VALIDATION, Parsed
from fertune.errors import DataError, did_you_mean

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
COLUMNS = ("emotion", "pixels", "Usage")
USAGES = ("Training", "PublicTest", "PrivateTest")
USUAL_SIDE = 48
WORDS = {str(value).encode(): value for value in range(256)}
LABELS = {str(label).encode(): label for label in range(len(CLASSES))}
NO_LABEL = -1
MEND = "mend these lines in the file, then run the command again"
SIGNATURES = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive", b"\x93NUMPY": "a numpy file"}


@dataclass
class _Reading:
    """What has been read so far; faults wait for the size of the pictures, which the first good row decides."""

    pixels: bytearray = field(default_factory=bytearray)
    labels: list[int] = field(default_factory=list)
    usages: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    values: int = 0  # a picture; 0 while no row has decided
    faults: list[tuple[int, str, int]] = field(default_factory=list)  # line, what follows "line N", values or -1

    def fault(self, line: int, text: str, values: int = -1) -> None:
        self.faults.append((line, text, values))


def read_csv(path: Path) -> Parsed:
    """Read a FER csv.

    Training is train. PublicTest is validation and PrivateTest is test where PrivateTest has labels; otherwise
    PublicTest is test, and PrivateTest rows with an empty emotion are unlabelled.

    Raises:
        DataError: Not such a file; or bad rows, all of them listed by their line (the header is line 1).
    """
    reading = _Reading()
    with path.open("rb") as file:
        columns = _header(path, file.readline())
        blank: list[int] = []
        last, raw = 1, b"\n"
        for last, raw in enumerate(file, start=2):
            line = raw.rstrip(b"\r\n")
            if not line.strip():
                blank.append(last)
                continue
            for number in blank:
                reading.fault(number, ": an empty line in the middle of the file")
            blank.clear()
            _row(reading, columns, line, last)
    if reading.faults:
        raise _bad_rows(path, reading, cut_off=last if not raw.endswith(b"\n") else 0)
    if not reading.labels:
        raise DataError(f"{path.name} has a header and no rows")
    return _parsed(path, reading)


def _header(path: Path, raw: bytes) -> list[str]:
    """The names of the columns, spaces round them taken off."""
    for signature, what in SIGNATURES.items():
        if raw.startswith(signature):
            raise DataError(f"{path.name} is {what}, not a csv file", help="unpack it and give the file inside")
    if not raw.strip():
        raise DataError(f"{path.name} is empty" if not raw else f"{path.name} has no header; line 1 is empty")
    try:
        text = raw.decode("utf-8-sig")
        if "\0" in text:
            raise UnicodeError("NUL bytes")
    except UnicodeError as error:
        message = f"{path.name} is not plain text in UTF-8 (line 1 cannot be read); it may be UTF-16"
        raise DataError(message, help="save it again as a csv in UTF-8") from error
    names = [name.strip().strip('"').strip() for name in text.rstrip("\r\n").split(",")]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        shown = ", ".join(names[:8]) if len(text) < 200 else text[:60] + "..."
        raise DataError(
            f"{path.name} has no column {' and no column '.join(map(repr, missing))}",
            details=[f"line 1: the columns are {shown}"]
            + [f"{name!r} is missing{did_you_mean(name, names)}" for name in missing if did_you_mean(name, names)],
            help="the columns of a FER csv are emotion,pixels,Usage, in any order",
        )
    doubled = [name for name in COLUMNS if names.count(name) > 1]
    if doubled:
        raise DataError(f"{path.name} has the column {doubled[0]!r} twice", details=["line 1: " + ", ".join(names)])
    return names


def _row(reading: _Reading, columns: list[str], line: bytes, number: int) -> None:
    """Take one line in, or note what is wrong with it."""
    fields = line.split(b",")
    if len(fields) != len(columns):
        reading.fault(number, f": {len(fields)} fields where the header has {len(columns)}")
        return
    before = len(reading.faults)
    usage = _unquoted(fields[columns.index("Usage")]).decode("utf-8", "replace")
    if usage not in USAGES:
        hint = did_you_mean(usage, USAGES)
        reading.fault(number, f", Usage: {usage[:40]!r} is not one of {', '.join(USAGES)}{hint}")
    word = _unquoted(fields[columns.index("emotion")])
    label = LABELS.get(word, NO_LABEL)
    if label == NO_LABEL and not (word == b"" and usage == "PrivateTest"):
        shown = word.decode("utf-8", "replace")[:40]
        what = "empty" if not word else f"{shown if shown.lstrip('-').isdigit() else repr(shown)} is not a class"
        only = "; only PrivateTest rows may lack a label" if not word else ""
        reading.fault(number, f", emotion: {what}{only or f'; classes are 0 to {len(CLASSES) - 1}'}")
    words = _unquoted(fields[columns.index("pixels")]).split()
    if reading.values == 0 and isqrt(len(words)) ** 2 == len(words) > 1:
        reading.values = len(words)
    if len(words) != reading.values:
        reading.fault(number, "", len(words))
    else:
        try:
            pixels = bytes(map(WORDS.__getitem__, words))
        except KeyError:
            pixels = _slowly(reading, words, number)
        if len(reading.faults) == before:
            reading.pixels += pixels
            reading.labels.append(label)
            reading.usages.append(USAGES.index(usage))
            reading.rows.append(number)


def _unquoted(text: bytes) -> bytes:
    return text.strip().strip(b'"').strip()


def _slowly(reading: _Reading, words: list[bytes], number: int) -> bytes:
    """A row with an unusual value: legal ones like ``007`` pass, the first bad one is named and the others counted."""
    values, bad = [], []
    for place, word in enumerate(words, start=1):
        value = int(word) if word.isdigit() else -1
        values.append(value)
        if not 0 <= value <= 255:
            bad.append((place, word.decode("utf-8", "replace")[:20]))
    if bad:
        place, text = bad[0]
        more = f" (and {len(bad) - 1:,} more in this row)" if len(bad) > 1 else ""
        reading.fault(number, f", pixels, value {place}: {text!r} is not a whole number from 0 to 255{more}")
        return b""
    return bytes(values)


def _bad_rows(path: Path, reading: _Reading, cut_off: int) -> DataError:
    """All faults, in the order of their lines. ``cut_off`` is the last line where no newline ends it, else 0."""
    side = isqrt(reading.values) if reading.values else USUAL_SIDE
    details = []
    for line, text, values in reading.faults:
        end = "; the file ends in the middle of this line" if line == cut_off else ""
        if values >= 0:
            text = f", pixels: {values:,} values where {side} x {side} = {side * side:,} are needed"
        details.append(f"line {line}{text}{end}")
    rows = len({line for line, _, _ in reading.faults})
    message = f"{path.name} has {rows:,} bad row{'s' if rows > 1 else ''}; nothing was written"
    return DataError(message, details=details, help=MEND)


def _parsed(path: Path, reading: _Reading) -> Parsed:
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
    if not np.any(labels != NO_LABEL):
        raise DataError(f"{path.name} has no row with a label")
    return Parsed(
        images=np.frombuffer(reading.pixels, np.uint8).reshape(-1, side, side, 1), labels=labels, split=split,
        row_ids=np.array(reading.rows, np.int32) - 2, class_names=CLASSES, name=path.stem, notes=tuple(notes),
    )  # fmt: skip
