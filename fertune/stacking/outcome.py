"""What a finished stack leaves for its readers: the table, test predictions, a few pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fertune.data import ImageDataset
from fertune.data.samples import pictures_at, split_samples
from fertune.evaluation import Contender
from fertune.predictions import OOF
from fertune.stacking.learners import Learned
from fertune.store import write_arrays, write_json

MISTAKES = 24


def write_test(
    folder: Path, comparison: Mapping[str, Any], contenders: Sequence[Contender], **arrays: np.ndarray
) -> None:
    """``test.npz``: probabilities (rows, rows of the table, classes) in the order of the table, beside ``arrays``."""
    by_name = {c.name: c.test_proba for c in contenders if c.test_proba is not None}
    names = [row["name"] for row in comparison["rows"]]
    proba = np.stack([by_name[name] for name in names], axis=1).astype(np.float32)
    write_arrays(folder / "test.npz", **arrays, proba=proba, names=np.array(names))


def write_outcome(folder: Path, comparison: Mapping[str, Any], learned: Sequence[Learned], oof: OOF) -> None:
    """``meta.json``, ``chosen_oof.npz`` and ``comparison.json``, in this order: the table ends a stack."""
    write_json(folder / "meta.json", {"learners": [x.to_json() for x in learned]})
    for x in learned:
        if x.name == comparison["chosen"] and oof.labels is not None:
            write_arrays(
                folder / "chosen_oof.npz", row=oof.rows, labels=oof.labels, proba=x.oof_proba.astype(np.float32)
            )
    write_json(folder / "comparison.json", dict(comparison))


def write_pictures(folder: Path, data: ImageDataset, test: np.ndarray, proba: np.ndarray, seed: int) -> None:
    """The few test pictures that the report shows: some at random, and the surest mistakes.

    Args:
        test: Positions of the test rows.
        proba: (test rows, classes) of the chosen stack.
        seed: Of the random ones.
    """
    wrong = np.flatnonzero(proba.argmax(1) != data.labels[test])
    order = wrong[np.argsort(-proba[wrong].max(1), kind="stable")][:MISTAKES]
    write_arrays(folder / "gallery.npz", **split_samples(data, "test", seed=seed))
    write_arrays(folder / "mistakes.npz", **pictures_at(data, test[order]))
