"""Probabilities of rows, in batches of one shape by one compiled function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.data import ImageDataset
from fertune.files import write_npz
from fertune.training.rows import Positions, positions_of
from fertune.trial import PredictJob

BATCH_PIXELS = 600_000
"""Pixels of a prediction batch: 256 pictures of 48x48. Larger ones were not faster, and take memory."""


class Predictor:
    """Predicts rows of one data set with one model; its weights may change between calls.

    The last batch is filled up with copies of its last row, which are dropped again: one shape, one compilation.
    ``predict_on_batch`` is used rather than ``predict``, which builds a new input pipeline at each call.
    """

    def __init__(self, model: Any, images: npt.NDArray[np.uint8]) -> None:
        self._model, self._images = model, images
        self._dtype = picture_dtype(model)
        height, width = images.shape[1:3]
        self._size = int(np.clip(BATCH_PIXELS // (height * width), 16, 512))

    def __call__(self, positions: Positions) -> npt.NDArray[np.float32]:
        """float32 (n, classes) in the order of ``positions``."""
        size = min(self._size, -(-len(positions) // 16) * 16)
        parts = []
        for start in range(0, len(positions), size):
            rows = positions[start : start + size]
            filled = np.concatenate([rows, np.repeat(rows[-1:], size - len(rows))])
            pictures = self._images[filled].astype(self._dtype, copy=False)
            parts.append(np.asarray(self._model.predict_on_batch(pictures), np.float32)[: len(rows)])
        return np.concatenate(parts)


def picture_dtype(model: Any) -> Any:
    """uint8 where the model casts its input itself (all functional models do), else float32."""
    return np.uint8 if type(model).__name__ == "Functional" else np.float32


def write_proba(
    path: Path, dataset: ImageDataset, positions: Positions, proba: npt.NDArray[np.float32], **more: npt.NDArray[Any]
) -> None:
    """npz with ``row`` int32 (row ids of the source), ``position`` int32, ``proba`` float32 (n, classes)."""
    write_npz(path, {
        "row": np.asarray(dataset.row_ids[positions], np.int32), "position": positions.astype(np.int32),
        "proba": proba.astype(np.float32, copy=False), **more,
    }, compressed=False)  # fmt: skip


def predict(job: PredictJob) -> None:
    """Do a PredictJob: load, predict, write in one step.

    Raises:
        DataError: Not the data set that was asked for, or no such rows.
        RunError: The model is not there or cannot be loaded.
    """
    from fertune.training.load import load_model

    dataset = ImageDataset.open(job.data, job.fingerprint)
    positions = positions_of(job.rows, dataset)
    model = load_model(Path(job.model))
    write_proba(Path(job.out), dataset, positions, Predictor(model, dataset.images)(positions))
