"""npy files: a pickled dictionary with consent, and never without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.data import ReadOptions, open_dataset
from fertune.errors import DataError

X = np.random.default_rng(8).integers(0, 256, (30, 5, 7), dtype=np.uint8)
NAMES = np.array(["sad", "angry", "happy"])[np.arange(30) % 3]
CONSENT = {"allow_pickle": True}


class Loud:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def notebook(path: Path, **other: Any) -> Path:
    content = {"train": (X[:20], NAMES[:20]), "val": (X[20:25], NAMES[20:25]), "test": (X[25:], NAMES[25:]), **other}
    np.save(path, {key: value for key, value in content.items() if value is not None}, allow_pickle=True)
    return path


def fault(path: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        open_dataset(path, options=options)
    return caught.value


def test_the_dictionary_of_a_notebook_is_read_with_consent(tmp_path: Path) -> None:
    dataset = open_dataset(notebook(tmp_path / "fer.npy"), options=CONSENT)
    assert dataset.class_names == ("angry", "happy", "sad") and dataset.image_shape == (5, 7, 1)
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [20, 5, 5]
    assert np.array_equal(dataset.images[..., 0], X) and dataset.labels[:3].tolist() == [2, 0, 1]
    assert dataset.options == {} and dataset.name == "fer"


def test_without_consent_nothing_is_unpickled(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "fer.npy"
    np.save(path, {"train": Loud(mark)}, allow_pickle=True)
    error = fault(path)
    assert error.message.startswith("fer.npy holds pickled Python objects, and unpickling runs code of whoever wrote")
    assert error.help and "--allow-pickle" in error.help and "allow_pickle" in error.help
    assert not mark.exists()
    fault(path, **CONSENT)
    assert mark.exists()  # so that the test above can fail


def test_what_is_in_the_cache_is_opened_without_unpickling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = notebook(tmp_path / "fer.npy")
    first = open_dataset(path, options=CONSENT)
    with monkeypatch.context() as patched:
        patched.setattr("fertune.data.sources.npy.read_npy", None)
        assert open_dataset(path).folder == first.folder
    assert "unpickling runs code" in fault(path, image_size=9).message
    notebook(path, train=(X[:19], NAMES[:19]))  # other bytes need consent again
    assert "unpickling runs code" in fault(path).message


def test_a_run_never_stands_for_its_users_consent() -> None:
    stored = {"allow_pickle": True, "image_size": [9, 9]}
    assert ReadOptions().over(stored) == ReadOptions(image_size=(9, 9))
    assert ReadOptions(allow_pickle=True).over(stored).allow_pickle
    assert ReadOptions(allow_pickle=True, image_size=(8, 8)).to_json() == {"image_size": [8, 8]}
    assert ReadOptions(image_size=(8, 8)).over(None) == ReadOptions(image_size=(8, 8))


def test_an_array_of_numbers_has_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    error = fault(tmp_path / "x.npy", **CONSENT)
    assert error.message == "x.npy holds one array of uint8, shape (30, 5, 7), and no labels"
    assert error.help and "np.savez" in error.help


def test_other_shapes_of_a_dictionary(tmp_path: Path) -> None:
    parts = {"train": {"images": X[:20], "labels": NAMES[:20]}, "validation": None, "val": None, "test": [X[20:], None]}
    dataset = open_dataset(notebook(tmp_path / "a.npy", **parts), options=CONSENT)
    assert len(dataset.positions("unlabelled")) == 10 and len(dataset.positions("train")) == 17
    np.save(tmp_path / "b.npy", {"x_train": X, "y_train": NAMES}, allow_pickle=True)
    assert open_dataset(tmp_path / "b.npy", options=CONSENT).class_names == ("angry", "happy", "sad")
    lists = {"train": (list(X[:20]), NAMES[:20].astype(object).tolist()), "val": None}
    assert len(open_dataset(notebook(tmp_path / "c.npy", **lists), options=CONSENT).positions("train")) == 17


def test_test_rows_without_a_name_are_unlabelled(tmp_path: Path) -> None:
    names = [None, "", "sad", "sad", "angry"]
    dataset = open_dataset(notebook(tmp_path / "a.npy", test=(X[25:], np.array(names, object))), options=CONSENT)
    assert dataset.positions("unlabelled").tolist() == [25, 26] and dataset.labels[25:].tolist() == [-1, -1, 2, 2, 0]
    error = fault(notebook(tmp_path / "b.npy", val=(X[20:25], names)), **CONSENT)
    assert error.details == ("val labels, row 0: the label is empty", "val labels, row 1: the label is empty")


@pytest.mark.parametrize(
    ("other", "detail"),
    [
        ({"train": None, "trian": (X, NAMES)}, "'trian' is no split; did you mean 'train'?"),
        ({"train": None}, "'train' is missing"),
        ({"train": (X[:20], NAMES)}, "train pictures has 20 pictures and train labels 30 labels"),
        ({"train": X}, "train: numpy.ndarray where (pictures, labels) is needed"),
        ({"val": (X[:5, :3], NAMES[:5])}, "val pictures has pictures of 3 x 7 x 1, train pictures of 5 x 7 x 1"),
        ({"train": (X - 300.0, NAMES)}, "train pictures, row 0: "),
        ({"train": (X, np.eye(3)[np.arange(30) % 3])}, "train labels has shape (30, 3) where one label a picture"),
    ],
)
def test_faulty_dictionaries_are_refused(tmp_path: Path, other: dict[str, Any], detail: str) -> None:
    error = fault(notebook(tmp_path / "fer.npy", **other), **CONSENT)
    assert error.message == "fer.npy cannot be used as a data set"
    assert any(line.startswith(detail) for line in error.details), error.details


def test_something_else_than_a_dictionary_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([X, NAMES, None], dtype=object), allow_pickle=True)
    assert fault(tmp_path / "a.npy", **CONSENT).message == "a.npy holds objects, shape (3,), not a dictionary"
    np.save(tmp_path / "b.npy", np.array({1, 2}, dtype=object), allow_pickle=True)
    assert fault(tmp_path / "b.npy", **CONSENT).message == "b.npy holds one set, not a dictionary"


@pytest.mark.parametrize("keep", [0, 5, 40, 300])
def test_a_cut_off_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = notebook(tmp_path / "fer.npy")
    path.write_bytes(path.read_bytes()[:keep])
    message = fault(path, **CONSENT).message
    assert message.startswith(
        ("fer.npy is not an npy file, or is damaged", "fer.npy cannot be unpickled, it may be cut")
    )


def test_bad_rows_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    x = X[:20].astype(float)
    x[4] = np.nan
    path = notebook(tmp_path / "fer.npy", train=(x, NAMES[:20]))
    assert fault(path, **CONSENT).details[0].startswith("train pictures, row 4: nan is not a pixel")
    dataset = open_dataset(path, options={**CONSENT, "skip_bad_rows": True})
    assert len(dataset) == 29 and 4 not in dataset.row_ids
