"""``builtin:digits``: the 1,797 scanned digits that scikit-learn ships."""

from __future__ import annotations

import numpy as np

from fertune.data.assemble import Parsed, deal_splits
from fertune.errors import MissingPackage


def read_digits() -> Parsed:
    """8x8 gray, values 0 to 16 stretched to 0 to 255; 70 % train, 15 % validation, 15 % test.

    Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI repository.

    Raises:
        MissingPackage: scikit-learn, which holds the pictures, is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingPackage("builtin:digits needs scikit-learn", help="pip install scikit-learn") from error
    scans = load_digits()
    images = np.rint(scans.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = scans.target.astype(np.int32)
    return Parsed(
        images=images, labels=labels, split=deal_splits(images, labels, seed=0),
        row_ids=np.arange(len(labels), dtype=np.int32), class_names=tuple(str(d) for d in range(10)), name="digits",
    )  # fmt: skip
