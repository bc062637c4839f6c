"""What made-up searches and stacks have in common: faces, classes, ``run.json``, arrays in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fertune.store.records import SearchRecord, StackRecord

FER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
COUNTS = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
START = 1_790_000_000.0
NASTY = ("<script>alert(1)</script>", "$x$", "_a", "[/red]", "a\u202eb\x1b[31m", "\U0001f600", "w" * 200)
SPACE = {
    "name": "leaky_cnn",
    "model": "conv",
    "fixed": {},
    "recipe": {},
    "params": {
        "blocks": {"type": "int", "low": 2, "high": 4},
        "filters": {"type": "choice", "values": [16, 32, 48, 64]},
        "batch_norm": {"type": "bool"},
        "dropout": {"type": "float", "low": 0.0, "high": 0.5},
        "filters_4": {"type": "int", "low": 64, "high": 256, "step": 64, "when": {"blocks": [4]}},
        "learning_rate": {"type": "float", "low": 1e-4, "high": 3e-2, "log": True},
    },
}


@dataclass(frozen=True)
class MemorySearch(SearchRecord):
    """A search whose arrays are in memory."""

    stored: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return self.stored.get(name)


@dataclass(frozen=True)
class MemoryStack(StackRecord):
    """A stack whose arrays, comparison and meta-learners are in memory."""

    stored: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    compared: dict[str, Any] | None = None
    learned: dict[str, Any] | None = None

    @property
    def comparison(self) -> dict[str, Any] | None:
        return self.compared

    @property
    def meta(self) -> dict[str, Any] | None:
        return self.learned

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return self.stored.get(name)


def faces(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n, 48, 48, 1) uint8: a disc with a mouth that depends on the class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:48, 0:48]
    out = []
    for label in labels:
        picture = 40 + 20 * rng.random((48, 48)) + 130 * ((x - 24) ** 2 + (y - 24) ** 2 < 400)
        bend = (int(label) % 7 - 3) * 0.012
        mouth = np.abs(y - 33 - bend * (x - 24) ** 2) < 2
        picture[mouth & (np.abs(x - 24) < 10)] = 40
        for ex in (17, 31):
            picture[(x - ex) ** 2 + (y - 19) ** 2 < 7] = 30
        out.append(np.clip(picture, 0, 255))
    return np.asarray(out, np.uint8)[..., None].reshape(-1, 48, 48, 1)


def probabilities(
    labels: np.ndarray, classes: int, skill: float, seed: int, shared: np.ndarray | None = None
) -> np.ndarray:
    """(n, classes): softmax of noise with the true class lifted."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(labels), classes))
    if shared is not None:
        logits = 0.5 * logits + shared
    logits[np.arange(len(labels)), labels] += skill
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def info(kind: str, name: str, classes: tuple[str, ...] = FER, counts: dict[str, Any] | None = None) -> dict[str, Any]:
    counts = counts or {k: list(v) for k, v in COUNTS.items()}
    both = {
        "protocol": 1,
        "kind": kind,
        "name": name,
        "created": START,
        "fertune": "0.1.0",
        "command": [
            "/home/ann/.venv/bin/fertune",
            kind,
            "--space",
            "leaky_cnn",
            "--data",
            "/home/ann/data/fer2013.csv",
        ],
        "resume": f"fertune {kind} --out /home/ann/runs/{name} --resume",
        "options": {"seed": 7, "trials": 30, "max_epochs": 9, "folds": 5, "out": f"/home/ann/runs/{name}"},
        "data": {
            "name": "fer2013",
            "source": "/home/ann/data/fer2013.csv",
            "fingerprint": "a3f1" * 16,
            "shape": [48, 48, 1],
            "classes": list(classes),
            "counts": counts,
            "unlabelled": 0,
            "twins": {"train_extra": 1237, "validation_in_train": 280, "test_in_train": 287},
            "flat": 12,
            "notes": [],
        },
        "versions": {"python": "3.11.9", "keras": "3.15.1", "tensorflow": "2.21.0"},
        "backend": "tensorflow",
        "cores": 4,
        "devices": ["CPU"],
    }
    if kind == "search":
        both |= {
            "space": SPACE,
            "space_fingerprint": "9c" * 32,
            "space_source": "# leaky_cnn\nparams:\n  blocks: 2..4\n",
            "objective": {"name": "val_accuracy", "direction": "max"},
            "engine": "hyperband",
        }
    return both


def history(level: float, epochs: int, rng: np.random.Generator, rate: float = 0.001) -> tuple[dict[str, float], ...]:
    rows = []
    for e in range(1, epochs + 1):
        up = 1 - math.exp(-e / 3)
        train = 0.2 + (level + 0.06 - 0.2) * up * (1 + 0.012 * e)
        valid = 0.2 + (level - 0.2) * up - 0.004 * max(0, e - 7) + rng.normal(0, 0.006)
        rows.append(
            {
                "epoch": e,
                "loss": 2.0 - 1.6 * train,
                "accuracy": train,
                "val_loss": 2.1 - 1.7 * valid,
                "val_accuracy": valid,
                "val_macro_f1": valid - 0.04,
                "value": valid,
                "learning_rate": rate * (0.5 if e >= 6 else 1.0),
                "seconds": 6.5,
            }
        )
    return tuple(rows)


def predicted(classes: int, counts: tuple[int, ...], skill: float, seed: int) -> dict[str, np.ndarray]:
    labels = np.repeat(np.arange(classes), counts)
    rows = np.random.default_rng(seed).permutation(len(labels))
    return {
        "row": np.arange(len(labels), dtype=np.int32) + 28709,
        "labels": labels[rows].astype(np.int32),
        "proba": probabilities(labels, classes, skill, seed)[rows].astype(np.float32),
    }


def pictures(from_rows: dict[str, np.ndarray], seed: int = 3) -> dict[str, np.ndarray]:
    picked = np.sort(np.random.default_rng(seed).permutation(len(from_rows["labels"]))[:25])
    labels = from_rows["labels"][picked]
    return {"images": faces(labels, seed), "labels": labels, "row": from_rows["row"][picked]}


def samples(classes: int) -> dict[str, np.ndarray]:
    labels = np.repeat(np.arange(classes), 8).astype(np.int32)
    return {"images": faces(labels, 5), "labels": labels, "row": np.arange(len(labels), dtype=np.int32)}
