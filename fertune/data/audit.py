"""What a data set has in it that a reader of its scores should know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fertune.data.dataset import ImageDataset


@dataclass(frozen=True)
class DataAudit:
    """Counts of rows, unless said otherwise. Twins are pictures with the same bytes, or exact mirror images.

    Attributes:
        train_extra: Rows of train beyond the first of their picture.
        known_extra: The same over train and validation together: independent of how validation was cut.
        validation_in_train: Rows of validation whose picture also stands in train.
        test_in_train: Rows of test whose picture also stands in train.
        test_in_known: Rows of test whose picture also stands in train or validation.
        unlabelled_in_train: Rows of unlabelled whose picture also stands in train.
        flat: Pictures of one flat colour, in all splits.
        disagreeing_groups: Twin clusters whose rows carry different labels.
        disagreeing_rows: Labelled rows in those clusters.
    """

    train_extra: int
    known_extra: int
    validation_in_train: int
    test_in_train: int
    test_in_known: int
    unlabelled_in_train: int
    flat: int
    disagreeing_groups: int
    disagreeing_rows: int


def twin_rows(dataset: ImageDataset, of: str, against: tuple[str, ...] = ("train", "validation")) -> NDArray[np.bool_]:
    """Which rows of a split show a picture that also stands in other splits.

    Returns:
        bool, one a row of ``dataset.positions(of)``, in that order.
    """
    seen = np.unique(dataset.twins[dataset.positions(*against)])
    return np.isin(dataset.twins[dataset.positions(of)], seen)


def audit(dataset: ImageDataset) -> DataAudit:
    """Count twins, flat pictures and disagreeing labels. Reads every picture once."""
    labelled = np.flatnonzero(dataset.labels >= 0)
    pairs = np.unique(np.stack([dataset.twins[labelled], dataset.labels[labelled]]), axis=1)
    found, labels_of = np.unique(pairs[0], return_counts=True)
    disagreeing = found[labels_of > 1]
    return DataAudit(
        train_extra=_extra(dataset, "train"),
        known_extra=_extra(dataset, "train", "validation"),
        validation_in_train=int(twin_rows(dataset, "validation", ("train",)).sum()),
        test_in_train=int(twin_rows(dataset, "test", ("train",)).sum()),
        test_in_known=int(twin_rows(dataset, "test").sum()),
        unlabelled_in_train=int(twin_rows(dataset, "unlabelled", ("train",)).sum()),
        flat=sum(int(np.ptp(image, axis=(0, 1)).max() == 0) for image in dataset.images),
        disagreeing_groups=len(disagreeing),
        disagreeing_rows=int(np.isin(dataset.twins[labelled], disagreeing).sum()),
    )


def _extra(dataset: ImageDataset, *splits: str) -> int:
    rows = dataset.positions(*splits)
    return len(rows) - len(np.unique(dataset.twins[rows]))
