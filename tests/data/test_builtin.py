"""What needs no files: drawn faces and scanned digits."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

from fertune.data import audit, open_dataset
from fertune.data.faces import CLASSES, SHARES, class_sizes, read_faces
from fertune.data.sources.builtin import parse_builtin
from fertune.errors import DataError


def test_faces_are_what_they_say() -> None:
    said: list[str] = []
    dataset = open_dataset("builtin:faces?n=400&size=32", say=said.append)
    assert dataset.images.shape == (400, 32, 32, 1) and dataset.class_names == CLASSES and dataset.name == "faces"
    counts = {split: sum(rows) for split, rows in dataset.counts().items()}
    assert counts == {"train": 280, "validation": 60, "test": 60, "unlabelled": 0}
    found = audit(dataset)
    assert found.flat == 0 and found.known_extra == 0 and found.test_in_known == 0
    assert any("not photographed" in note for note in dataset.notes)


def test_without_data_faces_are_drawn_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parse_builtin.__globals__["BUILTINS"]["faces"], "n", (int, 60, 40, 99))
    said: list[str] = []
    assert open_dataset(say=said.append).source == "builtin:faces"
    assert said[0].startswith("no data given: using builtin:faces") and "--data" in said[0]


def test_the_imbalance_is_that_of_fer() -> None:
    sizes = class_sizes(3000)
    assert sizes.sum() == 3000
    assert np.allclose(sizes / 3000, SHARES, atol=0.001)
    assert class_sizes(40).min() == 3 and class_sizes(40).sum() == 40


@pytest.mark.parametrize("n", [40, 41, 77, 123, 1000])
def test_any_number_of_faces_adds_up(n: int) -> None:
    assert class_sizes(n).sum() == n and class_sizes(n).min() >= 3


def test_same_seed_same_faces_other_seed_other_faces() -> None:
    a, b, c = (read_faces(n=60, size=24, seed=seed, label_noise=0) for seed in (4, 4, 5))
    assert np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)
    assert np.array_equal(a.split, b.split) and not np.array_equal(a.images, c.images)


def test_label_noise_changes_labels_only() -> None:
    clean, noisy, wild = (read_faces(n=600, size=16, seed=1, label_noise=p) for p in (0.0, 0.2, 1.0))
    assert np.array_equal(clean.images, noisy.images)
    assert 0.08 < np.mean(clean.labels != noisy.labels) < 0.24  # a new label may be the old one
    chance = sum(share**2 for share in SHARES)
    assert abs(np.mean(clean.labels == wild.labels) - chance) < 0.06
    assert np.array_equal(np.bincount(wild.labels), np.bincount(clean.labels))


def test_every_face_shows_something() -> None:
    faces = read_faces(n=120, size=48, seed=0, label_noise=0).images
    assert faces.reshape(120, -1).std(axis=1).min() > 4


@pytest.mark.slow
def test_three_thousand_faces_take_seconds() -> None:
    begun = time.process_time()
    read_faces(n=3000, size=48, seed=0, label_noise=0)
    assert time.process_time() - begun < 20


def test_digits_are_those_of_scikit_learn() -> None:
    dataset = open_dataset("builtin:digits")
    assert dataset.images.shape == (1797, 8, 8, 1) and dataset.n_classes == 10
    assert dataset.images.max() == 255 and dataset.images.min() == 0
    assert [len(dataset.positions(s)) for s in ("train", "validation", "test")] == [1257, 270, 270]
    assert all(min(rows) > 20 for split, rows in dataset.counts().items() if split != "unlabelled")


def test_options_have_one_spelling() -> None:
    assert parse_builtin("builtin:faces") == parse_builtin("builtin:faces?size=48&n=3000")
    assert parse_builtin("builtin:faces?label_noise=0.1")[1]["label_noise"] == 0.1


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(DataError) as caught:
        open_dataset("builtin:face")
    assert caught.value.message == (
        "no built-in data set named 'builtin:face'; legal: builtin:faces, builtin:digits; did you mean 'builtin:faces'?"
    )


def test_all_wrong_options_are_told_at_once() -> None:
    with pytest.raises(DataError) as caught:
        open_dataset("builtin:faces?n=ten&sise=48&label_noise=2&seed=-1&size=")
    assert caught.value.message == "builtin:faces has wrong options"
    assert caught.value.details == (
        "n: 'ten' is not a whole number from 40 to 200,000",
        "sise: no such option; legal: n, size, seed, label_noise; did you mean 'size'?",
        "label_noise: 2 is not a number from 0 to 1",
        "seed: -1 is not a whole number from 0 to 2,147,483,647",
        "size: '' is not a whole number from 16 to 256",
    )


@pytest.mark.parametrize("source", ["builtin:digits?n=5", "builtin:faces?hello"])
def test_options_that_are_none_are_refused(source: str) -> None:
    with pytest.raises(DataError):
        open_dataset(source)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute on four idle cores
def test_faces_are_hard_for_a_linear_model_and_fair_for_a_small_cnn() -> None:
    """Under 60 % of test for logistic regression on pixels, over 80 % for a small net; 3 epochs learn something."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    dataset = open_dataset("builtin:faces")
    x, y = np.asarray(dataset.images, np.float32) / 255, dataset.labels
    train, test = dataset.positions("train", "validation"), dataset.positions("test")
    flat = x.reshape(len(x), -1)
    for c in (1e-3, 1e-2):  # weaker and stronger penalties do worse
        linear = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=100))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            linear.fit(flat[train], y[train])
        assert linear.score(flat[train], y[train]) > 0.55  # it did learn its rows
        assert linear.score(flat[test], y[test]) < 0.60

    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = hidden = keras.Input((48, 48, 1))
    for filters in (16, 32, 64):
        hidden = layers.Conv2D(filters, 3, padding="same", use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(hidden))
        hidden = layers.MaxPooling2D()(hidden)
    hidden = layers.Dropout(0.3)(layers.Flatten()(hidden))
    model = keras.Model(inputs, layers.Dense(7, activation="softmax")(hidden))
    assert model.count_params() < 50_000
    epochs = 9
    rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * -(-len(train) // 32))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    told = model.fit(x[train], y[train], validation_data=(x[test], y[test]), batch_size=32, epochs=epochs, verbose=0)
    accuracy = told.history["val_accuracy"]
    assert accuracy[-1] > 0.80
    assert accuracy[2] > 0.45
