"""Out-of-fold matrices whose truth is known."""

from __future__ import annotations

import numpy as np

from fertune.predictions import OOF


def softmax(logits: np.ndarray) -> np.ndarray:
    proba = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (proba / proba.sum(axis=-1, keepdims=True)).astype(np.float32)


def matrix(n: int = 600, skill: tuple[float, ...] = (1.5, 1.0, 0.0), classes: int = 4, seed: int = 0) -> OOF:
    """Members that know the label the better the higher their ``skill``; 0 knows nothing. Twins stand in pairs."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, classes, n // 2), 2).astype(np.int32)
    truth = np.eye(classes)[labels]
    logits = np.stack([s * 2 * truth + rng.normal(size=(n, classes)) for s in skill], axis=1)
    groups = np.repeat(np.arange(n // 2), 2).astype(np.int32)
    names = tuple(f"member {i}" for i in range(len(skill)))
    return OOF(np.arange(n, dtype=np.int32), softmax(logits), names, None, labels, groups)
