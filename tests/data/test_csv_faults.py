"""Kaggle's csv: what is said of a bad one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fertune.cli import main
from fertune.data import open_dataset
from fertune.data.sources.csv import read_csv
from fertune.errors import DataError

from .conftest import WriteCsv, csv_fault, picture, rows, text


def test_all_bad_rows_are_listed_by_their_line(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(30, side=48)
    words = data[4][1].split()
    data[15] = (data[15][0], " ".join(data[15][1].split()[:-1]), "Training")
    data[4] = (data[4][0], " ".join([*words[:117], "abc", *words[118:]]), "Training")
    data[20] = (7, data[20][1], "Training")
    error = csv_fault(write_csv(data))
    assert error.message == "fer2013.csv has 3 bad rows; nothing was written"
    assert error.details == (
        "line 6, pixels, value 118: 'abc' is not a whole number from 0 to 255",
        "line 17, pixels: 2,303 values where 48 x 48 = 2,304 are needed",
        "line 22, emotion: 7 is not a class; classes are 0 to 6",
    )
    assert error.help == "mend these lines, or leave them out with --skip-bad-rows"
    assert error.exit_code == 2


@pytest.mark.parametrize("word", ["256", "-1", "1.0", "1e2", "abc", "nan", "٣", "1_0", "+7", "0x1"])
def test_what_is_no_whole_number_from_0_to_255_is_refused(write_csv: WriteCsv, word: str) -> None:
    data: list[Any] = rows(5)
    data[2] = (0, " ".join(["0", word, *["5"] * 34]), "Training")
    assert csv_fault(write_csv(data)).details == (
        f"line 4, pixels, value 2: {word!r} is not a whole number from 0 to 255",
    )


def test_leading_zeros_are_whole_numbers(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(5)
    data[2] = (0, " ".join(["007"] * 36), "Training")
    assert set(read_csv(write_csv(data)).images[2].ravel().tolist()) == {7}


def test_one_line_a_row_even_with_many_bad_values(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(5)
    data[2] = (0, " ".join(["300"] * 36), "Training")
    assert csv_fault(write_csv(data)).details == (
        "line 4, pixels, value 1: '300' is not a whole number from 0 to 255 (and 35 more in this row)",
    )


def test_all_faults_of_one_row_are_told_and_it_counts_once(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(5)
    data[2] = ("happy", "1 2 3", "Trainig")
    error = csv_fault(write_csv(data))
    assert error.message.startswith("fer2013.csv has 1 bad row;")
    assert error.details == (
        "line 4, Usage: 'Trainig' is not one of Training, PublicTest, PrivateTest; did you mean 'Training'?",
        "line 4, emotion: 'happy' is not a class; classes are 0 to 6",
        "line 4, pixels: 3 values where 6 x 6 = 36 are needed",
    )


@pytest.mark.parametrize("usage", ["Training", "PublicTest"])
def test_only_private_rows_may_lack_a_label(write_csv: WriteCsv, usage: str) -> None:
    data: list[Any] = [*rows(5), ("", text(picture(1)), usage)]
    assert csv_fault(write_csv(data)).details == ("line 15, emotion: empty; only PrivateTest rows may lack a label",)


@pytest.mark.parametrize("label", ["-1", "7", "99"])
def test_a_label_outside_the_seven_is_refused_for_private_rows_too(write_csv: WriteCsv, label: str) -> None:
    data: list[Any] = [*rows(5, 1), (label, text(picture(1)), "PrivateTest")]
    assert csv_fault(write_csv(data)).details == (f"line 8, emotion: {label} is not a class; classes are 0 to 6",)


def test_sizes_that_differ_are_counted_against_the_first_row(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(4, 0)
    data[3] = (0, text(picture(3, side=5)), "Training")
    assert csv_fault(write_csv(data)).details == ("line 5, pixels: 25 values where 6 x 6 = 36 are needed",)


def test_a_file_cut_off_in_its_last_line_says_so(write_csv: WriteCsv) -> None:
    path = write_csv(rows(5))
    path.write_bytes(path.read_bytes()[:-40])
    error = csv_fault(path)
    assert error.message == "fer2013.csv has 1 bad row; nothing was written"
    assert error.details == ("line 14: 2 fields where the header has 3; the file ends in the middle of this line",)


def test_an_empty_line_is_a_fault_inside_and_none_at_the_end(write_csv: WriteCsv) -> None:
    path = write_csv(rows(5))
    whole = path.read_text()
    path.write_text(whole + "\n  \n\n")
    assert len(read_csv(path).labels) == 13
    path.write_text(whole + "\n" + whole.splitlines()[-1] + "\n")
    assert csv_fault(path).details == ("line 15: an empty line in the middle of the file",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "fer2013.csv is empty"),
        (b"\n\n", "fer2013.csv has no header; line 1 is empty"),
        (b"emotion,pixels,Usage\n", "fer2013.csv has a header and no rows"),
        (b"emotion,pixels,Usage", "fer2013.csv has a header and no rows"),
        (b"PK\x03\x04abc\n", "fer2013.csv is damaged and cannot be unpacked: File is not a zip file"),
        ("emotion,pixels,Usage\n".encode("utf-16"), "fer2013.csv is not text in UTF-8; line 1 looks like UTF-16"),
        ("emotion,pixels,Usage\n".encode("utf-16-be"), "fer2013.csv is not text in UTF-8; line 1 looks like UTF-16"),
        ("émotion,pixels,Usage\n".encode("latin-1"), "fer2013.csv is not text in UTF-8"),
        (b"emotion,pixels,Usage,pixels\n", "fer2013.csv has the column 'pixels' twice"),
    ],
)
def test_a_file_that_is_no_fer_csv_gets_one_clear_message(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    assert csv_fault(path).message.startswith(message)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixel,set\n0,1 2 3 4,Training\n")
    error = csv_fault(path)
    assert error.message == "fer2013.csv has no column 'pixels' and no column 'Usage'"
    assert error.details == (
        "line 1: the columns are emotion, pixel, set",
        "'pixels' is missing; did you mean 'pixel'?",
    )
    assert error.help and error.help.startswith("the columns of a FER csv are emotion,pixels,Usage, in any order")


def test_a_file_without_training_rows_is_refused(write_csv: WriteCsv) -> None:
    with pytest.raises(DataError, match="fer2013.csv has no training rows; rows of two classes or more are needed"):
        open_dataset(write_csv(rows(0, 9)))


def test_one_class_only_is_refused(write_csv: WriteCsv) -> None:
    error = csv_fault(write_csv([(3, text(picture(i)), "Training") for i in range(9)]))
    assert error.message.startswith("fer2013.csv has only 'happy' among its training rows; rows of two classes")


def test_many_faults_are_cut_to_twenty_in_the_text(write_csv: WriteCsv) -> None:
    error = csv_fault(write_csv([(9, text(picture(i)), "Training") for i in range(30)]))
    assert len(error.details) == 30
    assert str(error).splitlines()[0] == "fer2013.csv has 30 bad rows; nothing was written"
    assert "and 10 more" in str(error)


def test_nothing_is_cached_of_a_bad_file(write_csv: WriteCsv, cache: Path) -> None:
    with pytest.raises(DataError):
        open_dataset(write_csv([*rows(5), (8, text(picture(1)), "Training")]))
    assert [entry.name for entry in cache.iterdir() if entry.is_dir()] == ["index"]


def header(lines: list[str]) -> None:
    lines[0] = "emotion,pixel,Usage"


def pixels(count: int, word: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        label, words, usage = lines[4].split(",")
        parts = words.split()[:count]
        parts[117:118] = [word] if word else parts[117:118]
        lines[4] = ",".join([label, " ".join(parts), usage])

    return change


def other(line: int, column: int, value: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        fields = lines[line].split(",")
        fields[column] = value
        lines[line] = ",".join(fields)

    return change


def cut(lines: list[str]) -> None:
    lines[-1] = lines[-1][: len(lines[-1]) // 2]


BAD: list[tuple[str, Callable[[list[str]], Any], str]] = [
    ("missing column", header, "'pixels' is missing; did you mean 'pixel'?"),
    ("2303", pixels(2303, ""), "line 5, pixels: 2,303 values where 48 x 48 = 2,304 are needed"),
    ("256", pixels(2304, "256"), "line 5, pixels, value 118: '256' is not a whole number from 0 to 255"),
    ("-1", pixels(2304, "-1"), "line 5, pixels, value 118: '-1' is not a whole number from 0 to 255"),
    ("abc", pixels(2304, "abc"), "line 5, pixels, value 118: 'abc' is not a whole number from 0 to 255"),
    ("label", other(6, 0, "7"), "line 7, emotion: 7 is not a class; classes are 0 to 6"),
    ("usage", other(7, 2, "Trainig"), "line 8, Usage: 'Trainig' is not one of Training, PublicTest, PrivateTest"),
    ("cut", cut, "line 18: 2 fields where the header has 3; the file ends in the middle of this line"),
    ("empty", lambda lines: lines.clear(), "fer2013.csv is empty"),
    ("header", lambda lines: lines.__delitem__(slice(1, None)), "fer2013.csv has a header and no rows"),
    ("latin-1", other(0, 0, "\xe9motion"), "line 1, byte 1: 0xe9 is none"),
]


@pytest.mark.parametrize(("change", "says"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_file_ends_the_command_with_its_line_and_writes_nothing(
    write_csv: WriteCsv,
    tmp_path: Path,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[list[str]], Any],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_csv(rows(9, 8, side=48))
    lines = path.read_text().splitlines()
    change(lines)
    path.write_bytes("\n".join(lines).encode("latin-1"))
    assert main(["search", "--data", str(path), "--trials", "1", "--out", "runs/x"]) == 2
    out, err = capsys.readouterr()
    assert says in err and err.startswith("error: ") and "\nhelp: " in err and "Traceback" not in out + err
    assert not (tmp_path / "runs").exists()
    left = [e for e in cache.iterdir() if e.name != "index" and not e.name.endswith(".lock")] if cache.exists() else []
    assert left == []


def test_bytes_that_are_not_utf_8_are_named_in_their_line(write_csv: WriteCsv) -> None:
    path = write_csv(rows(9))
    lines = path.read_bytes().split(b"\n")
    lines[4] += b"\xe9"
    lines[6] = b"\xff" + lines[6]
    path.write_bytes(b"\n".join(lines))
    assert csv_fault(path).details == (
        "line 5, Usage: byte 0xe9 is not text in UTF-8",
        "line 7, emotion: byte 0xff is not text in UTF-8",
    )
