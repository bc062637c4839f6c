"""The rows of a job: positions in its data set, from names of splits or from a file, checked before building."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fertune.data import ImageDataset
from fertune.errors import DataError, RunError
from fertune.trial import Rows

Positions = npt.NDArray[np.int32]


def positions_of(rows: Rows, dataset: ImageDataset) -> Positions:
    """int32 (n,) positions in ``dataset``, in the order of the file (or ascending, for splits); may repeat.

    Raises:
        RunError: The file or its array is missing or cannot be read.
        DataError: No rows, a position outside of the data set, or no split of that name.
    """
    if rows.file is None:
        chosen = dataset.positions(*rows.splits)
        what = f"split {' + '.join(rows.splits)}"
    else:
        what = f"{rows.file}[{rows.key}]"
        chosen = _read(Path(rows.file), rows.key)
    if len(chosen) == 0:
        raise DataError(f"{what} has no rows")
    if chosen.min() < 0 or chosen.max() >= len(dataset):
        raise DataError(f"{what} names rows {chosen.min()} to {chosen.max()}; the data set has 0 to {len(dataset) - 1}")
    return chosen


def _read(path: Path, key: str) -> Positions:
    try:
        with np.load(path, allow_pickle=False) as stored:
            array = np.asarray(stored[key])
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"the rows of a job cannot be read from {path}[{key}]: {error}") from error
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise RunError(f"{path}[{key}] holds {array.dtype} {array.shape} where whole numbers (n,) are needed")
    return array.astype(np.int32)


@dataclass(frozen=True)
class Part:
    """Rows with their labels.

    Attributes:
        positions: int32 (n,) in the data set.
        labels: int32 (n,), 0 to classes-1.
    """

    positions: Positions
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def digest(self) -> str:
        """sha256 of the positions: which rows these are."""
        return hashlib.sha256(np.ascontiguousarray(self.positions, "<i4").tobytes()).hexdigest()


def part_of(part: Part, share: float, seed: int) -> Part:
    """A share of the rows of each class, at least one; a smaller share of the same seed is contained in a larger one.

    Args:
        share: Above 0 to 1.
    """
    if share >= 1.0:
        return part
    chosen = []
    for label in np.unique(part.labels):
        rows = np.flatnonzero(part.labels == label)
        order = np.random.default_rng([seed, int(label)]).permutation(rows)
        chosen.append(order[: max(round(share * len(rows)), 1)])
    kept = np.sort(np.concatenate(chosen))
    return Part(part.positions[kept], part.labels[kept])


def labelled(rows: Rows, dataset: ImageDataset, what: str) -> Part:
    """The rows with their labels; a row without one is a DataError."""
    chosen = positions_of(rows, dataset)
    labels = np.asarray(dataset.labels[chosen], np.int32)
    without = chosen[labels < 0]
    if len(without):
        raise DataError(f"{len(without)} of {len(chosen)} {what} rows have no label; the first is at {without[0]}")
    return Part(chosen, labels)
