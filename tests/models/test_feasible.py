"""What is said of a configuration before anything is built is what Keras would say after."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from fertune.models import build_model
from fertune.models.catalog import FAMILIES
from fertune.models.feasible import infeasible, multiply_adds, weights

GRAY = (48, 48, 1)


def drawn(seed: int) -> tuple[dict[str, Any], tuple[int, int, int], int]:
    """Settings of the conv family that differ from the defaults at random, a shape, a number of classes."""
    draw = random.Random(seed)
    settings: dict[str, Any] = {}
    for setting in FAMILIES["conv"].settings:
        if setting.kind == "bool":
            settings[setting.name] = draw.random() < 0.5
        elif setting.kind == "choice":
            settings[setting.name] = draw.choice(setting.choices)
        elif setting.kind == "int":
            settings[setting.name] = draw.randint(int(setting.low or 0), min(int(setting.high or 0), 40))
    settings["kernel_1"] = draw.choice((1, 3, 5))
    return settings, draw.choice([GRAY, (8, 8, 1), (33, 20, 3)]), draw.randint(2, 9)


def work_of(model: Any) -> int:
    """Multiplications of a built model, from the shapes of its layers."""
    total = 0
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            positions = math.prod(layer.output.shape[1:-1])
            total += positions * math.prod(layer.kernel.shape)
    return total


@pytest.mark.parametrize("seed", range(40))
def test_counts_and_faults_are_those_of_keras(seed: int) -> None:
    settings, shape, classes = drawn(seed)
    why = infeasible("conv", settings, shape, classes)
    if why is not None:
        with pytest.raises(ValueError) as caught:
            build_model("conv", settings, shape, classes)
        assert str(caught.value) == why
    else:
        model = build_model("conv", settings, shape, classes)
        assert weights("conv", settings, shape, classes) == model.count_params(), settings
        assert multiply_adds("conv", settings, shape, classes) == work_of(model), settings


def test_some_of_these_can_be_built_and_some_cannot() -> None:
    refused = sum(infeasible("conv", *drawn(seed)) is not None for seed in range(40))
    assert 5 <= refused <= 30


def test_a_limit_is_told_with_both_numbers() -> None:
    count = weights("conv", {}, GRAY, 7)
    assert count is not None
    assert infeasible("conv", {}, GRAY, 7, count) is None
    assert infeasible("conv", {}, GRAY, 7, count - 1) == f"{count:,} parameters; --max-params allows {count - 1:,}"


def test_of_a_users_own_build_nothing_is_known() -> None:
    assert infeasible("custom", {"anything": 1}, GRAY, 7, 1) is None and weights("custom", {}, GRAY, 7) is None
    assert multiply_adds("custom", {}, GRAY, 7) is None


def test_the_work_of_a_net_by_hand() -> None:
    two = {"blocks": 1, "convs": 2, "filters_1": 10, "kernel_1": 3, "pooling": "average", "dense_units": 0}
    first, second, head = 48 * 48 * 9 * 10, 48 * 48 * 90 * 10, 10 * 7
    assert multiply_adds("conv", two, GRAY, 7) == first + second + head
    assert multiply_adds("conv", {**two, "pool_after": "first"}, GRAY, 7) == first + second // 4 + head
    assert multiply_adds("conv", {**two, "input_side": 24}, GRAY, 7) == (first + second) // 4 + head
