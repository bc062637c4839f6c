"""The folds, or the single cut, of a run: made once, kept in its folder, and checked whenever they are read."""

from __future__ import annotations

from pathlib import Path

from fertune.data import ImageDataset
from fertune.folds import Fold, check_folds, check_parts, make_folds, make_holdout
from fertune.store.fold_files import read_folds, write_folds


def make_cut(data: ImageDataset, *, k: int, holdout: float, seed: int) -> list[Fold]:
    """``k`` folds over the train and validation rows, or with ``holdout`` the single cut, as one fold.

    Raises:
        ConfigError: So many folds, or such a part, are impossible for these rows.
    """
    if holdout:
        train, validation = data.positions("train"), data.positions("validation")
        return [make_holdout(train, validation, data.labels, data.groups, part=holdout, seed=seed)]
    return make_folds(data.positions("train", "validation"), data.labels, data.groups, k=k, seed=seed)


def folds_at(path: Path, data: ImageDataset, *, k: int, holdout: float, seed: int) -> list[Fold]:
    """The divisions in the file, which is written where it is not there: the same ones for the same data and options.

    Args:
        path: ``folds.npz`` of a run.
        k: Folds over the train and validation rows; not looked at with ``holdout``.
        holdout: More than 0: one cut instead, which holds out this part of the rows.
        seed: Of the draw.

    Raises:
        ConfigError: So many folds, or such a part, are impossible for these rows.
        FoldError: The file's folds would leak.
    """
    if path.exists():
        folds = read_folds(path, 1 if holdout else k)
    else:
        folds = make_cut(data, k=k, holdout=holdout, seed=seed)
        write_folds(path, folds)
    rows = data.positions("train", "validation")
    (check_parts if holdout else check_folds)(folds, rows, data.groups)
    return folds
