"""Models of a user's own: what is taken, what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import cloudpickle
import keras
import pytest

from fertune.errors import ConfigError
from fertune.models import CUSTOM, build_model

layers = keras.layers


def made(build: Any) -> Any:
    return build_model(CUSTOM, {"width": 3}, (8, 8, 1), 4, cloudpickle.dumps(build))


def net(*last: Any) -> Any:
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), *last])


def test_params_shape_and_classes_are_passed_on() -> None:
    seen = {}

    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        seen.update(params, shape=input_shape, n=n_classes)
        return net(layers.Dense(n_classes, "softmax", name=f"w{params['width']}_{n_classes}_{input_shape[0]}"))

    assert made(build).layers[-1].name == "w3_4_8"
    assert seen == {}, "it went by value"


@pytest.mark.parametrize(
    ("last", "says"),
    [
        ([layers.Dense(3, "softmax")], r"outputs of shape \(3,\); there are 4 classes"),
        ([layers.Dense(4)], 'not probabilities.*Dense\\(n_classes, activation="softmax"\\)'),
        ([layers.Dense(4, "sigmoid")], "not probabilities"),
        ([layers.Lambda(lambda x: x, name="mine"), layers.Dense(4, "softmax")], "layer 'mine' is a Lambda"),
    ],
)
def test_models_that_are_refused(last: list[Any], says: str) -> None:
    config = [keras.saving.serialize_keras_object(x) for x in last]

    def build(params: Any, input_shape: Any, n_classes: int) -> Any:
        keras.config.enable_unsafe_deserialization()
        return net(*[keras.saving.deserialize_keras_object(c) for c in config])

    with pytest.raises(ValueError, match=says):
        made(build)


def test_something_else_and_nothing() -> None:
    with pytest.raises(ValueError, match="returned dict; it must return a keras.Model"):
        made(lambda params, input_shape, n_classes: {})
    with pytest.raises(ConfigError, match="needs its build function"):
        build_model(CUSTOM, {}, (8, 8, 1), 4, None)
