"""The conv family: what is built, what it computes, what it refuses, and that its files load safely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fertune.errors import ConfigError
from fertune.models import FAMILIES, build_model
from fertune.models.catalog import complete

SETTINGS = {s.name: s for s in FAMILIES["conv"].settings}
SMALL = {f"filters_{i}": 4 for i in range(1, 7)}
EDGES: list[dict[str, Any]] = [
    {}, {"blocks": 6, "pooling": "average", "dense_units": 0},
    {"blocks": 3, "convs": 2, "pool_after": "first"},
    {"blocks": 1, "convs": 3, "batch_norm": False, "dropout": 0.0, "head_dropout": 0.0},
    {"activation": "leaky_relu", "negative_slope": 1.0, "kernel_1": 1, "kernel_2": 7, "l2": 0.1, "convs": 2},
    {"augment": True, "flip": True, "rotation": 0.5, "shift": 0.5, "zoom": 0.5, "dropout": 0.9, "head_dropout": 0.9},
]  # fmt: skip


def build(shape: tuple[int, int, int] = (64, 64, 1), classes: int = 5, **settings: Any) -> Any:
    keras.utils.set_random_seed(3)
    return build_model("conv", {**SMALL, "dense_units": 8, **settings}, shape, classes)


def pictures(n: int, shape: tuple[int, int, int] = (64, 64, 1)) -> Any:
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def test_every_default_is_legal_and_described() -> None:
    assert all(s.fault(s.default) is None and s.doc for s in FAMILIES["conv"].settings)
    assert len(SETTINGS) == len(FAMILIES["conv"].settings)
    assert complete(FAMILIES["conv"].settings, {}, where="x")["filters_3"] == 128


@pytest.mark.parametrize("settings", EDGES, ids=str)
def test_edges_build_give_probabilities_and_load_safely(settings: dict[str, Any], tmp_path: Path) -> None:
    model = build(**settings)
    proba = model(pictures(3), training=False)
    proba = keras.ops.convert_to_numpy(proba)
    assert proba.shape == (3, 5) and proba.dtype == np.float32
    assert proba.sum(1) == pytest.approx(1, abs=1e-5)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert keras.ops.convert_to_numpy(again(pictures(3), training=False)) == pytest.approx(proba, abs=1e-6)


def test_pooling_after_the_first_convolution_of_a_block() -> None:
    """The others see a map of a quarter of the size; the weights are as many."""
    late, early = (
        build(blocks=2, convs=3, dropout=0.0, pooling="average", pool_after=place) for place in ("last", "first")
    )
    heights = [layer.input.shape[1] for layer in early.layers if isinstance(layer, keras.layers.Conv2D)]
    assert heights == [64, 32, 32, 32, 16, 16]
    assert early.count_params() == late.count_params()
    kinds = [type(layer).__name__ for layer in early.layers]
    assert kinds[2:6] == ["Conv2D", "MaxPooling2D", "BatchNormalization", "ReLU"]
    assert kinds[6:9] == ["Conv2D", "BatchNormalization", "ReLU"]
    assert kinds.count("MaxPooling2D") == 2


def test_other_shapes_and_colours() -> None:
    assert build((28, 40, 3), 2)(pictures(2, (28, 40, 3)), training=False).shape == (2, 2)


def test_pictures_that_cannot_be_halved_so_often() -> None:
    says = r"^block 6 pools a 1x1 map \(48x48 input, halved in each block\)$"
    with pytest.raises(ValueError, match=says):
        build((48, 48, 1), blocks=6)
    assert build((48, 48, 1), blocks=5) is not None
    with pytest.raises(ValueError, match="block 3 pools a 16x1 map"):
        build((64, 4, 1), blocks=3)


def test_values_out_of_range_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        build(blocks=7, dropout=1.0, pooling="max", batch_norm=1)
    assert len(caught.value.details) == 4


def test_pooling_first_is_the_same_function() -> None:
    """Activation then pooling, as the family is described, by hand with the same weights."""
    layers = keras.layers
    for settings, act in (
        ({"activation": "relu"}, layers.ReLU()),
        ({"activation": "leaky_relu", "negative_slope": 0.3}, layers.LeakyReLU(negative_slope=0.3)),
    ):
        model = build((8, 8, 1), 3, blocks=2, convs=2, dropout=0.0, head_dropout=0.0, **settings)
        i = x = keras.Input((8, 8, 1))
        x = layers.Rescaling(1 / 255)(x)
        for _ in range(2):
            for _ in range(2):
                x = act(layers.BatchNormalization(momentum=0.9)(layers.Conv2D(4, 3, padding="same", use_bias=False)(x)))
            x = layers.MaxPooling2D()(x)
        x = act(layers.Dense(8)(layers.Flatten()(x)))
        plain = keras.Model(i, layers.Dense(3, activation="softmax")(x))
        plain.set_weights(model.get_weights())
        for training in (False, True):
            one, other = (m(pictures(6, (8, 8, 1)), training=training) for m in (model, plain))
            assert keras.ops.convert_to_numpy(one) == pytest.approx(keras.ops.convert_to_numpy(other), abs=1e-6)


def test_augmentation_moves_training_pictures_only_and_not_all_alike() -> None:
    model = build(
        (16, 16, 1), augment=True, flip=True, rotation=0.1, shift=0.2, zoom=0.2, dropout=0.0, head_dropout=0.0
    )
    names = [type(layer).__name__ for layer in model.layers]
    assert names[2:5] == ["RandomRotation", "RandomZoom", "Conv2D"]
    front = keras.Model(model.input, model.layers[3].output)
    x = np.repeat(pictures(1, (16, 16, 1)), 8, 0)
    still = keras.ops.convert_to_numpy(front(x, training=False)) * 255
    assert still == pytest.approx(x.astype(float), abs=1e-3)
    moved = keras.ops.convert_to_numpy(front(x, training=True)) * 255
    assert len({m.tobytes() for m in moved.round()}) == 8


def test_settings_reach_their_layers() -> None:
    model = build(batch_norm=False, l2=0.01, dropout=0.4, head_dropout=0.6, kernel_2=5, filters_2=7, norm_momentum=0.5)
    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [c.filters for c in convs] == [4, 7, 4] and convs[1].kernel_size == (5, 5)
    assert all(c.use_bias and float(c.kernel_regularizer.l2) == pytest.approx(0.01) for c in convs)
    assert [x.rate for x in model.layers if isinstance(x, keras.layers.Dropout)] == [0.4, 0.4, 0.4, 0.6]
    norms = [x for x in build(norm_momentum=0.5).layers if isinstance(x, keras.layers.BatchNormalization)]
    assert [n.momentum for n in norms] == [0.5] * 3
    assert not any(x.use_bias for x in build().layers if isinstance(x, keras.layers.Conv2D))
