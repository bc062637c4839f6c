"""What the models of folds and of bags said of the rows that they were kept from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fertune.predictions import Part
from fertune.stacking.pieces import Piece


def held_out(piece: Piece) -> Part:
    """Row ids int32 (k,) and probabilities float32 (k, classes) of one trained model."""
    with np.load(piece.folder / "held_out.npz", allow_pickle=False) as stored:
        return stored["row"], stored["proba"]


def out_of_bag(
    bags: Sequence[Piece], rows: npt.NDArray[np.integer], n_classes: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The mean over the bags that left a row out.

    Args:
        rows: (n,) int, row ids of the out-of-fold matrix; others are passed over.

    Returns:
        (covered, classes) probabilities, and (n,) which rows some bag left out.
    """
    where = {int(row): i for i, row in enumerate(rows)}
    total, count = np.zeros((len(where), n_classes)), np.zeros(len(where))
    for bag in bags:
        ids, proba = held_out(bag)
        known = np.array([int(row) in where for row in ids], bool)
        at = np.array([where[int(row)] for row in ids[known]], np.int64)
        total[at] += proba[known]
        count[at] += 1
    covered = count > 0
    return total[covered] / count[covered, None], covered
