"""The rules give what Keras's callbacks of the same names give, and their state can be carried over."""

from __future__ import annotations

import numpy as np
import pytest

from fertune.training.schedules import EarlyStopping, Plateau
from fertune.trial import OBJECTIVES


@pytest.mark.parametrize("seed", range(5))
def test_plateau_lowers_the_rate_when_keras_does(seed: int) -> None:
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    theirs = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=0.01)
    theirs.set_model(model)
    theirs.on_train_begin()
    ours, rate, lowered = Plateau(patience=2, factor=0.5, minimum=0.01), 0.5, 0
    for epoch, loss in enumerate(np.random.default_rng(seed).normal(1, 0.2, 40)):
        theirs.on_epoch_end(epoch, {"val_loss": loss})
        new = ours.after(float(loss), rate)
        lowered += new is not None
        rate = rate if new is None else new
        assert rate == pytest.approx(float(model.optimizer.learning_rate))
    assert lowered > 2


@pytest.mark.parametrize("delta", [0.0, 0.05])
@pytest.mark.parametrize("name", ["val_accuracy", "val_loss"])
@pytest.mark.parametrize("seed", range(4))
def test_early_stopping_ends_when_keras_does(seed: int, name: str, delta: float) -> None:
    import keras

    objective = OBJECTIVES[name]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    theirs = keras.callbacks.EarlyStopping(name, min_delta=delta, patience=4, mode=objective.direction)
    theirs.set_model(model)
    theirs.on_train_begin()
    ours = EarlyStopping(objective, 4, delta)
    for epoch, value in enumerate(np.random.default_rng(seed).normal(1, 0.2, 60)):
        model.stop_training = False
        theirs.on_epoch_end(epoch, {name: value})
        assert ours.after(float(value)) == model.stop_training
        if model.stop_training:
            return
    raise AssertionError("neither ended: the test shows nothing")


def test_zero_patience_is_never() -> None:
    plateau, stopping = Plateau(0, 0.5, 0.0), EarlyStopping(OBJECTIVES["val_loss"], 0, 0.0)
    assert all(plateau.after(1.0, 0.1) is None and not stopping.after(1.0) for _ in range(50))


def test_a_rate_at_its_minimum_stays() -> None:
    plateau = Plateau(1, 0.1, 0.01)
    assert plateau.after(1.0, 0.05) is None
    assert plateau.after(1.0, 0.05) == 0.01
    assert plateau.after(1.0, 0.01) is None
