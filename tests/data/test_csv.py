"""Kaggle's csv: what is read from it, what may be left out, and how fast."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.data import open_dataset
from fertune.data.sources.csv import CLASSES, _quickly, _Reading, _slowly, read_csv
from fertune.errors import DataError

from .conftest import WriteCsv, csv_fault, picture, rows, text


def test_rows_come_back_as_they_were_written(write_csv: WriteCsv) -> None:
    parsed = read_csv(write_csv(rows(20, 5)))
    assert parsed.images.shape == (25, 6, 6, 1) and parsed.images.dtype == np.uint8
    assert all(np.array_equal(parsed.images[i, ..., 0], picture(i)) for i in range(25))
    assert parsed.labels.tolist() == [i % 7 for i in range(25)]
    assert parsed.row_ids.tolist() == list(range(25))
    assert parsed.class_names == CLASSES and parsed.name == "fer2013"


def test_columns_may_stand_in_any_order_with_spaces_round_their_names(write_csv: WriteCsv) -> None:
    plain = read_csv(write_csv(rows(10)))
    other = read_csv(write_csv(rows(10), header="emotion, Usage, pixels", name="icml.csv"))
    assert np.array_equal(plain.images, other.images) and np.array_equal(plain.split, other.split)


def test_windows_lines_a_byte_order_mark_quotes_and_no_last_newline_are_all_fine(write_csv: WriteCsv) -> None:
    path = write_csv(rows(10))
    plain = read_csv(path)
    lines = path.read_text().splitlines()
    quoted = ['{},"{}",{}'.format(*line.split(",")) for line in lines[1:]]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([lines[0], *quoted]).encode())
    assert np.array_equal(read_csv(path).images, plain.images)


def test_public_rows_are_validation_where_private_ones_have_labels(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(40, 8, 9)))
    assert {k: sum(v) for k, v in dataset.counts().items()} == {
        "train": 40,
        "validation": 8,
        "test": 9,
        "unlabelled": 0,
    }
    assert dataset.positions("validation").tolist() == list(range(40, 48))
    assert not any("no validation rows" in note for note in dataset.notes)


def test_public_rows_are_test_where_private_ones_have_none(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(70, 8, 9, labels=False)))
    assert dataset.positions("test").tolist() == list(range(70, 78))
    assert dataset.positions("unlabelled").tolist() == list(range(78, 87))
    assert set(dataset.labels[78:]) == {-1}
    assert len(dataset.positions("validation")) == 7 and len(dataset.positions("train")) == 63
    assert any("9 PrivateTest rows have no labels; PublicTest is test" in note for note in dataset.notes)
    assert any("7 of 70 training rows are used" in note for note in dataset.notes)


def test_public_rows_are_test_where_there_are_no_private_ones(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(70, 8)))
    assert dataset.positions("test").tolist() == list(range(70, 78))


def test_some_private_rows_without_a_label_are_unlabelled(write_csv: WriteCsv) -> None:
    data = rows(40, 8, 4)
    data[-1] = ("", *data[-1][1:])
    dataset = open_dataset(write_csv(data))
    assert [len(dataset.positions(s)) for s in ("validation", "test", "unlabelled")] == [8, 3, 1]
    assert "1 of 4 PrivateTest rows have no label" in dataset.notes


def test_training_alone_is_enough_and_leaves_no_test(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(40, 0)))
    assert len(dataset.positions("test")) == 0 and len(dataset.positions("validation")) == 7  # one a class


def test_a_class_without_rows_is_refused_or_noted(write_csv: WriteCsv) -> None:
    data = [row for row in rows(70, 7) if row[0] != 1]
    with pytest.raises(DataError, match="cannot be learned") as error:
        open_dataset(write_csv(data))
    assert error.value.details == ("class 'disgust' has no rows",)
    dataset = open_dataset(write_csv(data), options={"skip_bad_rows": True})
    assert dataset.class_names == CLASSES
    assert "class 'disgust' has no rows" in dataset.notes


def test_a_class_only_outside_training_is_a_note(write_csv: WriteCsv) -> None:
    data = [row for row in rows(70, 7) if row[0] != 1 or row[2] == "PublicTest"]
    with pytest.raises(DataError) as error:
        open_dataset(write_csv(data))
    assert error.value.details == ("class 'disgust' has no training rows",)
    assert error.value.details[0] in open_dataset(write_csv(data), options={"skip_bad_rows": True}).notes


@pytest.mark.parametrize("side", [2, 8, 48, 64])
def test_any_square_size_is_read(write_csv: WriteCsv, side: int) -> None:
    assert read_csv(write_csv(rows(3, side=side))).images.shape == (11, side, side, 1)


def test_bad_rows_can_be_left_out_and_are_listed(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(40, 8, 9)
    data[3] = (0, "1 2 3", "Training")
    data[10] = (9, data[10][1], "Trainig")
    path = write_csv(data)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match="3 bad rows; nothing was written"):
        open_dataset(path)
    dataset = open_dataset(path, options={"skip_bad_rows": True})
    assert dataset.row_ids.tolist() == [i for i in range(56) if i not in (3, 10)]
    assert all(np.array_equal(dataset.images[k, ..., 0], picture(int(i))) for k, i in enumerate(dataset.row_ids))
    (note,) = [n for n in dataset.notes if "left out" in n]
    assert note.startswith(
        "3 bad rows were left out of fer2013.csv: line 5, pixels: 3 values where 6 x 6 = 36 are needed"
    )
    assert (
        "line 12, Usage: 'Trainig'" in note and "; line 12, emotion: 9" in note and "in the middle of this line" in note
    )
    again = open_dataset(path, options={"skip_bad_rows": True})
    assert again.folder == dataset.folder and again.notes == dataset.notes
    with pytest.raises(DataError):  # what was cached with the option does not pass without it
        open_dataset(path)


def test_at_most_twenty_of_the_rows_left_out_are_listed(write_csv: WriteCsv) -> None:
    data: list[Any] = [*rows(40, 8, 9), *((9, text(picture(i)), "Training") for i in range(33))]
    (note,) = [n for n in read_csv(write_csv(data), skip_bad_rows=True).notes if "left out" in n]
    assert note.startswith("33 bad rows were left out") and note.count("9 is not a class") == 20
    assert note.endswith("; and 13 more")


def test_a_wrong_first_row_does_not_decide_the_size(write_csv: WriteCsv) -> None:
    data: list[Any] = rows(40, 8, 9)
    data[0] = (0, "1 2 3 4", "Training")
    path = write_csv(data)
    assert csv_fault(path).details == ("line 2, pixels: 4 values where 6 x 6 = 36 are needed",)
    assert len(read_csv(path, skip_bad_rows=True).labels) == 56


@pytest.mark.parametrize(
    ("good", "says"),
    [
        ([], "fer2013.csv has no row with a label left"),
        ([(1, text(picture(1)), "PublicTest")], "fer2013.csv has no training rows left"),
        ([(1, text(picture(1)), "Training")], "fer2013.csv has only 'disgust' among its training rows left"),
    ],
)
def test_leaving_out_too_much_is_an_error(write_csv: WriteCsv, good: list[Any], says: str) -> None:
    path = write_csv([*good, (9, text(picture(0)), "Training")])
    with pytest.raises(DataError) as caught:
        read_csv(path, skip_bad_rows=True)
    assert caught.value.message.startswith(says) and "9 is not a class" in caught.value.details[0]


def test_a_file_of_nothing_but_faults_is_not_read_to_its_end(
    write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fertune.data.sources.csv.MOST_FAULTS", 50)
    path = write_csv([(9, "1", "x")] * 1000)
    for skip in (False, True):
        with pytest.raises(DataError) as caught:
            read_csv(path, skip_bad_rows=skip)
        assert caught.value.message == "fer2013.csv has more than 50 faults; nothing was written"
        assert len(caught.value.details) < 60


def test_a_line_beyond_all_measure_is_refused(write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.data.sources.csv.LONGEST", 3 << 20)
    path = write_csv(rows(9, 0))
    with path.open("ab") as file:
        file.write(b"0 " * (2 << 20))
    assert csv_fault(path).message == "fer2013.csv, line 11 is longer than 3 MB: this is no csv of pictures"


@given(
    st.lists(
        st.sampled_from(["0", "7", "007", "255", "256", "999", "1000", "-1", "", "a", "\t", '"']),
        min_size=3,
        max_size=5,
    )
)
def test_the_quick_way_and_the_slow_way_agree(words: list[str]) -> None:
    line = " ".join(words).encode().strip()
    quick = _quickly(line, 4)
    reading = _Reading(4)
    slow = _slowly(reading, line.split(), 1)
    if quick is not None:
        assert quick == slow and not reading.faults
    elif not reading.faults:  # unusual, and legal
        assert len(slow) == 4


REAL = os.environ.get("FERTUNE_FER2013", "")


READ = """
import json, resource, sys, time
from fertune.data import audit, open_dataset
begun = time.process_time()
dataset = open_dataset(sys.argv[1])
took = time.process_time() - begun
again = open_dataset(sys.argv[1])
found = audit(again)
print(json.dumps({
    "took": took, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "same": again.fingerprint == dataset.fingerprint, "shape": dataset.image_shape,
    "rows": {split: sum(per_class) for split, per_class in dataset.counts().items()},
    "copies": found.known_extra, "leaks": found.validation_in_train, "test": found.test_in_known, "flat": found.flat,
}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="FERTUNE_FER2013 names no csv of the real faces")
def test_the_real_file_is_read_in_time_and_its_twins_are_counted() -> None:
    done = subprocess.run([sys.executable, "-c", READ, REAL], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["took"] < 20 and told["megabytes"] < 1500, told
    assert told["same"] and told["shape"] == [48, 48, 1]
    assert told["rows"]["train"] + told["rows"]["validation"] == 28_709 and told["rows"]["test"] == 3_589
    assert abs(told["rows"]["validation"] - 2_871) <= 3
    assert told["copies"] == 1_237 and told["leaks"] == 0 and told["flat"] == 12
    assert told["test"] == 280  # 7.8 % of PublicTest


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="FERTUNE_FER2013 names no csv of the real faces")
def test_the_real_file_is_found_again_in_under_a_second() -> None:
    open_dataset(REAL)
    times = []
    for _ in range(3):
        begun = time.process_time()  # of one thread; what else the machine does is not counted
        open_dataset(REAL)
        times.append(time.process_time() - begun)
    assert min(times) < 1.0
