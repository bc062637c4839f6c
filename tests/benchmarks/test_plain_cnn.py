"""benchmarks/spaces/plain_cnn.yaml is the net that a user would write by hand: the same weights, the same function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.models import build_model
from fertune.models.feasible import weights
from fertune.space import load_space
from fertune.training.recipe import Recipe

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "spaces" / "plain_cnn.yaml"


def by_hand(f: int, k: int, drop: float, l2: float, dense: int) -> Any:
    import keras

    layers = keras.layers
    model = keras.Sequential([keras.Input((48, 48, 1)), layers.Rescaling(1 / 255.0)])
    for times in (1, 2, 4):
        model.add(layers.Conv2D(f * times, k, padding="same", kernel_regularizer=keras.regularizers.L2(l2)))
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU(negative_slope=0.1))
        model.add(layers.MaxPooling2D())
        model.add(layers.Dropout(drop))
    for layer in (layers.Flatten(), layers.Dense(dense), layers.LeakyReLU(negative_slope=0.1), layers.Dropout(drop)):
        model.add(layer)
    model.add(layers.Dense(7, activation="softmax"))
    return model


@pytest.mark.parametrize(("f", "k", "dense"), [(16, 3, 128), (48, 5, 256)])
def test_the_net_is_the_one_by_hand(f: int, k: int, dense: int) -> None:
    import keras

    space = load_space(PATH)
    params = {"filters_1": f, "kernel_1": k, "dropout": 0.3, "l2": 1e-4, "learning_rate": 1e-3, "dense_units": dense}
    space.validate(params)
    settings = space.settings(params)
    recipe = Recipe.of(settings, space.model)
    assert (recipe.batch_size, recipe.reduce_lr_factor, recipe.reduce_lr_min) == (64, 0.1, 0.0)
    assert (recipe.reduce_lr_patience, recipe.early_stopping_patience, recipe.optimizer) == (2, 3, "adam")
    ours = build_model(space.model, {n: v for n, v in settings.items()}, (48, 48, 1), 7)
    plain = by_hand(f, k, 0.3, 1e-4, dense)
    assert ours.count_params() == plain.count_params() == weights("conv", settings, (48, 48, 1), 7)
    kinds = ("Conv2D", "BatchNormalization", "LeakyReLU", "MaxPooling2D", "Dropout", "Flatten", "Dense")
    names = [sorted(type(x).__name__ for x in m.layers if type(x).__name__ in kinds) for m in (ours, plain)]
    assert names[0] == names[1]
    assert [x.rate for x in ours.layers if type(x).__name__ == "Dropout"] == [0.3] * 4
    assert [float(x.momentum) for x in ours.layers if type(x).__name__ == "BatchNormalization"] == [0.99] * 3
    rng = np.random.default_rng(0)
    values = [rng.normal(0, 0.05, w.shape) if "variance" not in w.path else np.ones(w.shape) for w in plain.weights]
    plain.set_weights(values)
    ours.set_weights(values)
    pictures = rng.integers(0, 256, (4, 48, 48, 1), dtype=np.uint8)
    outputs = [keras.ops.convert_to_numpy(m(pictures.astype(np.float32), training=False)) for m in (ours, plain)]
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-5)
    penalties = [float(keras.ops.convert_to_numpy(sum(m.losses))) for m in (ours, plain)]
    assert penalties[0] == pytest.approx(penalties[1], rel=1e-5)
