"""Trials that cannot be trained, each through the runner: class and message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from fertune.training.context import InProcess
from fertune.training.runner import classify, run
from fertune.trial import Failure, FailureKind


def failure_of(job: Any) -> Failure:
    try:
        run(job, InProcess())
    except Exception as error:  # any: it is what the runner must sort
        return classify(error)
    raise AssertionError("it was trained")


def custom(make_job: Any, build: Callable[..., Any], **changes: Any) -> Any:
    return make_job(family="custom", build=cloudpickle.dumps(build), settings={"width": 4}, **changes)


def head(x: Any, n_classes: int, **more: Any) -> Any:
    import keras

    return keras.layers.Dense(n_classes, activation="softmax", **more)(keras.layers.Flatten()(x))


def test_pictures_too_small_for_the_blocks(make_job: Any) -> None:
    failure = failure_of(make_job(settings={"blocks": 5}))
    assert failure.kind is FailureKind.INVALID_SHAPE
    assert failure.message == "ValueError: block 4 pools a 1x1 map (12x12 input, halved in each block)"


def test_a_build_that_needs_larger_pictures(make_job: Any) -> None:
    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        import keras

        pictures = keras.Input(input_shape)
        return keras.Model(pictures, head(keras.layers.Conv2D(params["width"], 15)(pictures), n_classes))

    assert failure_of(custom(make_job, build)).kind is FailureKind.INVALID_SHAPE


def test_a_build_that_raises(make_job: Any) -> None:
    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        return None + params["width"]  # type: ignore[operator]

    failure = failure_of(custom(make_job, build))
    assert failure.kind is FailureKind.CRASHED
    assert failure.message.startswith("TypeError: unsupported operand")
    assert "in build" in failure.trace


def test_weights_that_are_no_numbers(make_job: Any) -> None:
    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        import keras

        pictures = keras.Input(input_shape)
        broken = keras.initializers.Constant(float("nan"))
        return keras.Model(pictures, head(pictures, n_classes, kernel_initializer=broken))

    failure = failure_of(custom(make_job, build))
    assert failure.kind is FailureKind.NAN_LOSS
    assert failure.message == "the loss became NaN in epoch 1 at learning rate 0.01"


def test_a_rate_that_blows_up(make_job: Any) -> None:
    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        import keras

        pictures = keras.Input(input_shape)
        model = keras.Model(pictures, head(keras.layers.Conv2D(4, 3, kernel_regularizer="l2")(pictures), n_classes))
        model.compile(keras.optimizers.SGD(1e30), "categorical_crossentropy")
        return model

    failure = failure_of(custom(make_job, build))
    assert failure.kind is FailureKind.NAN_LOSS
    assert failure.message.endswith("in epoch 1 at learning rate 1e+30")


def test_memory_that_is_not_there(make_job: Any) -> None:
    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        import numpy as np

        return np.empty(1 << 56)

    assert failure_of(custom(make_job, build)).kind is FailureKind.OUT_OF_MEMORY


def test_the_process_is_fit_for_the_next_job(make_job: Any) -> None:
    failure_of(make_job(settings={"blocks": 5}))
    assert run(make_job(budget=1), InProcess()) is not None


def test_an_unknown_kind_of_job() -> None:
    with pytest.raises(TypeError, match="no runner for a dict"):
        run({}, InProcess())  # type: ignore[arg-type]
