"""What fertune adds to ``model.fit``: one training, by hand and as a trial, in one warm process.

python benchmarks/overhead.py

Both sides build the same net from the same seed, see the same batches (made by the same `Batches`, so that the way of
the data is no part of the difference), train with the same kernels, look at the same validation rows after each epoch,
and leave the best epoch's model and its probabilities of these rows.

By hand: `compile`; `fit` with `validation_data`, which gives loss and accuracy of each epoch, and with Keras'
`EarlyStopping`, which keeps the best weights; one `predict`; one npz; `save`. fertune: one TrainJob, which opens the
data set, predicts each epoch's probabilities, measures macro-F1 too, watches the loss for NaN, follows its rules and
reports. What it adds is told over all of that, and over the net built and fitted alone, without `predict` and files.

They take turns, each repeat beginning with the other one. Losses and scores of all epochs are compared: others would be
other work. fertune trains with fused batch normalisation, and by default so does the hand; `--keras-alone` leaves it
out there, as a script has it. `--arrays` gives the hand whole arrays, in Keras' own order of rows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # the variable above must be set first
import numpy as np
from common import Table, absolute, middle, options, plain_net, report, scratch, spread

from fertune.data import ImageDataset
from fertune.models import build_model
from fertune.models.engine import jit
from fertune.models.fused import fused_normalisation
from fertune.training.batches import Batches
from fertune.training.context import InProcess
from fertune.training.recipe import Recipe
from fertune.training.rows import labelled
from fertune.training.runner import run
from fertune.trial import OBJECTIVES, Rows, TrainJob

SEED = 1
FIT, STOP = Rows(("train",)), Rows(("validation",))
SETTINGS = plain_net(filters_1=16)
RECIPE = Recipe.of(SETTINGS, "conv")


@dataclass(frozen=True)
class Trained:
    """One training.

    Attributes:
        seconds: All of it.
        fitted: Of these, to the end of ``fit``; None for fertune.
        epochs: Training loss and validation accuracy of each.
    """

    seconds: float
    fitted: float | None
    epochs: list[tuple[float, float]]


def by_hand(data: ImageDataset, epochs: int, out: Path, *, fused: bool, arrays: bool) -> Trained:
    """With Keras; the memory of the net is given back before the clock stops, as fertune does it."""
    begun = time.perf_counter()
    keras.utils.set_random_seed(SEED)
    fit, stop = labelled(FIT, data, "fit"), labelled(STOP, data, "stop")
    model = build_model("conv", SETTINGS, data.image_shape, data.n_classes)
    adam = keras.optimizers.Adam(RECIPE.learning_rate)
    model.compile(adam, "categorical_crossentropy", metrics=["accuracy"], jit_compile=jit(model))
    targets = np.eye(data.n_classes, dtype=np.float32)
    shown, answers = np.asarray(data.images[stop.positions]), targets[stop.labels]
    best = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
    words: dict[str, Any] = {
        "validation_data": (shown, answers),
        "validation_batch_size": 256,
        "epochs": epochs,
        "verbose": 0,
    }
    with fused_normalisation(model) if fused else contextlib.nullcontext():
        if arrays:
            x, y = np.asarray(data.images[fit.positions]), targets[fit.labels]
            told = model.fit(x, y, batch_size=RECIPE.batch_size, callbacks=[best], **words)
        else:
            batches = Batches(data.images, fit, size=RECIPE.batch_size, seed=SEED, targets=targets)
            order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.begin(epoch))
            told = model.fit(batches, shuffle=False, callbacks=[order, best], **words)
    fitted = time.perf_counter() - begun
    np.savez(out / "stop.npz", proba=model.predict(shown, batch_size=256, verbose=0), labels=stop.labels)
    model.save(out / "model.keras")
    seen = [(float(a), float(b)) for a, b in zip(told.history["loss"], told.history["val_accuracy"], strict=True)]
    del model, told, best
    keras.utils.clear_session()
    return Trained(time.perf_counter() - begun, fitted, seen)


def by_fertune(data: ImageDataset, epochs: int, out: Path) -> Trained:
    """As a worker does it."""
    job = TrainJob(
        id="a",
        data=str(data.folder),
        fingerprint=data.fingerprint,
        fit=FIT,
        stop=STOP,
        family="conv",
        settings=SETTINGS,
        budget=epochs,
        objective=OBJECTIVES["val_accuracy"],
        seed=SEED,
        out=str(out),
    )
    context = InProcess()
    begun = time.perf_counter()
    run(job, context)
    seconds = time.perf_counter() - begun
    return Trained(seconds, None, [(logs["loss"], value) for _, value, logs in context.reports])


def drawn(rows: int, folder: Path) -> ImageDataset:
    """Gray 48x48 noise in seven classes, with a patch that tells the class; 4 of 5 rows are fitted."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (rows, 48, 48, 1), dtype=np.uint8)
    labels, at = rng.integers(0, 7, rows), rows * 4 // 5
    for label in range(7):
        images[labels == label, 6 * label : 6 * label + 6, :12] //= 2
    made = ImageDataset.from_arrays(x_train=images[:at], y_train=labels[:at], x_val=images[at:], y_val=labels[at:])
    return made.save(folder / "data")


def main() -> None:
    parser = options(__doc__, repeats=5)
    parser.add_argument("--rows", type=int, default=7500, help="pictures, a fifth to validate with (default 7500)")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--keras-alone", action="store_true", help="no fused batch normalisation by hand")
    parser.add_argument("--arrays", action="store_true", help="by hand, whole arrays: the scores differ")
    args = absolute(parser.parse_args())
    if args.quick:
        args.rows, args.epochs, args.repeats = 640, 2, 1
    found: dict[str, list[Trained]] = {"by hand": [], "fertune": []}
    with scratch(args.out) as folder:
        data = drawn(args.rows, folder)

        def one(name: str, epochs: int) -> Trained:
            out = folder / name.replace(" ", "-")
            shutil.rmtree(out, ignore_errors=True)  # of the repeat before; the first one finds none
            out.mkdir()
            if name == "fertune":
                return by_fertune(data, epochs, out)
            return by_hand(data, epochs, out, fused=not args.keras_alone, arrays=args.arrays)

        for name in found:
            one(name, 1)  # imports, thread pools, kernels
        for at in range(args.repeats):
            for name in found if at % 2 == 0 else reversed(found):
                found[name].append(one(name, args.epochs))
                print(f"{at + 1}/{args.repeats} {name}: {found[name][-1].seconds:.2f} s", flush=True)
    sides = {
        "fertune": [t.seconds for t in found["fertune"]],
        "by hand": [t.seconds for t in found["by hand"]],
        "by hand, built and fitted alone": [t.fitted for t in found["by hand"] if t.fitted is not None],
    }
    seconds = {name: middle(values) for name, values in sides.items()}
    added: dict[str, dict[str, float]] = {}
    table = Table(["", "s a training", "fertune adds, s", "in %", "aim, s"])
    for name, values in sides.items():
        more, allowed = seconds["fertune"] - seconds[name], 0.02 * seconds[name] + 0.3
        if name == "fertune":
            table.row(name, spread(values, 2), "", "", "")
        else:
            added[name] = {"s": more, "percent": 100 * more / seconds[name], "aim_s": allowed}
            table.row(name, spread(values, 2), f"{more:+.2f}", f"{added[name]['percent']:+.1f}", f"{allowed:.2f}")
    both = (found[name][0].epochs for name in ("by hand", "fertune"))
    loss, score = np.abs(np.subtract(*map(np.asarray, both))).max(axis=0).tolist()
    normalisation = "Keras' own" if args.keras_alone else "fused"
    feed = "whole arrays" if args.arrays else "the same batches"
    notes = [
        f"Medians of {args.repeats} (least to greatest), in turns. Aim: at most 2 % and 0.3 s.",
        f"By hand: {feed}, {normalisation} batch normalisation. Epochs differ by {loss:.1g} in training "
        f"loss and by {score:.1g} in validation accuracy at most.",
    ]
    figures = {
        "results": {name: [vars(t) for t in trained] for name, trained in found.items()},
        "seconds": seconds,
        "added": added,
        "apart": {"loss": loss, "val_accuracy": score},
    }
    title = f"Overhead: {args.epochs} epochs on {args.rows * 4 // 5} + {args.rows - args.rows * 4 // 5} pictures"
    report(title, table, notes, figures, args.json)


if __name__ == "__main__":
    main()
