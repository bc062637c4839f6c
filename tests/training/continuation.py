"""Run by test_continuation in a fresh process, on the backend that KERAS_BACKEND names and one thread.

Trains a job straight and in stretches, in the folder given, and prints what differs as JSON.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from conftest import SETTINGS, stripes

from fertune.data import ImageDataset
from fertune.training import runner
from fertune.training.context import InProcess
from fertune.trial import OBJECTIVES, Rows, TrainJob, TrainResult

BASE: dict[str, Any] = {
    "blocks": 2, "dense_units": 8, "batch_norm": True, "dropout": 0.2,
    "head_dropout": 0.2, "augment": True, "rotation": 0.02, "shift": 0.1, "zoom": 0.05, "l2": 1e-4,
    "reduce_lr_patience": 1, "reduce_lr_factor": 0.7, "weight_decay": 0.01,
}  # fmt: skip


SCHEDULED: dict[str, dict[str, Any]] = {
    "one_cycle": {
        "schedule": "one_cycle", "pooling": "average", "small_side": 8, "small_until": 0.5, "flip_at_prediction": True,
        "optimizer": "sgd", "learning_rate": 0.05, "zoom": 0.0, "rotation": 0.0,
    },
    "cosine": {"schedule": "cosine", "early_stopping_patience": 4, "input_side": 8},
    "step": {"schedule": "step", "step_epochs": 2, "step_factor": 0.5, "convs_1": 2},
    "constant": {"schedule": "constant"},
}  # fmt: skip
"""Recipes whose rate is a function of the epoch and the batch; the first one has all that changes pictures."""


def state_of(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(folder / "state" / "state.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "head"}
        progress = json.loads(str(stored["head"]))["progress"]
    for entry in progress["history"]:
        del entry["seconds"]
    del progress["spent"], progress["speeds"]
    return arrays, progress


def same_files(one: Path, other: Path) -> list[str]:
    a, p = state_of(one)
    b, q = state_of(other)
    faults = [name for name in {*a, *b} if name not in a or name not in b or not np.array_equal(a[name], b[name])]
    faults += [f"{key}: {p[key]} / {q[key]}" for key in p if p[key] != q[key]]
    for name in ("stop.npz", "test.npz"):
        with np.load(one / name) as x, np.load(other / name) as y:
            faults += [f"{name}: {key}" for key in x.files if not np.array_equal(x[key], y[key])]
    return faults


def standing_still(root: Path) -> int:
    """An epoch after which the rules have waited for a while: a stretch that ends here must hand that on."""
    losses = [entry["val_loss"] for entry in state_of(root)[1]["history"]]
    return next(e for e in range(2, len(losses)) if losses[e - 1] > min(losses[: e - 1]))


def main(root: Path, optimizer: str, part: str) -> None:
    data = ImageDataset.from_arrays(**stripes()).save(root / "data")

    def run(out: str, budget: int, stops: int | None = None, **changes: Any) -> tuple[TrainResult, InProcess]:
        settings = {**SETTINGS, **BASE, "optimizer": optimizer, "early_stopping_patience": changes.pop("patience", 9)}
        if optimizer == "sgd":
            settings["learning_rate"] = 0.3  # restless enough for val_loss to stand still now and then
        settings |= changes.pop("settings", {})
        job = TrainJob(
            id=out, data=str(data.folder), fingerprint=data.fingerprint, fit=Rows(("train",)),
            stop=Rows(("validation",)), family="conv", settings=settings, budget=budget,
            objective=OBJECTIVES["val_loss"], seed=11, out=str(root / out), keep_state=True,
            predict={"test": Rows(("test",))}, class_weight="sqrt",
        )  # fmt: skip
        context = InProcess(stop_after=stops)
        result = runner.run(dataclasses.replace(job, **changes), context)
        assert isinstance(result, TrainResult)
        return result, context

    found: dict[str, Any] = {}
    if part == "continued":
        straight, _ = run("straight", 9)
        at = standing_still(root / "straight")
        run("first", at)
        second, context = run("second", 9, resume=str(root / "first"))
        found |= {
            "continued": same_files(root / "straight", root / "second"),
            "steps": [step for step, _, _ in context.reports] == list(range(at + 1, 10)),
            "values": [straight.value, second.value],
            "rates": len({entry["learning_rate"] for entry in state_of(root / "straight")[1]["history"]}),
            "waited": state_of(root / "first")[1]["early_stopping"]["wait"],
        }
    elif part in SCHEDULED:
        how = {"settings": SCHEDULED[part], "horizon": 6, "share": 0.7}
        straight, _ = run("straight", 6, **how)
        run("first", 2, **how)
        run("second", 4, resume=str(root / "first"), **how)
        third, _ = run("third", 6, resume=str(root / "second"), **how)
        run("fourth", 6, stops=14, **how)  # 6 batches an epoch: in the middle of the third
        run("fourth", 6, resume=str(root / "fourth"), **how)
        rates = [entry["learning_rate"] for entry in state_of(root / "straight")[1]["history"]]
        found |= {
            "continued": same_files(root / "straight", root / "third"),
            "mended": same_files(root / "straight", root / "fourth"),
            "values": [straight.value, third.value], "rates": rates,
        }  # fmt: skip
    elif part == "broken":
        run("straight", 6)
        broken, _ = run("broken", 6, stops=20)  # 8 batches an epoch: in the middle of the third
        run("broken", 6, resume=str(root / "broken" / "state"))
        found |= {
            "broken_at": [broken.epochs, broken.ended_by],
            "mended": same_files(root / "straight", root / "broken"),
        }
    else:
        early, _ = run("early", 40, patience=3)
        run("early-1", early.epochs - 1, patience=3)
        again, _ = run("early-2", 40, patience=3, resume=str(root / "early-1"))
        idle, silent = run("early-3", 40, patience=3, resume=str(root / "early-2"))
        found |= {
            "ended_by": [early.ended_by, again.ended_by, idle.ended_by],
            "epochs": [early.epochs, again.epochs, idle.epochs],
            "same": same_files(root / "early", root / "early-2") + same_files(root / "early", root / "early-3"),
            "idle_reports": len(silent.reports), "idle_value": [early.value, idle.value],
        }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
