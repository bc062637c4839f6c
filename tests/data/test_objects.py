"""What Python hands over: arrays, tf.data, Hugging Face data sets, DataFrames."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from PIL import Image

from fertune.data import ImageDataset, open_dataset
from fertune.errors import DataError

from .conftest import picture, text

X = np.stack([picture(i) for i in range(40)])
Y = np.arange(40) % 4
NAMES = np.array(["ant", "bee", "cat", "dog"])


def fault(value: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        open_dataset(value, options=options)
    return caught.value


def sizes(dataset: ImageDataset) -> list[int]:
    return [len(dataset.positions(s)) for s in ("train", "validation", "test", "unlabelled")]


# arrays


def test_pictures_and_labels_are_dealt_to_splits_and_kept_by_content() -> None:
    dataset = open_dataset((X, Y))
    assert sizes(dataset) == [28, 6, 6, 0] and dataset.class_names == ("0", "1", "2", "3")
    assert np.array_equal(dataset.images[..., 0], X) and dataset.source == "python:tuple"
    said: list[str] = []
    assert open_dataset((X.copy(), list(Y)), say=said.append).folder == dataset.folder
    assert said == ["opened 40 rows of arrays from the cache"]
    assert open_dataset((X, NAMES[Y])).folder != dataset.folder


def test_pairs_of_keras_are_train_and_test() -> None:
    dataset = open_dataset(((X[:30], Y[:30]), (X[30:], Y[30:])))
    assert sizes(dataset) == [26, 4, 10, 0]
    assert sizes(open_dataset(((X[:20], Y[:20]), (X[20:30], Y[20:30]), (X[30:], Y[30:])))) == [20, 10, 10, 0]


@pytest.mark.parametrize(
    "value",
    [
        {
            "x_train": X[:20],
            "y_train": Y[:20],
            "x_val": X[20:30],
            "y_val": Y[20:30],
            "x_test": X[30:],
            "y_test": Y[30:],
        },
        {"train": (X[:20], Y[:20]), "val": (X[20:30], Y[20:30]), "test": (X[30:], Y[30:])},
        {
            "test": {"x": X[30:], "y": Y[30:]},
            "train": {"images": X[:20], "labels": Y[:20]},
            "validation": {"image": X[20:30], "label": Y[20:30]},
        },
    ],
)
def test_dictionaries_of_arrays(value: dict[str, Any]) -> None:
    dataset = open_dataset(value)
    assert sizes(dataset) == [20, 10, 10, 0] and np.array_equal(dataset.images[..., 0], X)
    assert (
        dataset.fingerprint
        == ImageDataset.from_arrays(
            X[:20], Y[:20], x_val=X[20:30], y_val=Y[20:30], x_test=X[30:], y_test=Y[30:]
        ).fingerprint
    )


def test_a_dictionary_of_pictures_and_labels_may_name_its_classes() -> None:
    assert open_dataset({"x": X, "y": Y, "class_names": list(NAMES)}).class_names == tuple(NAMES)


def test_pictures_of_different_sizes_want_an_image_size() -> None:
    mixed = [*X[:39], picture(39, 9)]
    error = fault((mixed, Y))
    assert "pictures, picture 39 has pictures of 9 x 9 x 1" in error.details[0] and "--image-size" in str(error.help)
    dataset = open_dataset((mixed, Y), options={"image_size": 6})
    assert dataset.image_shape == (6, 6, 1) and np.array_equal(dataset.images[:39, ..., 0], X[:39])
    mixed[3] = picture(3).astype(float) + np.nan
    assert fault((mixed, Y), image_size=6).details[0].startswith("pictures, picture 3: nan is not a pixel")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ((X, Y[:-1]), "pictures has 40 pictures and labels 39 labels"),
        ((X / 3 * np.nan, Y), "pictures, row 0: nan is not a pixel"),
        ((X, np.zeros(40)), "all labels are '0'; two classes or more are needed"),
        ({"train": (X, Y), "tset": (X, Y)}, "'tset' is no split; did you mean 'test'?"),
        ({"train": (X, Y), "val": (X, Y), "valid": (X, Y)}, "'val' and 'valid' are one split"),
        ({"train": X}, "train: numpy.ndarray where (pictures, labels) is needed"),
        (42, "give (pictures, labels)"),
        ([1, 2, 3], "give (pictures, labels)"),
        ({}, "its keys are none"),
        (X, "give (pictures, labels)"),
    ],
)
def test_what_is_no_data_set_is_refused(value: Any, says: str) -> None:
    assert any(says in line for line in fault(value).details), fault(value).details


def test_an_image_size_holds_for_a_data_set_in_memory() -> None:
    dataset = open_dataset(ImageDataset.from_arrays(X, Y), options={"image_size": 12})
    assert dataset.image_shape == (12, 12, 1) and dataset.folder is not None
    assert any("40 pictures were brought from 6 x 6 to 12 x 12" in note for note in dataset.notes)


# data sets that a run remembers


def test_a_run_finds_its_object_in_the_cache_or_asks_for_it_again(cache: Path) -> None:
    dataset = open_dataset((X, Y))
    assert dataset.folder is not None
    run = {
        "name": "arrays",
        "source": dataset.source,
        "folder": str(dataset.folder),
        "fingerprint": dataset.fingerprint,
    }
    assert open_dataset(run["source"], run=run).folder == dataset.folder
    with pytest.raises(DataError, match=r"were given in Python \(tuple\), and a run does not store them") as caught:
        open_dataset(run["source"], run={**run, "fingerprint": "0" * 64})
    assert caught.value.help and caught.value.help.startswith("give the same object again")
    (dataset.folder / "images.npy").unlink()
    with pytest.raises(DataError, match="does not store them"):
        open_dataset(run["source"], run=run)


# tf.data, by a stand-in with its class names; the real one is tried by the slow tests


def tensors(elements: list[Any], cardinality: int | None = None, **more: Any) -> Any:
    class DatasetV2:
        def as_numpy_iterator(self) -> Iterator[Any]:
            return iter(elements)

        def cardinality(self) -> int:
            return len(elements) if cardinality is None else cardinality

    DatasetV2.__module__ = "tensorflow.python.data.ops.dataset_ops"
    dataset = DatasetV2()
    for name, value in more.items():
        setattr(dataset, name, value)
    return dataset


def test_tensors_one_by_one_and_in_batches_are_the_same() -> None:
    one = open_dataset(tensors([(x, y) for x, y in zip(X[..., None], Y, strict=True)]))
    gray = open_dataset(tensors([(x, y) for x, y in zip(X, Y, strict=True)]))
    batches = open_dataset(tensors([(X[i : i + 16, ..., None], Y[i : i + 16]) for i in range(0, 40, 16)]))
    flat = open_dataset(tensors([(X[i : i + 16], Y[i : i + 16]) for i in range(0, 40, 16)]))
    assert one.fingerprint == batches.fingerprint == gray.fingerprint == flat.fingerprint
    assert one.fingerprint == open_dataset((X, Y)).fingerprint and one.source == "python:tf.data.Dataset"


def test_tensors_of_floats_are_rounded_and_that_is_said() -> None:
    dataset = open_dataset(tensors([(np.minimum(X[..., None] + 0.25, 255), Y)], class_names=list(NAMES)))
    assert np.array_equal(dataset.images[..., 0], X) and dataset.class_names == tuple(NAMES)
    assert "float pixels were rounded to whole numbers" in dataset.notes


def test_tensors_by_split_and_with_names() -> None:
    words = [name.encode() for name in NAMES[Y]]
    parts = {"train": tensors([(X[:30], np.array(words[:30]))]), "test": tensors([(X[30:], np.array(words[30:]))])}
    dataset = open_dataset(parts)
    assert sizes(dataset) == [26, 4, 10, 0] and dataset.class_names == tuple(NAMES)
    assert sizes(open_dataset((parts["train"], parts["test"]))) == [26, 4, 10, 0]
    named = [{"image": x, "label": y} for x, y in zip(X, Y, strict=True)]
    assert open_dataset(tensors(named)).fingerprint == open_dataset((X, Y)).fingerprint


def test_tensors_without_labels_or_without_an_end_are_refused() -> None:
    assert "gives ndarray where (picture, label) is needed" in fault(tensors([X])).message
    assert "gives tuples of 3" in fault(tensors([(X, Y, Y)])).message
    assert "has no end" in fault(tensors([(X, Y)], cardinality=-1)).message


@pytest.mark.slow
def test_the_real_tf_data(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X[..., None], Y))
    plain = open_dataset((X, Y))
    assert open_dataset(data).fingerprint == open_dataset(data.batch(7)).fingerprint == plain.fingerprint
    assert open_dataset(data.batch(7).prefetch(2).map(lambda x, y: (x, y))).fingerprint == plain.fingerprint
    assert "has no end" in fault(data.repeat()).message


# Hugging Face, by a stand-in with its class names; the real one where it is installed


class Image_:
    """A column of pictures."""


class ClassLabel:
    def __init__(self, names: list[str]) -> None:
        self.names = names


Image_.__name__ = "Image"


class Dataset:
    def __init__(self, columns: dict[str, list[Any]], features: dict[str, Any]) -> None:
        self.columns, self.features, self.column_names = columns, features, list(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.columns[key]
        return {name: values[key] for name, values in self.columns.items()}


class DatasetDict(dict[str, Any]):
    pass


for stand_in in (Dataset, DatasetDict):
    stand_in.__module__ = "datasets.stand_in"

MakeHub = Callable[..., Any]


def stand_in_hub(columns: dict[str, list[Any]], image: str, label: str, names: list[str]) -> Any:
    return Dataset(columns, {image: Image_(), label: ClassLabel(names)})


def real_hub(columns: dict[str, list[Any]], image: str, label: str, names: list[str]) -> Any:
    datasets = pytest.importorskip("datasets")
    kinds = {name: datasets.Value("string") for name in columns}
    features = datasets.Features({**kinds, image: datasets.Image(), label: datasets.ClassLabel(names=names)})
    try:
        return datasets.Dataset.from_dict(columns, features=features)
    except pickle.PicklingError:
        pytest.skip(f"datasets {datasets.__version__} cannot make a data set with what is installed here")


@pytest.fixture(params=["stand_in", "real"])
def hub(request: pytest.FixtureRequest) -> MakeHub:
    return stand_in_hub if request.param == "stand_in" else real_hub


def columns(rows: range, image: str = "image", label: str = "label") -> dict[str, list[Any]]:
    return {image: [Image.fromarray(X[i]) for i in rows], label: [int(Y[i]) for i in rows]}


def test_a_data_set_of_the_hub_is_dealt_and_has_its_class_names(hub: MakeHub) -> None:
    dataset = open_dataset(hub(columns(range(40)), "image", "label", list(NAMES)))
    assert dataset.class_names == tuple(NAMES) and sizes(dataset) == [28, 6, 6, 0]
    assert np.array_equal(dataset.images[..., 0], X) and dataset.labels.tolist() == Y.tolist()


def test_splits_of_the_hub_and_columns_of_other_names(hub: MakeHub) -> None:
    make = lambda rows: hub(columns(rows, "img", "species"), "img", "species", list(NAMES))  # noqa: E731
    parts = {"test": make(range(30, 40)), "train": make(range(20)), "validation": make(range(20, 30))}
    dataset = open_dataset(DatasetDict(parts))
    assert sizes(dataset) == [20, 10, 10, 0] and np.array_equal(dataset.images[..., 0], X)
    assert open_dataset(parts).fingerprint == dataset.fingerprint  # a plain dictionary of them


def test_test_rows_of_the_hub_without_a_label_are_unlabelled(hub: MakeHub) -> None:
    test = columns(range(30, 40))
    test["label"] = [-1] * 10
    parts = {name: hub(c, "image", "label", list(NAMES)) for name, c in (("train", columns(range(30))), ("test", test))}
    assert sizes(open_dataset(DatasetDict(parts))) == [26, 4, 0, 10]


def test_a_test_split_of_the_hub_may_have_no_labels_at_all(hub: MakeHub) -> None:
    train = hub(columns(range(30)), "image", "label", list(NAMES))
    test = stand_in_hub({"image": columns(range(30, 40))["image"]}, "image", "label", [])
    assert sizes(open_dataset(DatasetDict(train=train, test=test))) == [26, 4, 0, 10]
    error = fault(DatasetDict(train=train, validation=test))
    assert error.message.endswith("has no column 'label' in validation")


def test_several_labels_a_picture_are_refused() -> None:
    given = columns(range(40))
    given["label"][3], given["label"][4] = [1, 2], 0.5
    made = Dataset(given, {"image": Image_()})
    assert fault(made).details == (
        "row 3, label: [1, 2] is not a class; labels are whole numbers or names",
        "row 4, label: 0.5 is not a class; labels are whole numbers or names",
    )


def test_groups_of_the_hub_are_kept_together(hub: MakeHub) -> None:
    given = {**columns(range(40)), "person": [f"p{i // 4}" for i in range(40)]}
    dataset = open_dataset(hub(given, "image", "label", list(NAMES)), options={"group_column": "person"})
    assert dataset.grouped and len(np.unique(dataset.groups)) == 10


def test_columns_and_splits_that_the_hub_has_not_are_named(hub: MakeHub) -> None:
    made = hub(columns(range(40)), "image", "label", list(NAMES))
    error = fault(made, label_column="lable")
    assert error.message.endswith("has no column 'lable'") and "did you mean 'label'" in " ".join(error.details)
    assert "'tets' is no split; did you mean 'test'?" in fault(DatasetDict(train=made, tets=made)).details
    assert "'train' is missing" in fault(DatasetDict(test=made)).details


def test_bad_pictures_of_the_hub_are_named_and_left_out_on_demand() -> None:
    given = columns(range(40))
    given["image"][3], given["image"][5] = {"bytes": b"nonsense", "path": None}, None
    given["image"][7] = X[7]
    made = stand_in_hub(given, "image", "label", list(NAMES))
    assert fault(made).details == ("row 3: not a picture", "row 5: empty")
    dataset = open_dataset(made, options={"skip_bad_rows": True})
    assert len(dataset) == 38 and np.array_equal(dataset.images[5, ..., 0], X[7])


# pandas


def test_a_frame_of_paths_and_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(40):
        Image.fromarray(X[i]).save(f"{i}.png")
    frame = pandas.DataFrame({"file": [f"{i}.png" for i in range(40)], "label": NAMES[Y], "who": np.arange(40) // 4})
    dataset = open_dataset(frame, options={"path_column": "file", "group_column": "who"})
    assert dataset.class_names == tuple(NAMES) and dataset.grouped and dataset.source == "python:pandas.DataFrame"
    frame.loc[3, "file"] = "gone.png"
    assert fault(frame, path_column="file").details[0].startswith("row 3, file: 'gone.png': no such file")


def test_a_frame_of_fer_is_read_as_its_csv(tmp_path: Path) -> None:
    usage = ["Training"] * 20 + ["PublicTest"] * 10 + ["PrivateTest"] * 10
    frame = pandas.DataFrame({"emotion": np.arange(40) % 7, "pixels": [text(x) for x in X], "Usage": usage})
    frame.to_csv(tmp_path / "fer.csv", index=False)
    assert open_dataset(frame).fingerprint == open_dataset(tmp_path / "fer.csv").fingerprint
    dealt = open_dataset(frame.drop(columns="Usage"))
    assert sizes(dealt) == [26, 7, 7, 0]
    frame["emotion"] = frame["emotion"].astype(float)
    frame.loc[30:, "emotion"] = np.nan
    assert sizes(open_dataset(frame)) == [13, 7, 10, 10]
    frame.loc[4, "pixels"] = "1 2 3"
    assert any("3 values where" in line for line in fault(frame).details)


def test_no_library_is_imported_to_recognise_an_object() -> None:
    strange = types.new_class("Strange")()
    before = set(sys.modules)
    assert "nothing that fertune reads" in fault(strange).message
    assert not {"tensorflow", "datasets"} & (set(sys.modules) - before)
