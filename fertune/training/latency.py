"""How long a trained model takes for a picture, where it was trained."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.training.predict import picture_dtype
from fertune.training.rows import Positions

BATCH = 32
WARM_UP = 3
REPEATS = 30
PATIENCE = 5.0
"""Seconds after which no further repeat is begun; three are made in any case."""


def milliseconds_a_picture(model: Any, images: npt.NDArray[np.uint8], positions: Positions) -> float:
    """Median over repeated predictions of one batch of 32 pictures, divided by 32.

    Other processes on the machine make it larger: compare models of one run, not of two machines.

    Args:
        model: Built, with weights.
        images: uint8 (n, h, w, c).
        positions: Which of them may be taken; repeated where they are fewer than a batch. At least one.
    """
    pictures = images[np.resize(positions, BATCH)].astype(picture_dtype(model), copy=False)
    for _ in range(WARM_UP):
        model.predict_on_batch(pictures)
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < REPEATS and (len(times) < 3 or time.perf_counter() - begun < PATIENCE):
        start = time.perf_counter()
        model.predict_on_batch(pictures)
        times.append(time.perf_counter() - start)
    return statistics.median(times) / BATCH * 1000.0
