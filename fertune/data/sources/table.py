"""A table of paths and labels: csv, parquet, or a pandas DataFrame."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fertune.data.assemble import TEST, TRAIN, VALIDATION, Parsed
from fertune.data.options import ReadOptions
from fertune.data.progress import Progress, unseen
from fertune.data.sources.pictures import decode, not_readable
from fertune.data.sources.rows import Rows, missing, parse_rows
from fertune.data.sources.splits import LEGAL_SPLITS, SPLIT_WORDS, split_of
from fertune.errors import DataError, MissingPackage, did_you_mean

PATH, LABEL, SPLIT = "path", "label", "split"
USAGE = {"publictest": VALIDATION, "privatetest": TEST}
"""Kaggle's words; PublicTest is test where no PrivateTest row has a label."""
HELP = "a table has the columns path, label and, where you have it, split; or name yours: --path-column, --label-column"
MEND = "mend these rows, or leave them out with --skip-bad-rows"
NEAR = 500  # missing files that get a hint; each costs a look at a folder


@dataclass
class Table:
    """Cells by column.

    Attributes:
        name: Of the data set.
        called: What messages call it.
        root: Folder that paths are relative to.
        columns: name -> cells, all of one length.
        place: What messages call a row: ``line 7``.
        bad: Row -> what is wrong with it already.
    """

    name: str
    called: str
    root: Path
    columns: Mapping[str, Sequence[Any]]
    place: Callable[[int], str]
    bad: dict[int, str] = field(default_factory=dict)


@dataclass
class Listing:
    """A table whose columns have been found and whose rows have been looked at; no picture is opened yet.

    Attributes:
        table: The table.
        files: Path of each row's picture, relative to the table's folder; empty for a bad row.
        rows: Everything else.
    """

    table: Table
    files: list[str]
    rows: Rows

    @property
    def present(self) -> list[str]:
        """Files to hash, once each."""
        return sorted({name for at, name in enumerate(self.files) if at not in self.rows.bad})


def header_of(path: Path) -> list[str]:
    """Names in the first line of a csv; empty where it is no plain text."""
    with path.open("rb") as file:
        raw = file.readline(1 << 16)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeError:
        return []
    if "\0" in text:
        return []
    try:
        return [name.strip() for name in next(csv.reader([text.rstrip("\r\n")]), [])]
    except csv.Error:
        return []


def is_table(path: Path, options: ReadOptions) -> bool:
    """Whether a csv is a table of paths, and not FER's, by its header and by what was asked for."""
    names = header_of(path)
    if not names or any(name.lower() == "pixels" for name in names):
        return False
    if options.path_column or options.label_column or options.group_column or {PATH, LABEL} & set(names):
        return True
    return not {"emotion", "usage"} & {name.lower() for name in names}


def read_table(path: Path) -> Table:
    """The cells of a csv or parquet file.

    Raises:
        DataError: Not such a file.
        MissingPackage: parquet needs pyarrow.
    """
    return _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)


def _csv(path: Path) -> Table:
    lines: list[int] = []
    cells: list[list[str]] = []
    bad = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            for fields in reader:
                if not fields:
                    continue
                if len(fields) != len(names):
                    text = f"line {reader.line_num}: {len(fields)} fields where the header has {len(names)}"
                    bad[len(cells)] = text
                    fields = [""] * len(names)
                lines.append(reader.line_num)
                cells.append(fields)
    except (csv.Error, UnicodeError) as error:
        at = lines[-1] + 1 if lines else 2
        if isinstance(error, UnicodeError):  # text is decoded in blocks, ahead of the row
            at = _not_text(path) or at
        why = error if isinstance(error, csv.Error) else "it is not plain text in UTF-8"
        message = f"{path.name} cannot be read as a csv: line {at}: {why}"
        raise DataError(message, help="save it again as a csv in UTF-8") from error
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(f"{path.name} has the column {doubled[0]!r} twice", details=["line 1: " + ", ".join(names)])
    columns = {name: [row[i] for row in cells] for i, name in enumerate(names)}
    return Table(path.stem, path.name, path.resolve().parent, columns, lambda at: f"line {lines[at]}", bad)


def _not_text(path: Path) -> int | None:
    """Number of the first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                raw.decode("utf-8")
            except UnicodeError:
                return number
    return None


def _parquet(path: Path) -> Table:
    import pandas

    try:
        frame = pandas.read_parquet(path, engine="pyarrow")
        return table_of(frame, path.stem, path.name, path.resolve().parent)
    except ImportError as error:
        raise MissingPackage("parquet files need pyarrow", help='pip install "fertune[parquet]"') from error
    # arrow has its own errors for a damaged file, and some come only when its text is decoded
    except Exception as error:
        if isinstance(error, (PermissionError, DataError)):
            raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name} is not a parquet file, or is damaged: {why}") from error


def table_of(frame: Any, name: str, called: str, root: Path) -> Table:
    """The cells of a DataFrame; its rows are numbered from 0.

    Raises:
        DataError: Two columns of one name.
    """
    names = [str(column).strip() for column in frame.columns]
    doubled = sorted({word for word in names if names.count(word) > 1})
    if doubled:
        raise DataError(f"{called} has the column {doubled[0]!r} twice", details=["columns: " + ", ".join(names)])
    columns = {str(column).strip(): frame[column].tolist() for column in frame.columns}
    return Table(name, called, root, columns, lambda at: f"row {at}")


def list_table(table: Table, options: ReadOptions) -> Listing:
    """Find the columns, look at every row, and whether its file is there.

    Raises:
        DataError: Columns that are missing.
    """
    names = list(table.columns)
    wanted = {"--path-column": options.path_column or PATH, "--label-column": options.label_column or LABEL}
    if options.group_column:
        wanted["--group-column"] = options.group_column
    absent = [(option, name) for option, name in wanted.items() if name not in names]
    if absent:
        raise DataError(
            f"{table.called} has no column {' and no column '.join(repr(name) for _, name in absent)}",
            details=[f"the columns are {', '.join(names[:20]) or 'none'}"]
            + [f"{name!r} is missing{hint}" for _, name in absent if (hint := did_you_mean(name, names))],
            help=HELP if len(names) > 1 else f"{HELP}; columns are divided by commas",
        )
    paths, labels = table.columns[wanted["--path-column"]], table.columns[wanted["--label-column"]]
    count = len(paths)
    rows = Rows(
        [table.place(at) for at in range(count)], labels, bad=dict(table.bad), label_word=wanted["--label-column"],
        groups=table.columns[options.group_column] if options.group_column else None,
        group_word=options.group_column or "group",
    )  # fmt: skip
    files = [_file(table, rows, at, value, wanted["--path-column"]) for at, value in enumerate(paths)]
    column = next((name for name in names if name.lower() in (SPLIT, "usage")), None)
    if column is not None and column not in wanted.values():
        rows.splits = _splits(rows, column, table.columns[column])
    rows.pictures = files
    return Listing(table, files, rows)


def _file(table: Table, rows: Rows, at: int, value: Any, column: str) -> str:
    """Relative path of a row's picture; an empty string where the row is bad, which is noted."""
    if at in rows.bad:
        return ""
    if missing(value) or not isinstance(value, (str, os.PathLike)):
        rows.bad[at] = f"{rows.places[at]}, {column}: {'empty' if missing(value) else f'{value!r} is not a path'}"
        return ""
    text = str(value).strip()
    path = table.root / text
    reason = not_readable(path) if "\0" not in text else "a NUL byte in the path"
    if not reason and path.is_dir():
        reason = "a folder, not a picture"
    elif not reason and not path.is_file():
        reason = "neither a file nor a folder"
    if reason:
        hint = ""
        if reason == "no such file" and len(rows.bad) < NEAR and path.parent.is_dir():
            hint = did_you_mean(path.name, sorted(os.listdir(path.parent)))
        rows.bad[at] = f"{rows.places[at]}, {column}: {text!r}: {reason}{hint}"
        return ""
    return Path(os.path.relpath(path, table.root)).as_posix()


def _splits(rows: Rows, column: str, values: Sequence[Any]) -> list[int]:
    words = ["" if missing(value) else str(value).strip().lower() for value in values]
    private = any(w == "privatetest" and not missing(label) for w, label in zip(words, rows.labels, strict=True))
    splits = []
    for at, word in enumerate(words):
        split = split_of(word) if word not in USAGE else TEST if not private else USAGE[word]
        if split is None and at not in rows.bad:
            shown = "empty" if not word else f"{str(values[at]).strip()!r} is no split"
            hint = did_you_mean(word, SPLIT_WORDS)
            rows.bad[at] = f"{rows.places[at]}, {column}: {shown}; {LEGAL_SPLITS}{hint}"
        splits.append(TRAIN if split is None else split)
    return splits


def parse_table(listing: Listing, options: ReadOptions, progress: Progress = unseen) -> Parsed:
    """Open the pictures.

    Raises:
        DataError: Bad rows, or pictures that cannot be read.
    """
    table = listing.table
    return parse_rows(
        listing.rows, lambda at: decode(table.root / listing.files[at]), name=table.name, called=table.called,
        help=MEND, options=options, progress=progress,
    )  # fmt: skip
