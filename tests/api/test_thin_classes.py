"""Before a stack: classes that are too small for its folds are named."""

from __future__ import annotations

import numpy as np

import fertune as ft
from fertune.api.stack import _warn_of_thin_classes
from fertune.searching import Observer


class Heard(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warned(self, text: str) -> None:
        self.lines.append(text)


def test_twins_count_once() -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
    y = np.array(["many"] * 30 + ["few"] * 10)
    x[32:] = x[31]  # two different pictures of `few`
    heard = Heard()
    data = ft.ImageDataset.from_arrays(x, y)
    _warn_of_thin_classes(data, 2, heard)
    assert heard.lines == []
    _warn_of_thin_classes(data, 5, heard)
    assert heard.lines == ["class few has 2 different pictures for 5 folds: some lack it"]
