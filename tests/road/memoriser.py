"""What a leak would show on: a net that learns its rows by heart, and noise of which each picture is there thrice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SPACE = """
import fertune as ft

def build(params, input_shape, n_classes):
    import keras
    return keras.Sequential([
        keras.Input(input_shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
        keras.layers.Dense(params["units"], activation="relu"), keras.layers.Dense(n_classes, activation="softmax")])

space = ft.Space("memoriser", [ft.Int("units", 96, 128)], build=build,
                 recipe={"learning_rate": 0.003, "batch_size": 16, "early_stopping_patience": 0,
                         "reduce_lr_patience": 0})
"""


def write(folder: Path) -> None:
    """``memoriser.py``, and ``twins.npz``: 120 pictures thrice (once mirrored), with one random label for the three."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (120, 12, 12), dtype=np.uint8)
    labels = rng.integers(0, 4, 120)
    order = rng.permutation(360)
    x = np.concatenate([pictures, pictures, pictures[:, :, ::-1]])[order]
    np.savez(folder / "twins.npz", x_train=x, y_train=np.concatenate([labels] * 3)[order])
    (folder / "memoriser.py").write_text(SPACE)
