"""A user's own build function, trained by the runner: plain, compiled by itself, subclassed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cloudpickle
import keras
import pytest

from fertune.training.context import InProcess
from fertune.training.runner import run
from fertune.trial import TrainResult


def plain(params: Any, input_shape: Any, n_classes: int) -> Any:
    layers = keras.layers
    model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(n_classes, "softmax")])
    model.build((None, *input_shape))
    return model


def compiled(params: Any, input_shape: Any, n_classes: int) -> Any:
    model = plain(params, input_shape, n_classes)
    rate = keras.optimizers.schedules.ExponentialDecay(params["rate"], 10, 0.5)
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["mae"])
    return model


def subclassed(params: Any, input_shape: Any, n_classes: int) -> Any:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.out = keras.layers.Flatten(), keras.layers.Dense(n_classes, "softmax")

        def call(self, x: Any) -> Any:
            return self.out(self.flat(x / 255))

    return Net()


@pytest.mark.parametrize("build", [plain, compiled, subclassed])
def test_it_is_trained_and_goes_on(build: Any, make_job: Any, tmp_path: Path) -> None:
    fields = {"family": "custom", "build": cloudpickle.dumps(build), "settings": {"rate": 0.05, "width": "wide"}}
    context = InProcess()
    run(make_job(**fields, budget=2, keep_state=True), context)
    result = run(make_job(**fields, budget=4, resume=str(tmp_path / "out")), context)
    assert isinstance(result, TrainResult) and result.epochs == 4
    losses = [logs["loss"] for _, _, logs in context.reports]
    assert losses[3] < losses[0]
    if build is compiled:  # its own schedule is followed, and left alone
        assert context.reports[0][2]["learning_rate"] == pytest.approx(0.05)
        assert context.reports[3][2]["learning_rate"] == pytest.approx(0.05 * 0.5 ** (3 * 8 / 10))
