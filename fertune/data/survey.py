"""A look at a whole data set: sizes, counts, brightness, flat and identical pictures."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data.audit import audit, twin_rows
from fertune.data.dataset import SPLITS, ImageDataset
from fertune.data.progress import Progress, unseen

QUANTILES = (0, 5, 25, 50, 75, 95, 100)
BINS = 16
ROWS = 2048  # at a time
CLUSTERS = 15
EXTREMES = 8
LISTED = 20


def survey(dataset: ImageDataset, progress: Progress = unseen) -> dict[str, Any]:
    """What ``fertune data show --json`` prints; ``docs/schema/data.json`` says what each number is.

    Every picture is read once or twice.

    Args:
        dataset: Any.
        progress: Is told of pictures.
    """
    means, spreads, histogram, digests = _measure(dataset, progress)
    found = asdict(audit(dataset))
    found.pop("flat")
    exact = len(dataset) - len(np.unique(digests))
    extra = len(dataset) - len(np.unique(dataset.twins))
    flat = spreads == 0
    counts = dataset.counts()
    return {
        "kind": "data",
        "name": dataset.name,
        "source": dataset.source,
        "fingerprint": dataset.fingerprint,
        "options": dict(dataset.options),
        "rows": len(dataset),
        "shape": list(dataset.image_shape),
        "classes": list(dataset.class_names),
        "counts": {split: counts[split] for split in SPLITS[:3]},
        "unlabelled": len(dataset.positions("unlabelled")),
        "brightness": {
            "all": _brightness(means, spreads),
            "splits": {s: _brightness(means[rows], spreads[rows]) for s, rows in _by_split(dataset).items()},
            "classes": [_mean(means[dataset.labels == k]) for k in range(dataset.n_classes)],
            "histogram": [float(share) for share in histogram / max(1, histogram.sum())],
            "extremes": _extremes(dataset, means, spreads),
        },
        "flat": {
            "splits": {s: int(flat[rows].sum()) for s, rows in _by_split(dataset).items()},
            "rows": [int(row) for row in dataset.row_ids[flat][:LISTED]],
        },
        "identical": {
            "extra": extra,
            "extra_by_bytes": exact,
            "extra_by_mirror": extra - exact,
            "also_in": {
                of: {s: int(twin_rows(dataset, of, (s,)).sum()) for s in _by_split(dataset) if s != of}
                for of in _by_split(dataset)
            },
            "clusters": _clusters(dataset),
            **found,
        },
        "notes": list(dataset.notes),
    }


def _by_split(dataset: ImageDataset) -> dict[str, NDArray[np.int32]]:
    found = {split: dataset.positions(split) for split in SPLITS}
    return {split: rows for split, rows in found.items() if len(rows)}


Measured = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.bytes_]]


def _measure(dataset: ImageDataset, progress: Progress) -> Measured:
    """Mean and standard deviation of each picture's pixels (0 to 255), the histogram of all, a digest of each."""
    n = len(dataset)
    means, spreads, histogram = np.empty(n), np.empty(n), np.zeros(256, np.int64)
    digests = np.empty(n, "S32")
    for start in range(0, n, ROWS):
        part = np.asarray(dataset.images[start : start + ROWS])
        flat = part.reshape(len(part), -1)
        means[start : start + ROWS] = flat.mean(axis=1)
        spreads[start : start + ROWS] = np.where(np.ptp(part, axis=(1, 2)).max(axis=1) == 0, 0, flat.std(axis=1))
        histogram += np.bincount(flat.ravel(), minlength=256)
        digests[start : start + ROWS] = [hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() for row in flat]
        progress(f"looking at {dataset.name}", min(start + ROWS, n), n, "pictures")
    return means, spreads, histogram.reshape(BINS, -1).sum(axis=1), digests


def _mean(values: NDArray[np.float64]) -> float | None:
    return round(float(values.mean()), 3) if len(values) else None


def _brightness(means: NDArray[np.float64], spreads: NDArray[np.float64]) -> dict[str, Any]:
    """Of the pixels of some pictures, all of one size: their variance is that of the means plus the mean variance."""
    overall = float(np.sqrt(means.var() + np.square(spreads).mean()))
    return {
        "mean": round(float(means.mean()), 3),
        "std": round(overall, 3),
        "picture_means": [round(float(q), 3) for q in np.percentile(means, QUANTILES)],
        "picture_stds": [round(float(q), 3) for q in np.percentile(spreads, QUANTILES)],
    }


def _extremes(dataset: ImageDataset, means: NDArray[np.float64], spreads: NDArray[np.float64]) -> dict[str, list[int]]:
    """Row numbers of the darkest, brightest and palest pictures that are not of one flat colour."""
    at = np.flatnonzero(spreads > 0)
    orders = {"darkest": means[at], "brightest": -means[at], "palest": spreads[at]}
    return {
        name: [int(row) for row in dataset.row_ids[at[np.argsort(order, kind="stable")[:EXTREMES]]]]
        for name, order in orders.items()
    }


def _clusters(dataset: ImageDataset) -> list[dict[str, Any]]:
    """The largest clusters of identical pictures; row numbers as in the source."""
    numbers, sizes = np.unique(dataset.twins, return_counts=True)
    largest = numbers[np.argsort(-sizes, kind="stable")][: min(CLUSTERS, int((sizes > 1).sum()))]
    found = []
    for number in largest:
        at = np.flatnonzero(dataset.twins == number)
        splits, labels = dataset.split[at], dataset.labels[at]
        found.append({
            "size": len(at),
            "rows": [int(row) for row in dataset.row_ids[at][:LISTED]],
            "splits": {s: int((splits == i).sum()) for i, s in enumerate(SPLITS) if (splits == i).any()},
            "classes": {dataset.class_names[k]: int((labels == k).sum()) for k in np.unique(labels[labels >= 0])},
        })  # fmt: skip
    return found
