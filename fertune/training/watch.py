"""The one callback: measures after each epoch, keeps the best, follows the rules, reports, and ends a run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fertune.evaluation.metrics import accuracy, log_loss, macro_f1
from fertune.training import state
from fertune.training.batches import Batches
from fertune.training.compiling import rate_is_scheduled, set_rate
from fertune.training.context import Context
from fertune.training.failures import NanLoss
from fertune.training.pace import Pace
from fertune.training.predict import Predictor
from fertune.training.progress import Progress
from fertune.training.rows import Part

CHECK_EVERY = 20
"""Batches between two looks at the running loss; each look waits for the device."""


def scores(proba: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]) -> dict[str, float]:
    """``val_loss``, ``val_accuracy`` and ``val_macro_f1`` of probabilities (n, classes)."""
    return {
        "val_loss": log_loss(proba, labels), "val_accuracy": accuracy(proba, labels),
        "val_macro_f1": macro_f1(proba, labels),
    }  # fmt: skip


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Watches ``stop`` rows and nothing else: no other labels reach it.

    Args:
        batches: Is told the number of each epoch.
        predictors: Predict rows with the weights that are trained: True on small pictures, False on full ones.
        pace: Says the learning rate of each batch, the size of pictures, and when it is enough.
        stop: The rows that are watched.
        progress: Is carried on.
        context: Is told of each epoch, and asked whether to end.
        state_folder: Where the full state goes; None keeps none.
        identity: See ``state.save``.
        earlier: Where an earlier stretch ended.
        every: Seconds between two writings of the state while training goes on; None writes none.

    Attributes:
        ended: Whether training is over; else only this call of ``fit`` is, for the size of pictures changes.
        ended_by: ``budget``, ``early stopping``, ``pruned`` or ``stopped``.
        snapshot: After the last whole epoch, where the state is kept.
        note: Why the state could not be written, one clause.
    """

    def __init__(
        self, batches: Batches, predictors: Mapping[bool, Predictor], pace: Pace, stop: Part, progress: Progress,
        context: Context, state_folder: Path | None, identity: dict[str, Any], earlier: state.Snapshot | None = None,
        every: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._batches, self._predictors, self._stop, self._progress = batches, predictors, stop, progress
        self._context, self._folder, self._identity = context, state_folder, identity
        self._pace = pace
        self.ended, self.ended_by = False, "budget"
        self.snapshot = earlier
        self._every = every
        self.note = ""
        self._saved = time.monotonic()
        self._begun = self._rate = 0.0
        self._scheduled = self._small = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begun = time.perf_counter()
        self._batches.begin(epoch)
        self._pace.begin()
        self._scheduled = self._pace.rate(0) is not None and not rate_is_scheduled(self.model.optimizer)
        self._small = self._pace.small
        rate = self._pace.rate(0) if self._scheduled else None
        self._rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)) if rate is None else rate

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._scheduled:
            set_rate(self.model, self._pace.rate(batch) or 0.0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._pace.after_batch(batch)
        if self._context.stopping():
            self._end("stopped")
        elif (batch + 1) % CHECK_EVERY == 0:
            self._check(float(logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.ended_by == "stopped":
            return
        progress = self._progress
        self._check(float(logs["loss"]))
        trained = time.perf_counter()
        proba = self._predictors[self._small](self._stop.positions)
        self._pace.end(time.perf_counter() - trained)
        if not np.isfinite(proba).all():
            raise NanLoss("NaN", progress.epoch + 1, self._rate)
        entry = {
            "epoch": epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"]),
            **scores(proba, self._stop.labels), "learning_rate": self._rate,
            "seconds": time.perf_counter() - self._begun,
        }  # fmt: skip
        value = float(entry[progress.objective.name])
        progress.epoch = epoch + 1
        progress.history.append(entry)
        progress.watch_at(self._small)
        if progress.improves(value):
            progress.best_value, progress.best_epoch, progress.best_proba = value, epoch + 1, proba
            progress.best_small = self._small
            progress.best_weights = state.copies(self.model.weights)
        self._lower_rate(entry["val_loss"])
        if progress.stopping.after(value):
            progress.stopped_early = True
            self._end("early stopping")
        elif self._pace.finished:
            self._end("budget")
        elif self._pace.small != self._small:
            self.model.stop_training = True
        if self._folder is not None:
            self.snapshot = state.take(self.model, progress)
            if self._every is not None and time.monotonic() - self._saved >= self._every:
                self.save()
        if not self._context.report(epoch + 1, value, dict(entry)):
            self._end("pruned")

    def save(self) -> None:
        """Write the state after the last whole epoch, if there is one to write; a full disk costs only the state."""
        if self._folder is None or self.snapshot is None:
            return
        try:
            state.save(self.snapshot, self._folder, self._identity)
        except OSError as error:
            self.note = f"its state could not be kept: {error.strerror or error}"
        self._saved = time.monotonic()

    def _lower_rate(self, val_loss: float) -> None:
        if self._scheduled or rate_is_scheduled(self.model.optimizer):
            return
        rate = self._progress.plateau.after(val_loss, self._rate)
        if rate is not None:
            set_rate(self.model, rate)

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise NanLoss("NaN" if math.isnan(loss) else "infinite", self._progress.epoch + 1, self._rate)

    def _end(self, why: str) -> None:
        self.ended, self.ended_by = True, why
        self.model.stop_training = True
