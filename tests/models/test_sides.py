"""Models over the layers of another one: small pictures at the front."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fertune.errors import ConfigError
from fertune.models import build_model
from fertune.models.catalog import FAMILIES, complete
from fertune.models.feasible import conv_params, infeasible
from fertune.models.sides import at_side, side_of
from fertune.training.load import load_model, save_model

SMALL: dict[str, Any] = {
    "blocks": 2, "filters_1": 4, "filters_2": 4, "dense_units": 0, "pooling": "average", "augment": True, "zoom": 0.1,
}  # fmt: skip
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 1), dtype=np.uint8)


def build(**settings: Any) -> Any:
    keras.utils.set_random_seed(3)
    return build_model("conv", {**SMALL, **settings}, (24, 20, 1), 5)


def proba(model: Any, pictures: Any = PICTURES) -> Any:
    return keras.ops.convert_to_numpy(model(pictures, training=False))


def test_a_smaller_side_has_the_same_weights() -> None:
    model = build()
    small = at_side(model, 12)
    assert [id(v) for v in small.weights] == [id(v) for v in model.weights]
    resized = keras.layers.Resizing(12, 12)(PICTURES.astype(np.float32))
    by_hand = build_model("conv", SMALL, (12, 12, 1), 5)
    by_hand.set_weights(model.get_weights())
    assert proba(small) == pytest.approx(proba(by_hand, resized), abs=1e-6)
    assert np.abs(proba(small) - proba(model)).max() > 1e-5


def test_a_net_whose_weights_hang_on_the_size_has_no_smaller_side() -> None:
    with pytest.raises(ConfigError, match="any size"):
        at_side(build(pooling="flatten"), 12)


def test_the_side_of_a_model_is_what_its_convolutions_see() -> None:
    assert side_of(build(), (24, 20, 1)) == 20 and side_of(build(input_side=16), (24, 20, 1)) == 16


def test_an_input_side_resizes_in_the_model(tmp_path: Path) -> None:
    model = build(input_side=16, pooling="flatten")
    assert model.input_shape == (None, 24, 20, 1) and model.layers[-2].output.shape == (None, 4 * 4 * 4)
    save_model(model, tmp_path / "m.keras")
    assert proba(load_model(tmp_path / "m.keras")) == pytest.approx(proba(model), abs=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"input_side": 16, "pooling": "flatten", "dense_units": 7},
        {"convs": 2, "convs_1": 1, "convs_2": 3},
        {"convs_2": 2, "batch_norm": False},
    ],
)
def test_weights_are_counted_before_anything_is_built(settings: dict[str, Any]) -> None:
    known = complete(FAMILIES["conv"].settings, {**SMALL, **settings}, where="x")
    assert conv_params(known, (24, 20, 1), 5) == build(**settings).count_params()


def test_blocks_must_fit_the_input_side() -> None:
    why = infeasible("conv", {"blocks": 4, "input_side": 8}, (48, 48, 1), 7)
    assert why is not None and "block 4 pools a 1x1 map" in why
    with pytest.raises(ValueError, match="block 4 pools a 1x1 map"):
        build(blocks=4, input_side=8)


def test_convolutions_block_by_block() -> None:
    model = build(convs=2, convs_1=1)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 3
