"""A few pictures of a data set, drawn by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.dataset import ImageDataset

A_CLASS = 8
SHOWN = 25


def class_samples(dataset: ImageDataset, *, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Up to 8 training pictures of each class.

    Returns:
        ``images`` uint8 (n, h, w, c), ``labels`` int32 (n,) and ``row`` int32 (n,), class by class.
    """
    rng = np.random.default_rng(seed)
    train = dataset.positions("train")
    picked = [
        np.sort(rng.choice(mine, size=min(A_CLASS, len(mine)), replace=False))
        for mine in (train[dataset.labels[train] == label] for label in range(dataset.n_classes))
    ]
    return pictures_at(dataset, np.concatenate(picked))


def split_samples(dataset: ImageDataset, split: str, *, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Up to 25 pictures of a split.

    Returns:
        As ``class_samples``, in the order of rows.
    """
    rows = dataset.positions(split)
    picked = np.random.default_rng(seed).choice(rows, size=min(SHOWN, len(rows)), replace=False)
    return pictures_at(dataset, np.sort(picked))


def pictures_at(dataset: ImageDataset, at: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
    """The pictures at some positions, as ``class_samples`` gives them."""
    return {"images": np.asarray(dataset.images[at]), "labels": dataset.labels[at], "row": dataset.row_ids[at]}
