"""Rows in the order of an epoch, batch by batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fertune.training.augment import Moves
from fertune.training.rows import Part


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Pictures, labels, and weights where classes are weighted.

    The order of an epoch is a permutation drawn from (seed, epoch) alone, so a continued run goes on with the order
    that an undisturbed one has. Every batch has the same size: the last one is filled up from the head of the same
    order. (One shape is one compilation, which matters on JAX; and no tiny batch meets batch normalisation.)

    Args:
        images: uint8 (n, h, w, c), the whole data set; only rows of ``part`` are read.
        part: Rows that are fitted; a repeated row is trained as often as it stands there.
        size: Rows a batch; at most the rows there are.
        seed: At least 0.
        targets: (classes, ...) what the loss wants for each class.
        weights: float32 (classes,), or None.
        moves: Moves pictures, anew in each epoch; what they do to a batch comes from (seed, epoch, batch) alone.
        dtype: Of the pictures: uint8, or float32 (still 0 to 255) for models that do not cast their input.
    """

    def __init__(
        self, images: npt.NDArray[np.uint8], part: Part, *, size: int, seed: int, targets: npt.NDArray[Any],
        weights: npt.NDArray[np.float32] | None = None, dtype: Any = np.uint8,
        moves: Moves | None = None,
    ) -> None:  # fmt: skip
        super().__init__(workers=1, use_multiprocessing=False)
        self._images, self._part, self._seed = images, part, seed
        self._targets, self._weights, self._dtype = targets, weights, dtype
        self._moves, self._epoch = moves, 0
        self._size = min(size, len(part))
        self._order = self.order(0)

    def order(self, epoch: int) -> npt.NDArray[np.int64]:
        """int64 (batches x size,): indices into the part for an epoch counted from 0."""
        rows = np.random.default_rng([self._seed, epoch]).permutation(len(self._part))
        return np.resize(rows, self.num_batches * self._size)

    def begin(self, epoch: int) -> None:
        """Take the order of this epoch; called before its first batch is read."""
        self._epoch, self._order = epoch, self.order(epoch)

    @property
    def num_batches(self) -> int:
        return -(-len(self._part) // self._size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        rows = self._order[index * self._size : (index + 1) * self._size]
        labels = self._part.labels[rows]
        pictures = self._images[self._part.positions[rows]]
        if self._moves is not None:
            pictures = self._moves(pictures, np.random.default_rng([self._seed, self._epoch, index]))
        pictures = pictures.astype(self._dtype, copy=False)
        if self._weights is None:
            return pictures, self._targets[labels]
        return pictures, self._targets[labels], self._weights[labels]
