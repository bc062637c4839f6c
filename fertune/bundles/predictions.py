"""What a model says of picture files: one row a file, those included that could not be read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fertune.store import write_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class PicturePredictions:
    """Probabilities of picture files.

    Attributes:
        files: As they were given, those of a folder with its path before theirs; in the order of the rows.
        proba: float32 (n, classes), rows sum to 1.
        class_names: In the order of columns.
        notes: For each file what was changed before the model saw it, e.g. ``brought from 640 x 480``.
        unreadable: (file, one clause why); these have no row.
    """

    files: tuple[str, ...]
    proba: npt.NDArray[np.float32]
    class_names: tuple[str, ...]
    notes: tuple[tuple[str, ...], ...]
    unreadable: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,), the most probable class; of equal ones the first."""
        best: npt.NDArray[np.int32] = self.proba.argmax(axis=1).astype(np.int32)
        return best

    def top(self, k: int) -> Iterator[list[tuple[str, float]]]:
        """For each file its ``k`` most probable classes (all, where there are fewer) with their probabilities."""
        order = np.argsort(-self.proba, axis=1, kind="stable")[:, :k]
        for row, best in zip(self.proba, order, strict=True):
            yield [(self.class_names[c], float(row[c])) for c in best]

    def to_frame(self) -> pd.DataFrame:
        """One row a file: ``file, predicted, probability``, and a column ``p_<class>`` a class."""
        import pandas as pd

        best = [first[0] for first in self.top(1)]
        plain = {
            "file": [_utf8(file) for file in self.files],
            "predicted": [name for name, _ in best],
            "probability": np.array([p for _, p in best], np.float32),
        }
        return pd.DataFrame({**plain, **{f"p_{name}": self.proba[:, c] for c, name in enumerate(self.class_names)}})

    def to_json(self, top: int) -> dict[str, Any]:
        """Plain values: ``classes``, ``pictures`` with their ``top`` best classes, ``unreadable``."""
        return {
            "classes": list(self.class_names),
            "pictures": [
                {
                    "file": _utf8(file),
                    "predicted": best[0][0],
                    "probability": best[0][1],
                    "top": [{"class": name, "probability": p} for name, p in best],
                    "notes": list(notes),
                }
                for file, best, notes in zip(self.files, self.top(top), self.notes, strict=True)
            ],
            "unreadable": [{"file": _utf8(file), "reason": _utf8(reason)} for file, reason in self.unreadable],
        }

    def write_csv(self, path: Path) -> None:
        """``file, predicted, probability``, ``p_<class>`` for each class, and ``error`` for what could not be read."""
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        out.writerow(["file", "predicted", "probability", *(f"p_{name}" for name in self.class_names), "error"])
        for file, (best,), row in zip(self.files, self.top(1), self.proba, strict=True):
            out.writerow([_utf8(file), best[0], f"{best[1]:.6f}", *(f"{p:.6f}" for p in row), ""])
        for file, reason in self.unreadable:
            out.writerow([_utf8(file), "", "", *[""] * len(self.class_names), _utf8(reason)])
        write_text(path, text.getvalue())


def _utf8(text: str) -> str:
    """Names of files that are not utf-8, with their odd bytes as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
