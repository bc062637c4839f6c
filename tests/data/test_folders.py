"""Folders of pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fertune.data import open_dataset
from fertune.errors import ConfigError, DataError

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
    assert "1 picture has transparency, which was left out" in open_dataset(root).notes


def test_unreadable_pictures_are_all_named(root: Path) -> None:
    (root / "train" / "sad" / "x.png").write_text("no picture")
    (root / "train" / "sad" / "y.png").write_bytes((root / "train" / "sad" / "01.png").read_bytes()[:60])
    (root / "train" / "sad" / "z.png").touch()
    error = fault(root)
    assert error.message == "faces has 3 pictures that cannot be used"
    assert error.details[0] == "train/sad/x.png: not a picture"
    assert error.details[1].startswith("train/sad/y.png: ")
    assert error.details[2] == "train/sad/z.png: an empty file"
    assert error.help and "--skip-bad-rows" in error.help


def test_odd_sizes_are_named(root: Path) -> None:
    save(root / "test" / "sad" / "big.png", 3, side=9)
    error = fault(root)
    assert error.message == "faces has 1 picture that cannot be used"
    assert error.details == ("test/sad/big.png: 9 x 9 pixels where most are 6 x 6",)
    assert error.help and "--image-size 6" in error.help


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
    assert "train/ has 1 class folder; two or more are needed" in fault(tmp_path / "one").details
    for name in ("a", "b"):
        (tmp_path / "none" / "train" / name).mkdir(parents=True)
    assert any("train/ has no pictures" in line for line in fault(tmp_path / "none").details)


def test_an_empty_class_is_refused_unless_it_is_to_be_skipped(root: Path) -> None:
    (root / "train" / "fear").mkdir()
    error = fault(root)
    assert "a class that cannot be learned" in error.message and error.details == ("class 'fear' has no rows",)
    assert "--skip-bad-rows" in str(error.help)
    assert "class 'fear' has no rows" in open_dataset(root, options={"skip_bad_rows": True}).notes


def test_a_changed_picture_is_read_again_and_a_touched_one_is_not(root: Path) -> None:
    before = open_dataset(root)
    (root / "train" / "sad" / "01.png").touch()
    assert open_dataset(root).folder == before.folder
    save(root / "train" / "sad" / "01.png", 99)
    assert open_dataset(root).fingerprint != before.fingerprint


def test_bad_pictures_are_left_out_where_that_is_asked_for_and_named_in_the_notes(root: Path) -> None:
    for i in range(23):
        (root / "train" / "sad" / f"x{i:02}.png").write_text("no picture")
    dataset = open_dataset(root, options={"skip_bad_rows": True})
    assert len(dataset) == 16
    (note,) = [note for note in dataset.notes if "left out" in note]
    assert note.startswith("23 bad rows or pictures were left out: train/sad/x00.png: not a picture; train/sad/x01.png")
    assert note.endswith("x19.png: not a picture; and 3 more")
    assert dataset.row_ids.tolist() == [*range(12), *range(35, 39)]  # numbers of files, not of what is left
    with pytest.raises(DataError):
        open_dataset(root)


def test_a_class_whose_pictures_are_all_bad_is_noted(root: Path) -> None:
    (root / "train" / "fear").mkdir()
    (root / "train" / "fear" / "x.png").write_text("no picture")
    dataset = open_dataset(root, options={"skip_bad_rows": True})
    assert dataset.class_names == ("fear", "happy", "sad") and "class 'fear' has no rows" in dataset.notes


def test_where_every_picture_is_bad_none_is_left(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "all" / "train" / name).mkdir(parents=True)
        (tmp_path / "all" / "train" / name / "x.png").write_text("no picture")
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "all", options={"skip_bad_rows": True})
    assert caught.value.message == "all has no picture that can be read" and len(caught.value.details) == 2


def test_pictures_that_may_not_be_opened_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: not str(p).endswith("sad/01.png") and allowed(p, mode))
    assert fault(root).details == ("train/sad/01.png: permission denied",)
    dataset = open_dataset(root, options={"skip_bad_rows": True})
    assert len(dataset) == 15
    assert "1 bad row or picture was left out: train/sad/01.png: permission denied" in dataset.notes


def test_a_folder_that_may_not_be_listed_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "sad":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    error = fault(root)
    assert error.message == f"{root / 'train' / 'sad'} cannot be read: Permission denied"


def flat(root: Path, classes: int = 3, each: int = 20) -> Path:
    for c in range(classes):
        for i in range(each):
            save(root / "abc"[c] / f"{i:02}.png", 100 * c + i)
    return root


def test_one_folder_of_classes_is_dealt_to_splits(tmp_path: Path) -> None:
    root = flat(tmp_path / "plain")
    save(root / "a" / "twin.png", 3)
    dataset = open_dataset(root)
    assert dataset.class_names == ("a", "b", "c") and len(dataset) == 61
    counts = dataset.counts()
    assert counts["train"] == [15, 14, 14] and counts["validation"] == counts["test"] == [3, 3, 3]
    note = (
        "no splits were given: 43 train, 9 validation, 9 test rows were dealt (stratified, twins kept together, seed 0)"
    )
    assert note in dataset.notes
    twins = [dataset.positions(s) for s in ("train", "validation", "test")]
    groups = [set(dataset.groups[rows].tolist()) for rows in twins]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert open_dataset(root, seed=5).fingerprint == dataset.fingerprint


def test_one_class_folder_or_pictures_without_classes_are_refused(tmp_path: Path) -> None:
    error = fault(flat(tmp_path / "one", classes=1))
    assert error.details == ("it has 1 class folder, a/; two or more are needed",)
    for i in range(3):
        save(tmp_path / "loose" / f"{i}.png", i)
        save(tmp_path / "deep" / "train" / f"{i}.png", i)
    error = fault(tmp_path / "loose")
    assert error.message == "loose has no class folders"
    assert error.details == ("it holds 0.png, 1.png, 2.png", "3 pictures stand in no class folder")
    details = fault(tmp_path / "deep").details
    assert details[0] == "3 pictures stand in train/ itself; put them in train/<class>/"
    (tmp_path / "empty").mkdir()
    assert fault(tmp_path / "empty").details == ("it holds nothing",)


def test_too_few_distinct_pictures_cannot_be_dealt(tmp_path: Path) -> None:
    save(tmp_path / "two" / "a" / "x.png", 1)
    save(tmp_path / "two" / "b" / "x.png", 1)
    assert fault(tmp_path / "two").message == "two has no splits, and its 2 pictures cannot be divided"


def test_an_image_size_brings_all_pictures_to_it(root: Path) -> None:
    save(root / "test" / "sad" / "big.png", 3, side=9)
    dataset = open_dataset(root, options={"image_size": (4, 5)})
    assert dataset.image_shape == (4, 5, 1) and dataset.options == {"image_size": [4, 5]}
    assert "17 pictures were brought from 6 x 6 and 1 other size to 5 x 4 pixels" in dataset.notes
    same = open_dataset(root, options={"image_size": 9})
    assert np.array_equal(same.images[-1, ..., 0], picture(3, 9))  # test/sad/big.png was of that size
    assert same.folder != dataset.folder


def test_groups_go_with_tables_only(root: Path) -> None:
    with pytest.raises(ConfigError, match="--group-column goes with a table of pictures"):
        open_dataset(root, options={"group_column": "person"})
    said: list[str] = []
    open_dataset(root, options={"label_column": "person"}, say=said.append)
    assert said[0] == "--label-column goes with a table of pictures and was not used"


def test_one_is_said_in_the_singular(root: Path) -> None:
    (root / "train" / "sad" / "notes.txt").write_text("x")
    save(root / "train" / "sad" / "odd.png", 90, side=9)
    notes = open_dataset(root, options={"image_size": 6}).notes
    assert "1 file or folder is no picture of a class and was left out: train/sad/notes.txt" in notes
    assert "1 picture was brought from 9 x 9 to 6 x 6 pixels" in notes
