"""The out-of-fold matrix: each row once a model, by a model that never saw it (Law 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fertune.errors import FertuneError, RunError
from fertune.files import write_npz

Part = tuple[npt.NDArray[np.integer], npt.NDArray[np.floating]]
"""What one fold's model said: rows (k,) int and probabilities (k, classes) float."""

SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be from summing to 1 (float32 softmax stays within 1e-6)."""

_FIRST = 5


class LeakError(FertuneError):
    """Out-of-fold predictions are not what they say they are: rows missing, doubled, unknown, or no probabilities."""


@dataclass(frozen=True, eq=False)
class OOF:
    """Out-of-fold probabilities of several models for the same rows.

    Attributes:
        rows: (n,) int32, positions in the data set, unique.
        proba: (n, models, classes) float32, rows sum to 1.
        names: Names of the models.
        fold: (n,) int8, number of the fold that held the row out; None where the models were not cut alike.
        labels: (n,) int32; None until known.
        groups: (n,) int32, rows that no fold parts: twin clusters, joined with the groups that the data name; None
            until known.
        twins: (n,) int32, twin clusters, where they are not the same as ``groups``; else None.
    """

    rows: npt.NDArray[np.int32]
    proba: npt.NDArray[np.float32]
    names: tuple[str, ...]
    fold: npt.NDArray[np.int8] | None = None
    labels: npt.NDArray[np.int32] | None = None
    groups: npt.NDArray[np.int32] | None = None
    twins: npt.NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def model(self, name: str) -> npt.NDArray[np.float32]:
        """(n, classes) float32, the probabilities of one model."""
        return self.proba[:, self.names.index(name)]

    def with_truth(self, labels: npt.NDArray[np.integer], groups: npt.NDArray[np.integer]) -> OOF:
        """The same with labels and twin clusters.

        Args:
            labels, groups: Full-length arrays of the data set, indexed by ``rows``.
        """
        return OOF(
            self.rows,
            self.proba,
            self.names,
            self.fold,
            np.asarray(labels)[self.rows].astype(np.int32),
            np.asarray(groups)[self.rows].astype(np.int32),
        )

    def save(self, path: str | Path) -> Path:
        """Write an npz: ``row``, ``proba``, ``names``; where known, ``fold``, ``labels``, ``groups``, ``twins``.

        It holds no pickle, and appears whole or not at all.
        """
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "row": self.rows,
            "proba": self.proba,
            "names": np.array(self.names, dtype=np.str_),
        }
        known = {"fold": self.fold, "labels": self.labels, "groups": self.groups, "twins": self.twins}
        arrays |= {key: array for key, array in known.items() if array is not None}
        write_npz(Path(path), arrays)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> OOF:
        """Read what ``save`` wrote.

        Raises:
            RunError: No such file, or not a whole one.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            oof = cls(
                arrays["row"],
                arrays["proba"],
                tuple(str(name) for name in arrays["names"]),
                *(arrays.get(key) for key in ("fold", "labels", "groups", "twins")),
            )
        except FileNotFoundError:
            raise RunError(f"no out-of-fold matrix at {path}") from None
        except Exception as error:  # zipfile, numpy and zlib each raise their own for a damaged file
            raise RunError(f"{path} is no readable out-of-fold matrix: {error}") from error
        known = (oof.rows, oof.proba, oof.fold, oof.labels, oof.groups, oof.twins)
        lengths = {len(array) for array in known if array is not None}
        if oof.proba.ndim != 3 or oof.proba.shape[1] != len(oof.names) or len(lengths) != 1:
            raise RunError(f"{path} is no out-of-fold matrix: {oof.proba.shape} for {len(oof.names)} models")
        return oof


def assemble(expected_rows: npt.NDArray[np.integer], parts: Mapping[str, Sequence[Part]]) -> OOF:
    """Put the parts of all folds together, or refuse with every fault of every model.

    Args:
        expected_rows: (n,) int, unique; the matrix keeps their order.
        parts: Model name -> its parts, one a fold, in the order of folds.

    Returns:
        The matrix; ``fold`` is set where the parts of all models hold the same rows.

    Raises:
        LeakError: A row that no fold covered or that two covered, an unknown row, or rows that are no probabilities.
            Never mended, never filled with a zero or a mean.
    """
    expected = np.asarray(expected_rows, dtype=np.int64)
    if len(np.unique(expected)) != len(expected):
        raise LeakError(f"expected rows: {some(repeated(expected))} more than once")
    if not parts or len(expected) == 0:
        raise LeakError(f"an out-of-fold matrix needs rows and models; {len(expected)} rows, {len(parts)} models came")
    faults: list[str] = []
    for name, pieces in parts.items():
        faults += [f"{name}: {fault}" for fault in _faults(expected, pieces)]
    widths = {np.asarray(proba).shape[1:] for pieces in parts.values() for _, proba in pieces}
    if not faults and len(widths) != 1:
        faults.append(f"models differ in their number of classes: {sorted(widths)}")
    if faults:
        raise LeakError(
            "out-of-fold predictions are not one a row by a model that never saw it; nothing was stacked",
            details=faults,
            help="fertune stack RUN [RUN ...] --out NEW    # trains the folds again",
        )
    order = np.argsort(expected, kind="stable")
    matrix = np.empty((len(expected), len(parts), *widths.pop()), dtype=np.float32)
    folds = np.full((len(expected), len(parts)), -1, dtype=np.int16)
    for column, pieces in enumerate(parts.values()):
        for fold, (rows, proba) in enumerate(pieces):
            at = order[np.searchsorted(expected, rows, sorter=order)]
            matrix[at, column] = proba
            folds[at, column] = fold
    alike = bool(np.all(folds == folds[:, :1])) and folds.max() < 128
    return OOF(expected.astype(np.int32), matrix, tuple(parts), folds[:, 0].astype(np.int8) if alike else None)


def _faults(expected: npt.NDArray[np.int64], pieces: Sequence[Part]) -> list[str]:
    """What is wrong with one model's parts, in words."""
    faults: list[str] = []
    for fold, (rows, proba) in enumerate(pieces):
        rows, proba = np.asarray(rows), np.asarray(proba)
        if rows.ndim != 1 or rows.dtype.kind not in "iu" or proba.ndim != 2 or len(rows) != len(proba):
            faults.append(f"fold {fold}: rows {rows.shape} and probabilities {proba.shape} do not belong together")
    if faults:
        return faults
    if len({np.asarray(proba).shape[1] for _, proba in pieces}) > 1:
        return ["folds differ in their number of classes"]
    every = [np.asarray(rows, dtype=np.int64) for rows, _ in pieces]
    seen = np.concatenate([np.zeros(0, dtype=np.int64), *every])
    found = {
        "covered by no fold": np.setdiff1d(expected, seen),
        "covered more than once": repeated(seen),
        "not of this matrix": np.setdiff1d(seen, expected),
    }
    for rows, (_, proba) in zip(every, pieces, strict=True):
        for what, bad in bad_rows(np.asarray(proba)).items():
            found[what] = np.concatenate([found.get(what, seen[:0]), rows[bad]])
    return [f"{some(np.sort(bad))} {what}" for what, bad in found.items() if len(bad)]


def bad_rows(proba: npt.NDArray[np.floating]) -> dict[str, npt.NDArray[np.bool_]]:
    """What is wrong, in words -> (n,) bool, which rows of (n, classes) it is true of."""
    finite = np.isfinite(proba).all(axis=1)
    sums = np.where(finite, proba.sum(axis=1, dtype=np.float64, where=np.isfinite(proba)), 1.0)
    outside = finite & ((proba < -1e-6) | (proba > 1 + 1e-6)).any(axis=1)
    return {
        "with values that are not finite": ~finite,
        "with values outside 0 to 1": outside,
        "not summing to 1": finite & ~outside & (np.abs(sums - 1) > SUM_TOLERANCE),
    }


def repeated(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    """Values that come more than once."""
    values, times = np.unique(rows, return_counts=True)
    return np.asarray(values[times > 1])


def some(rows: npt.NDArray[np.integer]) -> str:
    """``"12 rows (first: 3, 5, 9, 11, 20)"``, ``"1 row (3)"``."""
    first = ", ".join(str(row) for row in rows[:_FIRST])
    if len(rows) == 1:
        return f"1 row ({first})"
    return f"{len(rows):,} rows ({'first: ' if len(rows) > _FIRST else ''}{first})"
