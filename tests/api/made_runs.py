"""Small run folders without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fertune.store import RunFolder, write_arrays, write_json

ROWS = 200
LABELS = np.arange(ROWS) % 4


def right(share: float, seed: int = 0) -> np.ndarray:
    """(ROWS, 4) probabilities that are right on this share of rows."""
    rng = np.random.default_rng(seed)
    guess = np.where(np.arange(ROWS) < share * ROWS, LABELS, (LABELS + 1 + rng.integers(0, 3, ROWS)) % 4)
    proba = np.full((ROWS, 4), 0.1)
    proba[np.arange(ROWS), guess] = 0.7
    return proba.astype(np.float32)


def _info(kind: str, name: str, data: str, **own: Any) -> dict[str, Any]:
    return {
        "kind": kind, "name": name, "created": 1.0, "command": ["fertune"],
        "resume": f"fertune {kind} --out {name} --resume",
        "data": {"name": data, "fingerprint": data * 8, "classes": list("abcd"), "counts": {"validation": [50] * 4}},
        "versions": {}, "backend": "tensorflow", "cores": 4, **own,
    }  # fmt: skip


def make_search(
    root: Path, name: str, values: tuple[float | None, ...] = (0.4, 0.6, None), *, ended: bool = True, goal: int = 3,
    data: str = "digits", proba: np.ndarray | None = None, epochs: int = 2, high: float = 0.5,
) -> Path:  # fmt: skip
    """A search; None is a failed trial."""
    path = root / name
    dropout = {"type": "float", "low": 0.0, "high": high}
    space = {"name": "tiny", "model": "conv", "fixed": {}, "recipe": {}, "params": {"dropout": dropout}}
    folder = RunFolder.create(path, _info(
        "search", name, data, options={"trials": goal, "seed": 0, "workers": 1}, engine="random",
        objective={"name": "val_accuracy", "direction": "max"}, space=space,
    ))  # fmt: skip
    journal = folder.journal
    journal.write("session", trials=goal, workers=1)
    for n, value in enumerate(values):
        journal.write("asked", trial=n, ticket=n, params={"dropout": 0.1 * n}, budget=9, continues=None, tags={})
        for step in range(epochs):
            journal.write(
                "epoch", lasting=False, trial=n, ticket=n, step=step + 1, value=value or 0.1, logs={"loss": 1.0}
            )
        if value is None:
            failure = {"kind": "NaN loss", "message": "loss is NaN", "trace": ""}
            journal.write("told", trial=n, ticket=n, outcome="failed", seconds=1.0, failure=failure)
        else:
            journal.write(
                "told", trial=n, ticket=n, outcome="completed", value=value, best_epoch=1, epochs=2, seconds=3.0
            )
    if ended:
        journal.write("ended", status="finished", reason="all were asked for")
    if proba is not None:
        write_arrays(path / "validation.npz", row=np.arange(ROWS), labels=LABELS, proba=proba)
    folder.close()
    return path


def make_stack(
    root: Path, name: str, runs: tuple[str, ...], proba: np.ndarray | None = None, *, data: str = "digits",
    groups: np.ndarray | None = None,
) -> Path:  # fmt: skip
    """A stack with the rows ``single`` and ``mean``; the latter is chosen."""
    path = root / name
    members = [{"name": "tiny 1", "run": "a", "trial": 1}]
    folder = RunFolder.create(path, _info("stack", name, data, options={"folds": 2}, runs=list(runs), members=members))
    folder.journal.write("session", trials=None, workers=1)
    if proba is not None:
        row = {"accuracy": 0.6, "accuracy_low": 0.5, "accuracy_high": 0.7, "oof_accuracy": 0.61, "seconds": 5.0,
               "predict_seconds": 1.0,
               "difference": 0.012, "difference_low": 0.004, "difference_high": 0.02}  # fmt: skip
        verdict = {"kind": "helped", "sentence": "Stacking helped.", "detectable": 0.01}
        write_json(path / "comparison.json", {
            "rows": [{"name": "single", **row}, {"name": "mean", **row}], "chosen": "mean", "best_single": "single",
            "n_test": ROWS, "verdict": verdict, "left_out": [],
        })  # fmt: skip
        more = {} if groups is None else {"groups": groups}
        both = np.stack([right(0.5), proba], axis=1)
        write_arrays(
            path / "test.npz", row=np.arange(ROWS)[::-1].copy(), labels=LABELS[::-1].copy(), proba=both[::-1].copy(),
            names=np.array(["single", "mean"]), **more,
        )  # fmt: skip
        folder.journal.write("ended", status="finished", reason="done")
    folder.close()
    return path
