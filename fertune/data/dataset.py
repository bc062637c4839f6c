"""The one value that pictures travel in, and how it lies on disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fertune.errors import DataError, did_you_mean

SPLITS = ("train", "validation", "test", "unlabelled")
PROTOCOL = 1  # raise it when the files or the meaning of a fingerprint change
ARRAYS = ("labels", "row_ids", "split", "groups")
CHUNK = 1 << 24
OBJECT = "python:"  # begins the source of what was given as a Python object


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Labelled pictures of one size.

    Attributes:
        images: uint8 (n, h, w, c), 0 black to 255 white; c is 1 for gray, 3 for red green blue. Often a memory map.
        labels: int32 (n,), index into ``class_names``; -1 where there is none.
        class_names: One name a class.
        row_ids: int32 (n,), the number of each row in its source: data rows of a csv from 0, files in the order of
            their sorted paths, rows of an npz over train, validation, test.
        split: int8 (n,), index into ``SPLITS``.
        groups: int32 (n,), rows with the same number are never parted by a fold: twins, and what a group column of the
            source holds together, joined with them.
        name: Short name for people.
        fingerprint: sha256 over pixels, labels, class names and splits, and groups where they are more than twins;
            same fingerprint, same data.
        source: As the user typed it.
        folder: Where it lies in the cache; None for one that is only in memory.
        notes: What people should know of it, one sentence each.
        options: How its source was read, as ``ReadOptions.to_json`` writes it.
        twins: int32 (n,), pictures with the same bytes, or exact mirror images of each other, have the same number,
            whatever their split. The same as ``groups`` where the source has no groups of its own (None means that).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    row_ids: NDArray[np.int32]
    split: NDArray[np.int8]
    groups: NDArray[np.int32]
    name: str
    fingerprint: str
    source: str = ""
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    twins: NDArray[np.int32] = field(default=None)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if self.twins is None:
            object.__setattr__(self, "twins", self.groups)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        height, width, channels = self.images.shape[1:]
        return height, width, channels

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    @property
    def grouped(self) -> bool:
        """Whether rows that are no twins are kept together."""
        return self.twins is not self.groups and not np.array_equal(self.twins, self.groups)

    def positions(self, *splits: str) -> NDArray[np.int32]:
        """int32 positions, ascending, of the rows in these splits.

        Raises:
            DataError: No such split.
        """
        for name in splits:
            if name not in SPLITS:
                raise DataError(f"no split named {name!r}; legal: {', '.join(SPLITS)}{did_you_mean(name, SPLITS)}")
        wanted = [SPLITS.index(name) for name in splits]
        return np.flatnonzero(np.isin(self.split, wanted)).astype(np.int32)

    def counts(self) -> dict[str, list[int]]:
        """Rows of each class, by split; all zero for ``unlabelled``, whose rows have no class."""
        table = {}
        for index, name in enumerate(SPLITS):
            labels = self.labels[(self.split == index) & (self.labels >= 0)]
            table[name] = [int(n) for n in np.bincount(labels, minlength=self.n_classes)]
        return table

    def save(self, folder: str | Path) -> ImageDataset:
        """Write it to a folder in one step (a temporary folder beside it, then a rename) and open it from there.

        What stood there before is replaced.
        """
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        draft.mkdir()
        try:
            if self.folder is None or not _link(self.folder / "images.npy", draft / "images.npy"):
                np.save(draft / "images.npy", self.images)
            names = (*ARRAYS, "twins") if self.grouped else ARRAYS
            with open(draft / "arrays.npz", "wb") as file:
                np.savez(file, **{name: getattr(self, name) for name in names})
            text = json.dumps(self._meta(), indent=1, ensure_ascii=False)
            (draft / "meta.json").write_text(text + "\n", encoding="utf-8")
            _swap(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return ImageDataset.open(folder, self.fingerprint)

    def _meta(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL, "name": self.name, "source": self.source, "fingerprint": self.fingerprint,
            "class_names": list(self.class_names), "shape": list(self.images.shape), "notes": list(self.notes),
        }  # fmt: skip

    @classmethod
    def open(cls, folder: str | Path, fingerprint: str | None = None) -> ImageDataset:
        """Open what ``save`` wrote; the pictures stay on disk (a memory map shared by all processes).

        Args:
            folder: Of the data set.
            fingerprint: What it must have; None takes any.

        Raises:
            DataError: No data set there, a damaged one, one of another protocol, or another one.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise DataError(f"no cached data set in {folder}")
        try:
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            if meta["protocol"] != PROTOCOL:
                raise DataError(f"the data set in {folder} has protocol {meta['protocol']}; this is {PROTOCOL}")
            images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
            with np.load(folder / "arrays.npz", allow_pickle=False) as file:
                arrays = {name: file[name] for name in (*ARRAYS, *({"twins"} & set(file.files)))}
            dataset = cls(
                images=images, class_names=tuple(meta["class_names"]), name=meta["name"], source=meta["source"],
                fingerprint=meta["fingerprint"], folder=folder, notes=tuple(meta["notes"]), **arrays,
            )  # fmt: skip
            if list(images.shape) != meta["shape"] or any(len(a) != len(images) for a in arrays.values()):
                raise DataError(f"the data set in {folder} is damaged: its arrays are not of one length")
        except DataError:
            raise
        # any file of the folder may be cut off, overwritten or gone, and each library has its own word for it
        except Exception as error:
            raise DataError(f"the data set in {folder} is damaged: {error}") from error
        if fingerprint is not None and dataset.fingerprint != fingerprint:
            raise DataError(
                f"the data in {folder} are not those that were asked for",
                details=[f"asked for {fingerprint[:16]}, found {dataset.fingerprint[:16]}"],
            )
        return dataset

    def verify(self) -> bool:
        """Whether pixels, labels, classes and splits are still those of the fingerprint. Reads everything."""
        return self.fingerprint_now() == self.fingerprint

    def fingerprint_now(self) -> str:
        """The fingerprint, computed from what is there. Reads everything."""
        groups = self.groups if self.grouped else None
        return fingerprint_of(self.images, self.labels, self.class_names, self.split, groups)

    def named(self, name: str, source: str) -> ImageDataset:
        """The same data under another name."""
        return replace(self, name=name, source=source)

    @classmethod
    def from_arrays(
        cls, x_train: ArrayLike, y_train: ArrayLike, *,
        x_val: ArrayLike | None = None, y_val: ArrayLike | None = None,
        x_test: ArrayLike | None = None, y_test: ArrayLike | None = None,
        class_names: ArrayLike | None = None, name: str = "arrays", seed: int = 0,
    ) -> ImageDataset:  # fmt: skip
        """A data set in memory from arrays.

        Args:
            x_train: (n, h, w) or (n, h, w, c), uint8; or whole numbers 0 to 255; or floats 0 to 1.
            y_train: (n,), whole numbers from 0, or names.
            x_val: As ``x_train``; None takes a tenth of train.
            y_val: As ``y_train``.
            x_test: As ``x_train``.
            y_test: As ``y_train``; without it the test pictures are ``unlabelled``.
            class_names: One name a class; else the labels themselves, sorted, are the names.
            name: For people.
            seed: Of the stratified tenth of train that becomes validation where ``x_val`` is missing.

        Raises:
            DataError: All faults of the arrays at once.
        """
        from fertune.data.assemble import assemble, carve_validation
        from fertune.data.sources.npz import parse_arrays

        given = {
            "x_train": x_train, "y_train": y_train, "x_val": x_val, "y_val": y_val, "x_test": x_test,
            "y_test": y_test, "class_names": class_names,
        }  # fmt: skip
        arrays = {key: value for key, value in given.items() if value is not None}
        return carve_validation(assemble(parse_arrays(arrays, name), source=f"{OBJECT}{name}"), seed)


def fingerprint_of(
    images: NDArray[np.uint8],
    labels: NDArray[np.int32],
    class_names: tuple[str, ...],
    split: NDArray[np.int8],
    groups: NDArray[np.int32] | None = None,
) -> str:
    """sha256, as hex, of what a model can learn from: pixels, labels, class names, splits; and the protocol.

    Args:
        images, labels, class_names, split: See ``ImageDataset``.
        groups: Where they are more than twins, which follow from the pixels; else None.
    """
    digest = hashlib.sha256()
    head = {"protocol": PROTOCOL, "shape": list(images.shape), "class_names": list(class_names)}
    digest.update(json.dumps(head).encode())
    digest.update(np.ascontiguousarray(labels, "<i4").tobytes())
    digest.update(np.ascontiguousarray(split, "i1").tobytes())
    if groups is not None:
        digest.update(b"groups" + np.ascontiguousarray(groups, "<i4").tobytes())
    step = max(1, CHUNK // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        digest.update(np.ascontiguousarray(images[start : start + step]).data)
    return digest.hexdigest()


def _link(old: Path, new: Path) -> bool:
    """Whether ``new`` now shares the bytes of ``old``; not every file system can do that."""
    try:
        os.link(old, new)
    except OSError:
        return False
    return True


def _swap(draft: Path, folder: Path) -> None:
    """Put ``draft`` in the place of ``folder``."""
    if folder.exists():
        old = folder.with_name(f"{draft.name}.old")
        folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(folder)
