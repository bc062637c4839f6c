"""What a ``.keras`` file says of its pictures and classes, read without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fertune.training.model_shape import shape_faults
from tests.bundle.craft import keras_file

ENTRY: dict[str, Any] = {"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 6, 1], "name": "in"}}
DENSE: dict[str, Any] = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 5, "name": "out"}}


def functional(*layers: dict[str, Any], at: Any = "in", to: Any = "out") -> dict[str, Any]:
    ends = {"input_layers": [at, 0, 0], "output_layers": [[to, 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "f", "layers": list(layers), **ends}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def entry(*sides: Any) -> dict[str, Any]:
    return {"class_name": "InputLayer", "config": {"batch_shape": [None, *sides], "name": "in"}}


SOFTMAX: dict[str, Any] = {
    "class_name": "Softmax",
    "config": {"name": "out"},
    "inbound_nodes": [{"args": [{"config": {"shape": [None, 5]}}]}],
}
MODELS = [
    functional(ENTRY, DENSE),
    functional(ENTRY, SOFTMAX),
    functional(sequential(ENTRY), sequential(DENSE, SOFTMAX), at="s", to="s"),
    sequential(ENTRY, DENSE),
    sequential(ENTRY, DENSE, SOFTMAX),
    sequential(functional(ENTRY, DENSE)),
]


def faults(config: Any, tmp_path: Path, shape: tuple[int, ...] = (8, 6, 1), classes: int = 5) -> list[str]:
    path = tmp_path / "model.keras"
    path.write_bytes(keras_file(config))
    return list(shape_faults(path, shape, classes))


@pytest.mark.parametrize("config", [MODELS[0], MODELS[1], *MODELS[3:]])
def test_other_shapes_and_classes_are_told(config: Any, tmp_path: Path) -> None:
    assert faults(config, tmp_path) == []
    assert faults(config, tmp_path, (6, 8, 1)) == ["takes pictures of 8 x 6 x 1 where 6 x 8 x 1 is stated"]
    assert faults(config, tmp_path, (8, 6, 3)) == ["takes pictures of 8 x 6 x 1 where 8 x 6 x 3 is stated"]
    assert faults(config, tmp_path, classes=7) == ["gives 5 values a picture where 7 classes are stated"]


@pytest.mark.parametrize(
    ("sides", "fine"),
    [
        ((None, None, 1), True),
        ((8, 6), True),
        ((8, 6, 1, 1), True),
        ((None, None, 3), False),
        ((48,), False),
        ((), False),
    ],
)
def test_any_size_and_a_last_axis_of_1(sides: tuple[Any, ...], fine: bool, tmp_path: Path) -> None:
    assert (faults(functional(entry(*sides), DENSE), tmp_path) == []) == fine


@pytest.mark.parametrize(
    "config",
    [
        {},
        [],
        {"class_name": "Mine", "config": None},
        {"class_name": "Sequential", "config": {"layers": [7]}},
        {"class_name": "Functional", "config": {"input_layers": 3, "output_layers": []}},
        {"class_name": "Mine", "config": {"units": 9}},
        functional(ENTRY, {"class_name": "Dense", "module": "mine", "config": {"units": 9, "name": "out"}}),
    ],
)
def test_what_does_not_tell_is_not_judged(config: Any, tmp_path: Path) -> None:
    assert faults(config, tmp_path) == []
