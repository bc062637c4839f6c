"""``builtin:faces``: drawn faces with the seven expressions of FER-2013, for trying things out without real faces.

Every picture is a set of numbers (how far the brows go up, the mouth opens, the head turns ...), drawn from the mean
of its expression at a random strength, and painted by ``fertune.data.canvas``. The places, sizes, turns and light vary
so much that a linear model on the pixels fails where a small convolutional net does well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fertune.data.assemble import Parsed, deal_splits
from fertune.data.canvas import paint

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SHARES = (0.139, 0.015, 0.143, 0.251, 0.168, 0.110, 0.173)  # of FER-2013's Training rows; they sum to 0.999
BATCH = 250  # faces painted at once; part of the protocol, since each batch has its own random stream

# What a face can do, in units of its half width, and by how much two faces of one expression differ.
MOVES = (
    "brow_up", "brow_tilt", "brow_arch", "eye_open", "mouth_curve", "mouth_open", "mouth_wide", "lip_up", "wrinkle",
)  # fmt: skip
REST = (0.00, 0.00, 0.05, 0.115, 0.00, 0.00, 0.36, 0.00, 0.00)
SPREAD = (0.020, 0.025, 0.015, 0.012, 0.018, 0.010, 0.025, 0.008, 0.08)
FULL = {
    "angry": (-0.12, 0.20, 0.00, 0.080, -0.05, 0.04, 0.33, 0.00, 0.35),
    "disgust": (-0.08, 0.08, 0.02, 0.060, -0.10, 0.08, 0.33, 0.12, 1.00),
    "fear": (0.10, -0.15, 0.02, 0.170, -0.07, 0.12, 0.40, 0.00, 0.00),
    "happy": (0.01, 0.00, 0.08, 0.085, 0.20, 0.09, 0.50, 0.00, 0.00),
    "sad": (0.02, -0.20, 0.02, 0.075, -0.17, 0.00, 0.33, 0.00, 0.00),
    "surprise": (0.17, 0.00, 0.11, 0.185, 0.00, 0.25, 0.22, 0.00, 0.00),
    "neutral": REST,
}


def read_faces(*, n: int, size: int, seed: int, label_noise: float) -> Parsed:
    """Draw ``n`` faces of ``size`` x ``size`` gray pixels.

    Args:
        n: Number of faces; the classes have FER-2013's shares, each at least 3.
        size: Height and width in pixels.
        seed: Of everything; same seed, same pixels.
        label_noise: Chance of each label to be drawn anew from the labels of all faces: 0 none, 1 labels at random.
            It holds for all splits, as it does in real data.
    """
    rng = np.random.default_rng([seed, 7])
    labels = rng.permutation(np.repeat(np.arange(len(CLASSES)), class_sizes(n))).astype(np.int32)
    images = np.concatenate(
        [
            paint(expressions(labels[start : start + BATCH], rng), size, np.random.default_rng([seed, 8, start]))
            for start in range(0, n, BATCH)
        ]
    )
    anew = rng.random(n) < label_noise
    labels[anew] = rng.permutation(labels)[anew]
    notes = ["faces are drawn, not photographed: scores on them say nothing about real faces"]
    if label_noise:
        notes.append(f"each label was drawn anew with chance {label_noise:g}")
    return Parsed(
        images=images[..., None], labels=labels, split=deal_splits(images[..., None], labels, seed),
        row_ids=np.arange(n, dtype=np.int32), class_names=CLASSES, name="faces", notes=tuple(notes),
    )  # fmt: skip


def class_sizes(n: int) -> NDArray[np.int64]:
    """int64 (7,): faces of each class, FER-2013's shares by largest remainder, at least 3 each; they sum to ``n``."""
    exact = n * np.array(SHARES) / sum(SHARES)
    sizes = np.maximum(np.floor(exact), 3).astype(np.int64)
    while sizes.sum() != n:
        step = 1 if sizes.sum() < n else -1
        sizes[np.argmax(step * (exact - sizes))] += step
    return sizes


def expressions(labels: NDArray[np.int32], rng: np.random.Generator) -> dict[str, NDArray[np.float32]]:
    """What each face does: float32 (n,) by the names in ``MOVES``, in units of the face's half width."""
    full = np.array([FULL[name] for name in CLASSES])[labels]
    rest, spread = np.array(REST), np.array(SPREAD)
    strength = rng.uniform(0.25, 1.1, (len(labels), 1))
    moves = rest + strength * (full - rest) + spread * rng.standard_normal(full.shape)
    floor = {"eye_open": 0.02, "mouth_open": 0.0, "mouth_wide": 0.12, "lip_up": 0.0, "wrinkle": 0.0}
    return {name: np.maximum(moves[:, i], floor.get(name, -np.inf)).astype(np.float32) for i, name in enumerate(MOVES)}
