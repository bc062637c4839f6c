"""npz files and arrays: what is converted, and all that is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.data import ImageDataset, ReadOptions, open_dataset
from fertune.data.sources.npz import read_npz
from fertune.errors import DataError

RNG = np.random.default_rng(5)
X = RNG.integers(0, 256, (40, 5, 7), dtype=np.uint8)
Y = np.arange(40) % 4


def arrays(**other: Any) -> dict[str, Any]:
    given = {"x_train": X, "y_train": Y, **other}
    return {name: value for name, value in given.items() if value is not None}


def fault(**other: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        ImageDataset.from_arrays(**arrays(**other))
    return caught.value


def test_an_npz_file_is_read_with_rows_numbered_over_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(x_val=X[:8], y_val=Y[:8], x_test=X[:6], y_test=Y[:6]))
    dataset = open_dataset(path)
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [40, 8, 6]
    assert dataset.row_ids.tolist() == list(range(54))
    assert dataset.image_shape == (5, 7, 1) and dataset.name == "mine"
    assert dataset.class_names == ("0", "1", "2", "3")
    assert dataset.groups[:8].tolist() == dataset.groups[40:48].tolist() == dataset.groups[48:54].tolist() + [6, 7]


def test_colour_pictures_keep_their_channels() -> None:
    x = RNG.integers(0, 256, (40, 5, 7, 3), dtype=np.uint8)
    dataset = ImageDataset.from_arrays(x, Y)
    assert dataset.image_shape == (5, 7, 3)
    assert np.array_equal(dataset.images, x)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_from_0_to_1_come_back_exactly(dtype: str) -> None:
    dataset = ImageDataset.from_arrays((X / 255).astype(dtype), Y)
    assert np.array_equal(dataset.images[..., 0], X)
    assert "float pictures from 0 to 1 were multiplied by 255" in dataset.notes


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint16", "int16", ">i4"])
def test_whole_numbers_from_0_to_255_come_back_exactly(dtype: str) -> None:
    assert np.array_equal(ImageDataset.from_arrays(X.astype(dtype), Y).images[..., 0], X)


def test_one_rule_of_scale_holds_for_all_parts() -> None:
    dark = np.zeros((4, 5, 7), np.float32)
    dark[0, 0, 0] = 1  # 0 to 1 by itself, but train goes to 255
    dataset = ImageDataset.from_arrays(**arrays(x_train=X.astype(float), x_test=dark, y_test=Y[:4]))
    assert dataset.images[40, 0, 0, 0] == 1


def test_truth_values_are_black_and_white() -> None:
    assert set(ImageDataset.from_arrays(X > 99, Y).images.ravel().tolist()) == {0, 255}


def test_names_are_labels_too_and_class_names_fix_their_order() -> None:
    names = np.array(["cat", "ant", "dog", "bee"])
    sorted_ = ImageDataset.from_arrays(X, names[Y])
    assert sorted_.class_names == ("ant", "bee", "cat", "dog")
    assert sorted_.labels[:4].tolist() == [2, 0, 3, 1]
    fixed = ImageDataset.from_arrays(X, names[Y], class_names=["cat", "ant", "dog", "bee", "eel"])
    assert fixed.labels.tolist() == Y.tolist() and fixed.n_classes == 5
    assert "class 'eel' has no rows" in fixed.notes


def test_numbers_with_gaps_name_their_classes() -> None:
    dataset = ImageDataset.from_arrays(X, Y * 2 + 1)
    assert dataset.class_names == ("1", "3", "5", "7") and dataset.labels.tolist() == Y.tolist()


def test_test_pictures_without_labels_are_unlabelled() -> None:
    dataset = ImageDataset.from_arrays(X, Y, x_test=X[:6])
    assert dataset.positions("unlabelled").tolist() == list(range(40, 46))
    assert set(dataset.labels[40:]) == {-1}


def test_a_column_of_labels_is_taken_as_labels() -> None:
    assert ImageDataset.from_arrays(X, Y[:, None]).labels.tolist() == Y.tolist()


NAN = X.astype(float)
NAN[3, 0, 1] = np.nan


@pytest.mark.parametrize(
    ("other", "detail"),
    [
        ({"x_train": NAN}, "x_train, row 3: nan is not a pixel; floats must all lie in 0 to 1, or all be whole"),
        ({"x_train": NAN / 255}, "x_train, row 3: nan is not a pixel"),
        ({"x_train": X.astype(float) + 0.5}, "is not a pixel; floats must"),
        ({"x_train": X.astype(float) - 256}, "is not a pixel"),
        ({"x_train": X.astype(int) + 1}, "256 is not a pixel; whole numbers from 0 to 255 are legal"),
        ({"x_train": X.astype(str)}, "x_train is an array of <U3; pictures are numbers"),
        ({"x_train": X[0]}, "x_train has shape (5, 7); pictures are (n, height, width)"),
        ({"x_train": X[:, None]}, "7 channels where 1 to 4 are legal; put the channels last"),
        ({"x_train": X[:, :0]}, "its pictures have no pixels"),
        ({"x_test": X[:5, :4], "y_test": Y[:5]}, "x_test has pictures of 4 x 7 x 1, x_train of 5 x 7 x 1"),
        ({"y_train": Y[:-1]}, "x_train has 40 pictures and y_train 39 labels"),
        (
            {"y_train": np.eye(4)[Y]},
            "y_train has shape (40, 4) where one label a picture, (n,), is needed; for one-hot",
        ),
        ({"y_train": Y + 0.5}, "y_train, row 0: 0.5 is not a class; labels are whole numbers or names"),
        ({"y_train": Y - 1}, "y_train, row 0: -1 is not a class; classes are whole numbers from 0"),
        ({"class_names": ["a", "b", "c"]}, "y_train, row 3: 3 is not a class; classes are 0 to 2"),
        ({"class_names": ["a", "b", "c", "a"]}, "class_names has 'a' twice"),
        ({"class_names": [1, 2, 3, 4]}, "it must be one row of text"),
        ({"y_train": np.zeros(40, int)}, "all labels are '0'; two classes or more are needed"),
        ({"x_val": X}, "x_val is there and y_val is not"),
        ({"y_test": Y}, "y_test is there and x_test is not"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "there are no rows"),
        ({"x_val": X, "y_val": np.array(["a"] * 40)}, "some labels are numbers and some are names"),
    ],
)
def test_faulty_arrays_are_refused(other: dict[str, Any], detail: str) -> None:
    error = fault(**other)
    assert error.message == "arrays cannot be used as a data set"
    assert any(detail in line for line in error.details), error.details


def test_a_misspelt_label_gets_a_hint() -> None:
    words = np.array(["happy", "sad"])[Y % 2].tolist()
    words[7] = "hapy"
    assert fault(y_train=words, class_names=["happy", "sad"]).details == (
        "y_train, row 7: 'hapy' is not in class_names; did you mean 'happy'?",
    )


def test_all_faults_come_at_once() -> None:
    error = fault(x_train=NAN, y_train=Y[:-1], x_test=X[:4, :2], y_test=Y[:4] - 1)
    assert len(error.details) >= 3


@pytest.mark.parametrize(
    ("names", "detail"),
    [
        (("x_train",), "y_train is missing"),
        (("images", "labels"), "x_train is missing"),
        (("x_train", "y_train", "x_valid", "y_valid"), "x_valid is no known name; did you mean 'x_val'?"),
    ],
)
def test_names_of_arrays_are_checked(tmp_path: Path, names: tuple[str, ...], detail: str) -> None:
    np.savez(tmp_path / "mine.npz", **{name: X if name[0] in "xi" else Y for name in names})
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "mine.npz")
    assert caught.value.message == "mine.npz cannot be used as a data set"
    assert detail in caught.value.details


def test_other_arrays_are_named_in_a_note(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays(extra=Y))
    assert "the array 'extra' was not read" in open_dataset(tmp_path / "mine.npz").notes


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **arrays(y_train=np.array([{"a": 1}] * 40, dtype=object)))
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "mine.npz")
    assert caught.value.details == ("y_train holds pickled objects, which are not loaded; save plain numbers or text",)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.npz is not an npz file, or is damaged"):
        open_dataset(tmp_path / "mine.npz")


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "mine.npz", "wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match=r"mine\.npz holds a single array"):
        open_dataset(tmp_path / "mine.npz")


def test_a_cut_off_npz_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"mine\.npz is not an npz file, or is damaged"):
        open_dataset(path)


def test_an_image_size_brings_all_parts_to_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(x_test=X[:6, :4], y_test=Y[:6]))
    with pytest.raises(DataError) as caught:
        open_dataset(path)
    assert caught.value.details == ("x_test has pictures of 4 x 7 x 1, x_train of 5 x 7 x 1",)
    assert caught.value.help and "--image-size 7x5" in caught.value.help
    dataset = open_dataset(path, options={"image_size": (5, 7)})
    assert dataset.image_shape == (5, 7, 1) and np.array_equal(dataset.images[:40, ..., 0], X)
    assert "6 pictures were brought from 7 x 4 to 7 x 5 pixels" in dataset.notes
    assert len({dataset.folder, open_dataset(path, options={"image_size": 9}).folder}) == 2


def test_bad_rows_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    x, y = X.astype(float), Y.copy()
    x[3, 0, 1], x[7, 1, 1], x[9, 0, 0], y[20] = np.nan, np.inf, 256, -1
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=y, x_test=X[:6], y_test=Y[:6])
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "mine.npz")
    assert [line.split(";")[0] for line in caught.value.details] == [
        "x_train, row 3: nan is not a pixel",
        "x_train, row 7: inf is not a pixel",
        "x_train, row 9: 256.0 is not a pixel",
        "y_train, row 20: -1 is not a class",
    ]
    dataset = open_dataset(tmp_path / "mine.npz", options={"skip_bad_rows": True})
    assert dataset.row_ids.tolist() == [row for row in range(46) if row not in (3, 7, 9, 20)]
    assert np.array_equal(dataset.images[0, ..., 0], X[0]) and len(dataset) == 42
    assert any(note.startswith("4 bad rows or pictures were left out: x_train, row 3: nan") for note in dataset.notes)


def test_one_bad_value_among_floats_from_0_to_1_is_the_one_that_is_named() -> None:
    x = X / 255
    x[11, 2, 2] = 1.5
    assert [line.split(";")[0] for line in fault(x_train=x).details] == ["x_train, row 11: 1.5 is not a pixel"]


def test_where_no_row_is_left_the_reasons_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x_train=X.astype(int) + 300, y_train=Y)
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "mine.npz", options={"skip_bad_rows": True})
    assert caught.value.details[0] == "no row is left" and len(caught.value.details) == 41


def test_test_rows_with_an_empty_label_are_unlabelled() -> None:
    for blank, labels in ((-1, Y), ("", np.array(list("abcd"))[Y])):
        y = labels[:6].copy()
        y[2] = blank
        dataset = ImageDataset.from_arrays(X, labels, x_test=X[:6], y_test=y)
        assert dataset.positions("unlabelled").tolist() == [42] and dataset.class_names[1] in ("1", "b")
        assert "1 of 6 rows of x_test have no label" in dataset.notes


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", header.getvalue() + bytes(1000))
    with pytest.raises(DataError) as caught:
        open_dataset(path)
    assert caught.value.details[0] == (
        "x_train declares shape (1000000000, 1000, 1000) of uint8, 1,000,000,000,000,000 bytes, and holds 1,000"
    )
    assert "931,322.6 GiB are declared where" in caught.value.details[1]


def test_an_honest_file_that_is_larger_than_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "mine.npz", **arrays(extra=np.zeros(100_000)))
    open_dataset(tmp_path / "mine.npz")  # what is not read does not count
    monkeypatch.setattr("fertune.data.sources.headers.room", lambda: 1000)
    np.savez_compressed(tmp_path / "other.npz", **arrays(x_test=X))
    with pytest.raises(DataError, match=r"other\.npz cannot be used") as caught:
        open_dataset(tmp_path / "other.npz")
    assert caught.value.details == ("it is too large to be read: 0.0 GiB are declared where 0.0 GiB can be held",)


def test_cut_and_altered_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", **arrays())
    whole = (tmp_path / "whole.npz").read_bytes()
    rng = np.random.default_rng(0)
    for i in range(60):
        broken = bytearray(whole[: len(whole) if i % 2 else int(rng.integers(len(whole)))])
        for _ in range(3):
            if broken:
                broken[int(rng.integers(len(broken)))] ^= int(rng.integers(1, 256))
        (tmp_path / "mine.npz").write_bytes(broken)
        try:
            read_npz(tmp_path / "mine.npz", ReadOptions())
        except DataError:
            continue
