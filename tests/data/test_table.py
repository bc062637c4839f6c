"""Tables of paths and labels: columns, splits, groups, and every row that is wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from PIL import Image

from fertune.data import ImageDataset, audit, open_dataset
from fertune.data.groups import join_groups
from fertune.errors import DataError, MissingPackage

from .conftest import picture

CLASSES = ("happy", "sad")


def table(folder: Path, rows: Sequence[Sequence[object]], header: str = "path,label", name: str = "faces.csv") -> Path:
    folder.mkdir(exist_ok=True)
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def pictures(folder: Path, count: int = 40, same: int = 0) -> list[str]:
    """Names of small pictures; the last ``same`` of them are copies of the first ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(picture(i if i < count - same else i - (count - same))).save(folder / f"{i:02}.png")
    return [f"{i:02}.png" for i in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures(tmp_path / "in" / "img")
    return tmp_path / "in"


def rows(**_: object) -> list[list[Any]]:
    return [[f"img/{i:02}.png", CLASSES[i % 2]] for i in range(40)]


def fault(path: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        open_dataset(path, options=options)
    return caught.value


def test_a_table_without_splits_is_dealt_to_them(folder: Path) -> None:
    dataset = open_dataset(table(folder, rows()))
    assert dataset.class_names == CLASSES and dataset.name == "faces" and dataset.image_shape == (6, 6, 1)
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [28, 6, 6]
    assert np.array_equal(dataset.images[7, ..., 0], picture(7)) and dataset.labels[:3].tolist() == [0, 1, 0]
    assert any(note.startswith("no splits were given: 28 train, 6 validation, 6 test") for note in dataset.notes)
    assert not dataset.grouped and dataset.twins is dataset.groups


def test_a_table_is_read_from_anywhere_and_found_in_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(folder, rows())
    first = open_dataset(path)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert open_dataset(Path("in") / "faces.csv", say=said.append).folder == first.folder
    assert said == ["opened 40 rows of faces from the cache"]
    Image.fromarray(picture(99)).save(folder / "img" / "03.png")
    assert open_dataset(path).fingerprint != first.fingerprint


def test_absolute_paths_and_paths_above_the_table(folder: Path, tmp_path: Path) -> None:
    pictures(tmp_path / "other", 2)
    data = [[str(tmp_path / "other" / "00.png"), "sad"], ["../other/01.png", "happy"], *rows()]
    assert len(open_dataset(table(folder, data))) == 42


def test_columns_are_named_by_options_and_others_do_not_matter(folder: Path) -> None:
    data = [[i, *row, "x"] for i, row in enumerate(rows())]
    path = table(folder, data, header="id, file ,emotion,note")
    assert fault(path, path_column="file").message == "faces.csv has no column 'label'"
    dataset = open_dataset(path, options={"path_column": "file", "label_column": "emotion"})
    assert len(dataset) == 40 and dataset.options == {"path_column": "file", "label_column": "emotion"}


@pytest.mark.parametrize(
    ("header", "options", "message", "detail"),
    [
        ("pth,label", {}, "faces.csv has no column 'path'", "'path' is missing; did you mean 'pth'?"),
        ("a,b", {}, "faces.csv has no column 'path' and no column 'label'", "the columns are a, b"),
        ("path,label", {"label_column": "emotion"}, "faces.csv has no column 'emotion'", "the columns are path, label"),
        ("path,label", {"group_column": "person"}, "faces.csv has no column 'person'", "the columns are path, label"),
        ("path;label", {}, "faces.csv has no column 'path' and no column 'label'", "the columns are path;label"),
    ],
)
def test_missing_columns_are_named(
    folder: Path, header: str, options: dict[str, str], message: str, detail: str
) -> None:
    error = fault(table(folder, rows(), header=header), **options)
    assert error.message == message and detail in error.details
    assert error.help and "--path-column" in error.help


def test_splits_are_taken_from_their_column(folder: Path) -> None:
    words = ["train"] * 20 + ["Training"] * 4 + ["val", "valid", "validation", " Validation "] + ["test", "TEST"] * 6
    data = [[*row, word] for row, word in zip(rows(), words, strict=True)]
    dataset = open_dataset(table(folder, data, header="path,label,split"))
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [24, 4, 12]


@pytest.mark.parametrize("labelled", [True, False])
def test_the_words_of_kaggle_are_splits_as_in_its_csv(folder: Path, labelled: bool) -> None:
    words = ["Training"] * 20 + ["PublicTest"] * 10 + ["PrivateTest"] * 10
    data = [
        [name, label if labelled or word != "PrivateTest" else "", word]
        for (name, label), word in zip(rows(), words, strict=True)
    ]
    dataset = open_dataset(table(folder, data, header="path,label,Usage"))
    sizes = [len(dataset.positions(s)) for s in ("train", "validation", "test", "unlabelled")]
    assert sizes == ([20, 10, 10, 0] if labelled else [18, 2, 10, 10])


def test_every_bad_row_is_named_by_its_line_and_value(folder: Path) -> None:
    data: list[list[object]] = [[*row, "train"] for row in rows()]
    data[1][0] = "img/01.pgn"
    data[2][0] = ""
    data[4][1] = " "
    data[6][2] = "trian"
    data[8] = ["img/08.png", "sad"]
    data[10][0] = "img"
    data[12][2] = ""
    error = fault(table(folder, data, header="path,label,split"))
    assert error.message == "faces.csv has 7 bad rows"
    assert error.details == (
        "line 3, path: 'img/01.pgn': no such file; did you mean '01.png'?",
        "line 4, path: empty",
        "line 6, label: empty; only test rows may lack a label",
        "line 8, split: 'trian' is no split; train, validation (or val) and test are legal; did you mean 'train'?",
        "line 10: 2 fields where the header has 3",
        "line 12, path: 'img': a folder, not a picture",
        "line 14, split: empty; train, validation (or val) and test are legal",
    )
    assert error.help and "--skip-bad-rows" in error.help
    dataset = open_dataset(folder / "faces.csv", options={"skip_bad_rows": True})
    assert len(dataset) == 33 and dataset.row_ids.tolist()[:4] == [0, 3, 5, 7]
    assert any(note.startswith("7 bad rows or pictures were left out: line 3, path: 'img/01") for note in dataset.notes)


def test_pictures_that_cannot_be_read_are_named_by_their_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "img" / "05.png").write_text("no picture")
    error = fault(table(folder, rows()))
    assert error.details == ("line 7, img/05.png: not a picture",)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: not str(p).endswith("06.png") and allowed(p, mode))
    assert fault(folder / "faces.csv").details == ("line 8, path: 'img/06.png': permission denied",)
    assert len(open_dataset(folder / "faces.csv", options={"skip_bad_rows": True})) == 38


def test_a_class_whose_pictures_are_all_gone_is_noted(folder: Path) -> None:
    path = table(folder, [*rows(), ["img/gone.png", "fear"], ["img/00.png"]])
    dataset = open_dataset(path, options={"skip_bad_rows": True})
    assert dataset.class_names == ("fear", *CLASSES) and "class 'fear' has no rows" in dataset.notes


def test_numbers_are_classes_in_their_order(folder: Path) -> None:
    data = [[name, 10 if i % 2 else 9] for i, (name, _) in enumerate(rows())]
    assert open_dataset(table(folder, data)).class_names == ("9", "10")


def test_one_class_no_rows_and_no_text_are_refused(folder: Path) -> None:
    one = [[name, "sad"] for name, _ in rows()]
    assert fault(table(folder, one)).details == ("all labels are 'sad'; two classes or more are needed",)
    assert fault(table(folder, [])).message == "faces.csv has no row that can be used"
    (folder / "faces.csv").write_bytes(b"path,label\nimg/00.png,s\xe9\n")
    assert fault(folder / "faces.csv").message.endswith("line 2: it is not plain text in UTF-8")
    assert fault(table(folder, rows(), header="path,label,path")).message == "faces.csv has the column 'path' twice"


def test_mixed_sizes_want_an_image_size(folder: Path) -> None:
    Image.fromarray(picture(1, 9)).save(folder / "img" / "05.png")
    error = fault(table(folder, rows()))
    assert "9 x 9 pixels where most are 6 x 6" in error.details[0] and "--image-size 6" in str(error.help)
    assert open_dataset(folder / "faces.csv", options={"image_size": 6}).image_shape == (6, 6, 1)


def people(folder: Path, each: int = 4) -> Path:
    data = [[*row, f"person {i // each}"] for i, row in enumerate(rows())]
    return table(folder, data, header="path,label,person")


def test_groups_are_kept_together_and_twins_are_still_counted_alone(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    pictures(folder / "img", 40, same=2)  # 38 is 0 again, 39 is 1 again: persons 9 and 0 are joined
    path = people(folder)
    plain, grouped = open_dataset(path), open_dataset(path, options={"group_column": "person"})
    assert plain.fingerprint != grouped.fingerprint and plain.folder != grouped.folder
    assert grouped.grouped and len(np.unique(grouped.groups)) == 9 and len(np.unique(grouped.twins)) == 38
    assert grouped.groups[0] == grouped.groups[39] and grouped.twins[2] != grouped.twins[3]
    of_split = [set(grouped.groups[grouped.positions(s)].tolist()) for s in ("train", "validation", "test")]
    assert not of_split[0] & of_split[1] and not of_split[0] & of_split[2] and not of_split[1] & of_split[2]
    found = audit(grouped)
    assert found.known_extra + found.test_in_known <= 2
    assert "rows with the same person are kept together: 10 groups" in grouped.notes
    again = open_dataset(path, options={"group_column": "person"})
    assert np.array_equal(again.twins, grouped.twins) and again.verify()


def test_groups_that_the_given_splits_divide_are_said(folder: Path) -> None:
    data = [[*row, i // 4, "test" if i % 4 == 3 and i < 12 else "train"] for i, row in enumerate(rows())]
    path = table(folder, data, header="path,label,person,split")
    notes = open_dataset(path, options={"group_column": "person"}).notes
    assert "3 of these groups stand in more than one of the given splits" in notes


def test_a_row_without_a_group_is_bad(folder: Path) -> None:
    data = [[*row, i // 4 if i != 5 else ""] for i, row in enumerate(rows())]
    error = fault(table(folder, data, header="path,label,person"), group_column="person")
    assert error.details == ("line 7, person: empty; every row needs a group",)


def test_groups_that_add_nothing_leave_the_data_as_they_were(folder: Path) -> None:
    path = people(folder, each=1)
    plain, grouped = open_dataset(path), open_dataset(path, options={"group_column": "person"})
    assert not grouped.grouped and plain.fingerprint == grouped.fingerprint
    assert grouped.folder is not None
    with np.load(grouped.folder / "arrays.npz") as stored:
        assert sorted(stored.files) == ["groups", "labels", "row_ids", "split"]


def test_groups_join_what_twins_join() -> None:
    twins = np.array([0, 1, 2, 1, 3, 4, 4], np.int32)
    given = np.array([7, 7, 5, 5, 9, 8, 9], np.int32)
    assert join_groups(twins, given).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert join_groups(twins, None) is twins
    assert join_groups(twins, np.arange(7, dtype=np.int32)).tolist() == twins.tolist()


def test_a_data_set_of_an_older_cache_has_no_twins_of_its_own(folder: Path) -> None:
    dataset = open_dataset(table(folder, rows()))
    assert dataset.folder is not None
    opened = ImageDataset.open(dataset.folder, dataset.fingerprint)
    assert np.array_equal(opened.twins, opened.groups) and opened.twins.dtype == np.int32


def test_a_parquet_table_is_the_same_as_a_csv(folder: Path) -> None:
    pytest.importorskip("pyarrow")
    by_csv = open_dataset(people(folder), options={"group_column": "person"})
    pandas.read_csv(folder / "faces.csv").to_parquet(folder / "faces.parquet")
    dataset = open_dataset(folder / "faces.parquet", options={"group_column": "person"})
    assert dataset.fingerprint == by_csv.fingerprint
    frame = pandas.DataFrame({"path": [row[0] for row in rows()], "label": [None, *[1.0, 2.0] * 19, 1.0]})
    frame.to_parquet(folder / "gap.parquet")
    assert fault(folder / "gap.parquet").details == ("row 0, label: empty; only test rows may lack a label",)
    (folder / "cut.parquet").write_bytes((folder / "faces.parquet").read_bytes()[:-30])
    assert fault(folder / "cut.parquet").message.startswith("cut.parquet is not a parquet file, or is damaged")


def test_a_parquet_table_with_damaged_text_is_a_message(folder: Path) -> None:
    pytest.importorskip("pyarrow", reason='pyarrow is missing: pip install "fertune[parquet]"')
    pandas.read_csv(table(folder, rows())).to_parquet(folder / "faces.parquet", compression=None)
    content = (folder / "faces.parquet").read_bytes()
    (folder / "faces.parquet").write_bytes(content.replace(b"img/03.png", b"img/\xb93.png"))
    error = fault(folder / "faces.parquet")
    assert error.message.startswith("faces.parquet is not a parquet file, or is damaged")


def test_a_frame_with_a_column_twice_is_refused() -> None:
    with pytest.raises(DataError, match="the DataFrame has the column 'label' twice"):
        open_dataset(pandas.DataFrame([["a", "b", "c"]], columns=["path", "label", "label"]))


def test_a_line_that_is_not_text_is_found_behind_many_good_ones(folder: Path) -> None:
    lines = [b"path,label", *(b"img/00.png,sad" for _ in range(30)), b"img/00.png,s\xe9", b"img/00.png,sad"]
    (folder / "faces.csv").write_bytes(b"\n".join(lines))
    assert fault(folder / "faces.csv").message.endswith("line 32: it is not plain text in UTF-8")


def test_a_pipe_in_a_table_is_not_opened(folder: Path) -> None:
    (folder / "img" / "03.png").unlink()
    os.mkfifo(folder / "img" / "03.png")
    error = fault(table(folder, rows()))
    assert error.details == ("line 5, path: 'img/03.png': neither a file nor a folder",)


def test_parquet_without_its_package_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pandas, "read_parquet", read)
    (folder / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingPackage) as caught:
        open_dataset(folder / "a.parquet")
    assert caught.value.help == 'pip install "fertune[parquet]"'


def test_the_csv_of_fer_is_still_told_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("emotion,pixel,Usage\n0,1 2 3 4,Training\n")
    assert fault(tmp_path / "a.csv").message == "a.csv has no column 'pixels'"
