"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fertune.data import open_dataset
from fertune.errors import DataError

from .conftest import picture


def save(path: Path, seed: int = 0, side: int = 6, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = picture(seed, side)
    if mode == "RGB":
        Image.fromarray(np.stack([gray, gray.T, 255 - gray], axis=2)).save(path)
    else:
        Image.fromarray(gray).convert(mode).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    for i in range(12):
        save(folder / "train" / ("sad" if i % 2 else "happy") / f"{i:02}.png", i)
    for i in range(4):
        save(folder / "test" / ("sad" if i % 2 else "happy") / f"{i:02}.bmp", 50 + i)
    return folder


def fault(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        open_dataset(root)
    return caught.value


def test_pictures_classes_and_rows(root: Path) -> None:
    save(root / "validation" / "sad" / "a.png", 70)
    dataset = open_dataset(root)
    assert dataset.class_names == ("happy", "sad") and dataset.image_shape == (6, 6, 1) and dataset.name == "faces"
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [12, 1, 4]
    assert dataset.row_ids.tolist() == list(range(17))
    assert np.array_equal(dataset.images[0, ..., 0], picture(0))  # train/happy/00.png
    assert np.array_equal(dataset.images[6, ..., 0], picture(1))  # train/sad/01.png
    assert np.array_equal(dataset.images[12, ..., 0], picture(70))  # validation/sad/a.png
    assert np.array_equal(dataset.images[13, ..., 0], picture(50))  # test/happy/00.bmp


def test_val_is_a_name_of_validation_and_both_are_too_many(root: Path) -> None:
    save(root / "val" / "sad" / "a.png", 70)
    assert len(open_dataset(root).positions("validation")) == 1
    save(root / "validation" / "sad" / "a.png", 71)
    assert fault(root).message == "faces has both val/ and validation/"


def test_without_validation_a_part_of_train_is_used(root: Path) -> None:
    dataset = open_dataset(root)
    assert len(dataset.positions("validation")) == 2 and len(dataset.positions("train")) == 10


def test_one_coloured_picture_makes_all_of_them_colour(root: Path) -> None:
    save(root / "train" / "sad" / "red.png", 80, mode="RGB")
    dataset = open_dataset(root)
    assert dataset.image_shape == (6, 6, 3)
    assert np.array_equal(dataset.images[0], np.repeat(picture(0)[..., None], 3, axis=2))


def test_gray_pictures_stored_as_colour_are_gray(root: Path) -> None:
    for file in root.rglob("*.*"):
        Image.open(file).convert("RGB").save(file)
    assert open_dataset(root).image_shape == (6, 6, 1)


@pytest.mark.parametrize("ending", ["jpg", "JPEG", "webp", "gif", "tiff", "pgm"])
def test_usual_formats_are_read(root: Path, ending: str) -> None:
    save(root / "train" / "sad" / f"x.{ending}", 81)
    assert len(open_dataset(root)) == 17


def test_hidden_files_are_skipped_and_junk_is_named(root: Path) -> None:
    (root / ".DS_Store").write_text("x")
    (root / "train" / "sad" / ".thumbs.png").write_text("x")
    (root / "train" / "sad" / "notes.txt").write_text("x")
    (root / "train" / "list.csv").write_text("x")
    (root / "other").mkdir()
    dataset = open_dataset(root)
    assert len(dataset) == 16
    note = next(note for note in dataset.notes if "left out" in note)
    assert note.startswith("3 files or folders") and "train/sad/notes.txt" in note and ".DS_Store" not in note


def test_transparency_is_left_out_and_said(root: Path) -> None:
    save(root / "train" / "sad" / "x.png", 80, mode="LA")
    assert "1 pictures have transparency, which was left out" in open_dataset(root).notes


def test_unreadable_pictures_are_all_named(root: Path) -> None:
    (root / "train" / "sad" / "x.png").write_text("no picture")
    (root / "train" / "sad" / "y.png").write_bytes((root / "train" / "sad" / "01.png").read_bytes()[:60])
    Image.fromarray(picture(1).astype(np.uint16) * 200).save(root / "train" / "sad" / "z.png")
    error = fault(root)
    assert error.message == "faces has 3 pictures that cannot be used"
    assert error.details[0] == "train/sad/x.png: not a picture"
    assert error.details[1].startswith("train/sad/y.png: ")
    assert error.details[2] == "train/sad/z.png: its pixels have more than 8 bits (mode I;16)"


def test_odd_sizes_are_named(root: Path) -> None:
    save(root / "test" / "sad" / "big.png", 3, side=9)
    error = fault(root)
    assert error.message == "faces has 1 picture that cannot be used"
    assert error.details == ("test/sad/big.png: 9 x 9 pixels where most are 6 x 6",)


def test_a_class_that_train_has_not_is_refused_with_a_hint(root: Path) -> None:
    save(root / "test" / "hapy" / "x.png")
    assert fault(root).details == ("test/hapy: train/ has no class 'hapy'; did you mean 'happy'?",)


def test_a_folder_without_train_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "faces" / "trian" / "sad" / "x.png")
    error = fault(tmp_path / "faces")
    assert error.message == "faces has no folder train/; did you mean 'trian'?"
    assert error.help and "train/<class>/" in error.help


def test_one_class_or_no_pictures_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "one" / "train" / "sad" / "x.png")
    assert "train/ has 1 class folders; two or more are needed" in fault(tmp_path / "one").details
    for name in ("a", "b"):
        (tmp_path / "none" / "train" / name).mkdir(parents=True)
    assert any("train/ has no pictures" in line for line in fault(tmp_path / "none").details)


def test_an_empty_class_is_a_note(root: Path) -> None:
    (root / "train" / "fear").mkdir()
    assert "class 'fear' has no rows" in open_dataset(root).notes


def test_a_changed_picture_is_read_again_and_a_touched_one_is_not(root: Path) -> None:
    before = open_dataset(root)
    (root / "train" / "sad" / "01.png").touch()
    assert open_dataset(root).folder == before.folder
    save(root / "train" / "sad" / "01.png", 99)
    assert open_dataset(root).fingerprint != before.fingerprint
