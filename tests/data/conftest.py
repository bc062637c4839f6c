"""A cache of its own for each test, and small files of each kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fertune.data.sources.csv import read_csv
from fertune.errors import DataError

Row = tuple[object, object, str]
WriteCsv = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("FERTUNE_CACHE", str(folder))
    return folder


def picture(seed: int, side: int = 6) -> NDArray[np.uint8]:
    return np.random.default_rng([99, seed]).integers(0, 256, (side, side), dtype=np.uint8)


def text(pixels: NDArray[np.uint8]) -> str:
    return " ".join(str(value) for value in pixels.ravel())


def rows(training: int = 40, public: int = 8, private: int = 0, labels: bool = True, side: int = 6) -> list[Row]:
    """Rows of a small FER csv whose labels go round the seven classes."""
    usages = ["Training"] * training + ["PublicTest"] * public + ["PrivateTest"] * private
    return [
        (i % 7 if labels or usage != "PrivateTest" else "", text(picture(i, side)), usage)
        for i, usage in enumerate(usages)
    ]


@pytest.fixture
def write_csv(tmp_path: Path) -> WriteCsv:
    def write(data: Sequence[Row], *, name: str = "fer2013.csv", header: str = "emotion,pixels,Usage") -> Path:
        path = tmp_path / name
        order = [("emotion", "pixels", "Usage").index(column.strip()) for column in header.split(",")]
        lines = [header, *(",".join(str(row[i]) for i in order) for row in data)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def csv_fault(path: Path) -> DataError:
    """What is said of a bad csv."""
    with pytest.raises(DataError) as caught:
        read_csv(path)
    return caught.value
