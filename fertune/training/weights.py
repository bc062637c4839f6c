"""Weights of rows by the size of their class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fertune.config import CLASS_WEIGHTS
from fertune.errors import ConfigError, did_you_mean


def class_weights(labels: npt.NDArray[np.integer], n_classes: int, mode: str) -> npt.NDArray[np.float32] | None:
    """One weight a class; their mean over the rows of ``labels`` is 1, so the learning rate keeps its meaning.

    ``balanced`` is n / (classes x rows of the class) (King and Zeng, 2001); ``sqrt`` its square root, which costs less
    accuracy. Classes without rows count as absent and have weight 0.

    Args:
        labels: (n,) of the rows that are fitted, 0 to n_classes-1.
        mode: ``none``, ``balanced`` or ``sqrt``.

    Returns:
        float32 (n_classes,), or None for ``none``.

    Raises:
        ConfigError: No such mode.
    """
    if mode not in CLASS_WEIGHTS:
        raise ConfigError(
            f"no class weight named {mode!r}; legal: {', '.join(CLASS_WEIGHTS)}{did_you_mean(mode, CLASS_WEIGHTS)}"
        )
    if mode == "none":
        return None
    counts = np.bincount(labels, minlength=n_classes).astype(np.float64)
    present = counts > 0
    weights = np.zeros(n_classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    if mode == "sqrt":
        weights = np.sqrt(weights)
    return (weights * len(labels) / np.sum(weights * counts)).astype(np.float32)
