"""What fertune adds to ``model.fit``: the same net, rows, batches, epochs and recipe, both ways, in one warm process.

python benchmarks/overhead.py --rounds 5 --epochs 3

Bare: Keras builds the net, compiles it, ``fit`` with validation data, ``predict`` on the validation rows, ``save``.
fertune: one TrainJob, which also keeps the best epoch, measures macro-F1 and log loss, and writes the probabilities.
They take turns; medians are told. Fused batch normalisation would hide the overhead (it saves more than is added), so
it is off here for both unless ``--fused`` is given.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from fertune.data import ImageDataset
from fertune.models import build_model
from fertune.models.engine import jit
from fertune.training import train as training
from fertune.training.context import InProcess
from fertune.training.runner import run
from fertune.trial import OBJECTIVES, Rows, TrainJob

SETTINGS: dict[str, Any] = {
    "blocks": 3, "filters_1": 16, "filters_2": 32, "filters_3": 64, "dense_units": 128, "dropout": 0.2,
    "activation": "leaky_relu", "batch_size": 64, "learning_rate": 1e-3, "early_stopping_patience": 0,
    "reduce_lr_patience": 0,
}  # fmt: skip


def bare(data: ImageDataset, epochs: int, out: Path) -> float:
    """Seconds of Keras alone."""
    begun = time.perf_counter()
    keras.utils.set_random_seed(1)
    fit, stop = data.positions("train"), data.positions("validation")
    x, y, xv, yv = (np.asarray(part[rows]) for rows in (fit, stop) for part in (data.images, data.labels))
    model = build_model("conv", SETTINGS, data.image_shape, data.n_classes)
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit(model)
    )
    model.fit(x, y, validation_data=(xv, yv), batch_size=64, epochs=epochs, verbose=0)
    model.predict(xv, verbose=0)
    model.save(out / "bare.keras")
    taken = time.perf_counter() - begun
    keras.utils.clear_session(free_memory=False)
    return taken


def ours(data: ImageDataset, epochs: int, out: Path) -> float:
    """Seconds of one TrainJob."""
    job = TrainJob(
        id="a", data=str(data.folder), fingerprint=data.fingerprint, fit=Rows(("train",)), stop=Rows(("validation",)),
        family="conv", settings=SETTINGS, budget=epochs, objective=OBJECTIVES["val_accuracy"], seed=1, out=str(out),
    )  # fmt: skip
    begun = time.perf_counter()
    run(job, InProcess())
    return time.perf_counter() - begun


def drawn(rows: int, folder: Path) -> ImageDataset:
    """Gray 48x48 noise in seven classes; 4 of 5 rows are fitted."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (rows, 48, 48, 1), dtype=np.uint8)
    labels, cut = rng.integers(0, 7, rows), rows * 4 // 5
    made = ImageDataset.from_arrays(x_train=images[:cut], y_train=labels[:cut], x_val=images[cut:], y_val=labels[cut:])
    return made.save(folder / "data")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=7500)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fused", action="store_true", help="with fused batch normalisation, as fertune trains")
    args = parser.parse_args()
    if not args.fused:
        training.fused_normalisation = lambda *models: contextlib.nullcontext()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = drawn(args.rows, folder)
        for way in (bare, ours):
            way(data, 1, folder)  # imports, thread pools, kernels
        times: dict[str, list[float]] = {"bare": [], "fertune": []}
        for _ in range(args.rounds):
            times["bare"].append(bare(data, args.epochs, folder))
            times["fertune"].append(ours(data, args.epochs, folder))
    medians = {name: statistics.median(values) for name, values in times.items()}
    more = medians["fertune"] - medians["bare"]
    print(
        json.dumps(
            {
                **{f"{name}_s": round(value, 2) for name, value in medians.items()},
                "more_s": round(more, 2),
                "more_percent": round(100 * more / medians["bare"], 1),
                "allowed_s": round(0.02 * medians["bare"] + 0.3, 2),
                "rounds": {name: [round(v, 2) for v in values] for name, values in times.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
