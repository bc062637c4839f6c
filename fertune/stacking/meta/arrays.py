"""Learners that are nothing but arrays once fitted: an npz without objects, and their own arithmetic to predict.

scikit-learn fits them. What it fitted is then taken out as plain arrays, so nothing of its internals is stored or built
again, and a file written beside one version of it is read beside another.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from fertune.errors import RunError
from fertune.stacking.meta.learner import Doubles, write_state
from fertune.stacking.meta.skops_files import LARGEST
from fertune.stacking.meta.table import TableClassifier, load_state

FILE = "model.npz"
Arrays = Mapping[str, npt.NDArray[Any]]


class ArrayModel(Protocol):
    """A fitted model over columns, made of arrays alone."""

    def predict_proba(self, table: Doubles) -> Doubles:
        """(n, columns) float64 -> (n, classes seen) float64; rows need not sum to 1 exactly."""
        ...

    def arrays(self) -> Arrays:
        """All that it is made of; numbers only."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int, classes: int) -> Self:
        """The other way.

        Raises:
            KeyError: An array is missing.
            ValueError: They do not fit each other, or so many columns and classes.
        """
        ...


class ArrayClassifier(TableClassifier):
    """A ``TableClassifier`` whose model is an ``ArrayModel``."""

    def save(self, folder: str | Path) -> None:
        """Write ``learner.json`` and ``model.npz``."""
        folder = write_state(folder, self.learner, self.shape, {"features": self.features, "seen": self.seen.tolist()})
        if self.model is not None:
            np.savez_compressed(folder / FILE, **self.model.arrays())

    def only_class(self, known: list[str]) -> dict[str, Any] | None:
        """What there is to explain where the rows were of one class only; else None."""
        if self.model is not None:
            return None
        return {"kind": "none", "reason": f"all rows were of class {known[int(self.seen[0])]}"}


def load_arrays(
    folder: str | Path, learner: str, kind: type[ArrayModel]
) -> tuple[Any, list[int], tuple[int, int], str]:
    """Model, seen classes, shape and features: what ``ArrayClassifier`` takes.

    Raises:
        RunError: Missing, damaged, too large, or arrays that do not describe such a model.
    """
    seen, shape, features = load_state(folder, learner)
    if len(seen) == 1:
        return None, seen, shape, features
    arrays = read_arrays(folder, learner)
    try:
        return kind.from_arrays(arrays, shape[0] * shape[1], len(seen)), seen, shape, features
    except Exception as error:  # arrays of any shape may be missing or fit nothing
        raise RunError(f"{Path(folder) / FILE} is no {learner}: {type(error).__name__}: {error}") from error


def read_arrays(folder: str | Path, learner: str) -> Arrays:
    """The arrays of ``model.npz``; nothing is unpickled.

    Raises:
        RunError: Missing, damaged, too large, or arrays that are no finite numbers.
    """
    path = Path(folder) / FILE
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise RunError(f"{path} unpacks to more than {LARGEST:,} bytes; no meta-learner does")
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        if not all(a.dtype.kind in "biuf" and np.all(np.isfinite(a)) for a in arrays.values()):
            raise ValueError("arrays that are no finite numbers")
    except RunError:
        raise
    except FileNotFoundError:
        raise RunError(f"no model at {path}") from None
    except Exception as error:  # zipfile, zlib and numpy each raise their own for a damaged file
        raise RunError(f"{path} is no {learner}: {type(error).__name__}: {error}") from error
    return arrays


def need(sound: bool, what: str) -> None:
    """Raise ValueError unless ``sound``."""
    if not sound:
        raise ValueError(what)


def softmax(scores: Doubles) -> Doubles:
    """(n, k) -> (n, k), rows sum to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def both(weights: Doubles, intercept: Doubles) -> tuple[Doubles, Doubles]:
    """One row of log-odds, as scikit-learn keeps it for two classes -> a row for each class, of the same softmax."""
    if len(weights) > 1:
        return weights, intercept
    return np.concatenate([-weights / 2, weights / 2]), np.concatenate([-intercept / 2, intercept / 2])


class Standard:
    """Columns less their mean, over their standard deviation (1 where a column never changes).

    Attributes:
        mean, scale: (columns,) float64.
    """

    def __init__(self, mean: Doubles, scale: Doubles) -> None:
        self.mean, self.scale = mean, scale

    @classmethod
    def of(cls, table: Doubles) -> Standard:
        scale = table.std(axis=0)
        return cls(table.mean(axis=0), np.where(scale > 1e-12, scale, 1.0))

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int) -> Standard:
        mean, scale = arrays["mean"], arrays["scale"]
        need(mean.shape == (columns,) == scale.shape and bool(np.all(scale > 0)), "mean and scale of other columns")
        return cls(mean, scale)

    def __call__(self, table: Doubles) -> Doubles:
        return np.asarray((table - self.mean) / self.scale)

    def arrays(self) -> Arrays:
        return {"mean": self.mean, "scale": self.scale}
