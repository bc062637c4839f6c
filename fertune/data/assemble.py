"""From what a source read to a data set: twin clusters, a validation split, a fingerprint."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fertune.data.dataset import SPLITS, ImageDataset
from fertune.data.groups import join_groups, twin_groups
from fertune.errors import ConfigError, DataError
from fertune.folds import split_groups

TRAIN, VALIDATION, TEST, UNLABELLED = range(len(SPLITS))
VALIDATION_SHARE = 0.1
TEST_SHARE = 0.15
MORE = "give validation rows of their own, or more pictures that differ: copies and mirror images count once"


@dataclass(frozen=True, eq=False)
class Parsed:
    """What a source read. See ``ImageDataset`` for the arrays.

    Attributes:
        images: uint8 (n, h, w, c).
        labels: int32 (n,), -1 for none.
        split: int8 (n,).
        row_ids: int32 (n,).
        groups: int32 (n,), rows that must not be parted (a person, an actor), any numbers; None for none. Twins are
            found from the pictures and joined with them.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    split: NDArray[np.int8]
    row_ids: NDArray[np.int32]
    class_names: tuple[str, ...]
    name: str
    notes: tuple[str, ...] = ()
    groups: NDArray[np.int32] | None = None


def assemble(parsed: Parsed, *, source: str, every_class: bool = False) -> ImageDataset:
    """Add twin clusters, a fingerprint, and notes on classes without rows; the splits stay as they are.

    Args:
        every_class: Refuse a class without training rows, which no model could learn, instead of noting it.

    Raises:
        DataError: No training rows; or none of some class.
    """
    train = parsed.labels[parsed.split == TRAIN]
    if len(train) == 0:
        raise DataError(f"{parsed.name} has no training rows")
    in_train = np.bincount(train, minlength=len(parsed.class_names))
    lacking = []
    for label in np.flatnonzero(in_train == 0):
        name = parsed.class_names[label]
        elsewhere = bool(np.any(parsed.labels == label))
        lacking.append(f"class {name!r} has no {'training rows' if elsewhere else 'rows'}")
    if lacking and every_class:
        raise DataError(
            f"{parsed.name} has {'a class' if len(lacking) == 1 else f'{len(lacking)} classes'} that cannot be learned",
            details=lacking,
            help="give training pictures of it or take it out; --skip-bad-rows goes on without",
        )
    notes = [*parsed.notes, *lacking]
    twins = twin_groups(parsed.images)
    dataset = ImageDataset(
        images=parsed.images, labels=parsed.labels.astype(np.int32), class_names=parsed.class_names,
        row_ids=parsed.row_ids.astype(np.int32), split=parsed.split.astype(np.int8),
        groups=join_groups(twins, parsed.groups), twins=twins, name=parsed.name, fingerprint="", source=source,
        notes=tuple(notes),
    )  # fmt: skip
    return replace(dataset, fingerprint=dataset.fingerprint_now())


def lacks_validation(dataset: ImageDataset) -> bool:
    return not np.any(dataset.split == VALIDATION)


def carve_validation(dataset: ImageDataset, seed: int) -> ImageDataset:
    """Where no validation rows were given, make a stratified tenth of train validation; twins stay together.

    Raises:
        DataError: Train is a single picture.
    """
    if not lacks_validation(dataset):
        return dataset
    train = dataset.positions("train")
    try:
        _, cut = split_groups(train, dataset.labels, dataset.groups, VALIDATION_SHARE, seed)
    except ConfigError as error:
        raise DataError(
            f"{dataset.name} has no validation rows, and {len(train):,} training rows cannot be divided",
            details=[error.message],
            help=MORE,
        ) from error
    split = np.array(dataset.split)
    split[cut] = VALIDATION
    note = (
        f"no validation rows were given: {len(cut):,} of {len(train):,} training rows are used "
        f"(a stratified tenth, twins kept together, seed {seed})"
    )
    carved = replace(dataset, split=split, notes=(*dataset.notes, note))
    return replace(carved, fingerprint=carved.fingerprint_now())


def deal_splits(
    images: NDArray[np.uint8], labels: NDArray[np.int32], seed: int, groups: NDArray[np.int32] | None = None
) -> NDArray[np.int8]:
    """int8 (n,): 70 % train, 15 % validation, 15 % test, stratified, twins and the given groups kept together."""
    together = join_groups(twin_groups(images), groups)
    split = np.full(len(labels), TRAIN, np.int8)
    rest, test = split_groups(np.arange(len(labels)), labels, together, TEST_SHARE, seed)
    _, validation = split_groups(rest, labels, together, TEST_SHARE * len(labels) / len(rest), seed + 1)
    split[test] = TEST
    split[validation] = VALIDATION
    return split


def deal(parsed: Parsed) -> Parsed:
    """The same with splits dealt by ``deal_splits`` and a note that says so; for sources that have none.

    Raises:
        DataError: Too few distinct pictures to divide.
    """
    try:
        split = deal_splits(parsed.images, parsed.labels, 0, parsed.groups)
    except ConfigError as error:
        raise DataError(
            f"{parsed.name} has no splits, and its {len(parsed.labels):,} pictures cannot be divided",
            details=[error.message],
            help=MORE,
        ) from error
    sizes = [f"{int(np.sum(split == index)):,} {SPLITS[index]}" for index in (TRAIN, VALIDATION, TEST)]
    kept = "twins kept together" if parsed.groups is None else "twins and groups kept together"
    note = f"no splits were given: {', '.join(sizes)} rows were dealt (stratified, {kept}, seed 0)"
    return replace(parsed, split=split, notes=(*parsed.notes, note))
