"""Predictions as the mean over several looks: at the mirror image, and at pictures that are shifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fertune.models import build_model
from fertune.models.looks import Looks
from fertune.training.load import load_model, save_model
from fertune.training.model_shape import shape_faults

SMALL: dict[str, Any] = {
    "blocks": 2, "filters_1": 4, "filters_2": 4, "dense_units": 0, "pooling": "average", "augment": True, "zoom": 0.1,
}  # fmt: skip
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 24, 20, 1), dtype=np.uint8)


def build() -> Any:
    keras.utils.set_random_seed(3)
    return build_model("conv", SMALL, (24, 20, 1), 5)


def proba(model: Any, pictures: Any = PICTURES) -> Any:
    return keras.ops.convert_to_numpy(model(pictures, training=False))


def test_the_mirror_image_counts_half_and_the_file_loads(tmp_path: Path) -> None:
    model = build()
    both = Looks(mirror=True, down=0, across=0).over(model)
    by_hand = (proba(model) + proba(model, PICTURES[:, :, ::-1])) / 2
    assert proba(both) == pytest.approx(by_hand, abs=1e-6)
    assert both.count_params() == model.count_params()
    save_model(both, tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert proba(again) == pytest.approx(by_hand, abs=1e-6)
    assert list(shape_faults(tmp_path / "m.keras", (24, 20, 1), 5)) == []
    assert len(list(shape_faults(tmp_path / "m.keras", (28, 20, 1), 4))) == 2


@pytest.mark.parametrize(("mirror", "down", "across", "count"), [
    (False, 2, 1, 5), (True, 2, 1, 10), (True, 0, 3, 6), (False, 2, 0, 3), (False, 0, 0, 1), (True, 0, 0, 2),
])  # fmt: skip
def test_shifted_looks_count_alike_and_the_file_loads(
    tmp_path: Path, mirror: bool, down: int, across: int, count: int
) -> None:
    model = build()
    looks = Looks(mirror, down, across)
    made = looks.over(model)
    wide = np.pad(PICTURES, [(0, 0), (down, down), (across, across), (0, 0)], mode="symmetric")
    seen = [PICTURES]
    if down or across:
        seen += [wide[:, t : t + 24, s : s + 20] for t in {0, 2 * down} for s in {0, 2 * across}]
    if mirror:
        seen += [look[:, :, ::-1] for look in seen]
    assert len(seen) == count == looks.count
    assert (made is model) == (count == 1)
    by_hand = np.mean([proba(model, look) for look in seen], axis=0)
    assert proba(made) == pytest.approx(by_hand, abs=1e-6)
    save_model(made, tmp_path / "m.keras")
    assert proba(load_model(tmp_path / "m.keras")) == pytest.approx(by_hand, abs=1e-6)
    assert list(shape_faults(tmp_path / "m.keras", (24, 20, 1), 5)) == []
