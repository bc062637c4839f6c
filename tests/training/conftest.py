"""A small data set that a small net learns, and jobs on it. One thread, so that equal runs are equal to the bit."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(name, "1")

from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402

from fertune.data import ImageDataset  # noqa: E402
from fertune.trial import OBJECTIVES, Rows, TrainJob  # noqa: E402

SETTINGS = {
    "blocks": 1, "filters_1": 4, "filters_2": 4, "dense_units": 0, "batch_norm": False, "dropout": 0.1,
    "batch_size": 32, "learning_rate": 0.01,
}  # fmt: skip


def stripes(seed: int = 0, noise: float = 0.2) -> dict[str, Any]:
    """240 + 80 + 60 pictures of 12x12 in three classes: which third is bright; some labels are wrong."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 380)
    images = rng.integers(0, 120, (380, 12, 12, 1)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 4 : label * 4 + 4] += 60
    wrong = rng.random(380) < noise
    labels[wrong] = rng.integers(0, 3, wrong.sum())
    return {
        "x_train": images[:240], "y_train": labels[:240], "x_val": images[240:320], "y_val": labels[240:320],
        "x_test": images[320:], "y_test": labels[320:],
    }  # fmt: skip


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ImageDataset:
    return ImageDataset.from_arrays(**stripes()).save(tmp_path_factory.mktemp("data") / "stripes")


@pytest.fixture
def make_job(dataset: ImageDataset, tmp_path: Path) -> Callable[..., TrainJob]:
    def make(**changes: Any) -> TrainJob:
        data = changes.pop("dataset", dataset)
        settings = {**SETTINGS, **changes.pop("settings", {})}
        fields: dict[str, Any] = {
            "id": "a", "data": str(data.folder), "fingerprint": data.fingerprint, "fit": Rows(("train",)),
            "stop": Rows(("validation",)), "family": "conv", "settings": settings, "budget": 2,
            "objective": OBJECTIVES["val_accuracy"], "seed": 5, "out": str(tmp_path / "out"),
        }  # fmt: skip
        return TrainJob(**{**fields, **changes})

    return make
