"""The fused batch normalisation computes what Keras' own does, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from fertune.models.engine import backend
from fertune.models.fused import fused_normalisation

pytestmark = pytest.mark.skipif(backend() != "tensorflow", reason="an operation of TensorFlow's")


def net(**settings: Any) -> Any:
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(5, 3, use_bias=False),
            layers.BatchNormalization(momentum=0.8, **settings),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
    return model


def trained(fused: bool, **settings: Any) -> tuple[Any, list[Any], float]:
    rng = np.random.default_rng(0)
    model, losses = net(**settings), []
    with fused_normalisation(*([model] if fused else [])):
        for _ in range(5):
            losses.append(float(model.train_on_batch(rng.normal(0.5, 1, (7, 6, 6, 2)), rng.integers(0, 3, 7))))
        inside = [type(layer).__name__ for layer in model.layers]
    return model, inside, losses[-1]


def test_weights_moving_statistics_and_losses_are_keras_own() -> None:
    plain, _, loss = trained(False)
    model, inside, other = trained(True)
    assert inside.count("FusedBatchNormalization") == 1 and inside.count("BatchNormalization") == 1
    for a, b in zip(plain.get_weights(), model.get_weights(), strict=True):
        assert b == pytest.approx(a, abs=1e-5, rel=1e-5)
    assert other == pytest.approx(loss, abs=1e-5)
    assert np.abs(plain.layers[1].moving_variance.numpy() - 1).max() > 0.05, "nothing was seen"


def test_afterwards_the_layers_are_keras_own_even_where_training_fails() -> None:
    model = net()
    with pytest.raises(ZeroDivisionError), fused_normalisation(model):
        raise ZeroDivisionError
    assert type(model.layers[1]) is keras.layers.BatchNormalization


@pytest.mark.parametrize("settings", [{"scale": False}, {"center": False}, {"axis": 1}, {"epsilon": 1e-6}])
def test_layers_it_cannot_stand_in_for_are_left_alone(settings: dict[str, Any]) -> None:
    model = net(**settings)
    with fused_normalisation(model):
        assert type(model.layers[1]) is keras.layers.BatchNormalization


def test_a_frozen_layer_keeps_its_statistics() -> None:
    model = net()
    model.layers[1].trainable = False
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
    before = model.layers[1].get_weights()
    with fused_normalisation(model):
        model.train_on_batch(np.full((7, 6, 6, 2), 9.0), np.zeros(7))
    assert all((a == b).all() for a, b in zip(before, model.layers[1].get_weights(), strict=True))
