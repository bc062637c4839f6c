"""The one callback: measures after each epoch, keeps the best, follows the rules, reports, and ends a run."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fertune.evaluation.metrics import accuracy, log_loss, macro_f1
from fertune.training import state
from fertune.training.batches import Batches
from fertune.training.compiling import rate_is_scheduled
from fertune.training.context import Context
from fertune.training.failures import NanLoss
from fertune.training.predict import Predictor
from fertune.training.progress import Progress
from fertune.training.rows import Part

CHECK_EVERY = 20
"""Batches between two looks at the running loss; each look waits for the device."""
STATE_EVERY = 30.0
"""Seconds between two writings of the full state while training goes on."""


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Watches ``stop`` rows and nothing else: no other labels reach it.

    Args:
        batches: Is told the number of each epoch.
        predictor: Predicts rows of the data set with the model that is trained.
        stop: The rows that are watched.
        progress: Is carried on.
        context: Is told of each epoch, and asked whether to end.
        state_folder: Where the full state goes; None keeps none.
        identity: See ``state.save``.
        earlier: Where an earlier stretch ended.

    Attributes:
        ended_by: ``budget``, ``early stopping``, ``pruned`` or ``stopped``.
        snapshot: After the last whole epoch, where the state is kept.
    """

    def __init__(
        self, batches: Batches, predictor: Predictor, stop: Part, progress: Progress, context: Context,
        state_folder: Path | None, identity: dict[str, Any], earlier: state.Snapshot | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._batches, self._predictor, self._stop, self._progress = batches, predictor, stop, progress
        self._context, self._folder, self._identity = context, state_folder, identity
        self.ended_by = "budget"
        self.snapshot = earlier
        self._saved = time.monotonic()
        self._begun = self._rate = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._begun = time.perf_counter()
        self._rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self._batches.begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._context.stopping():
            self._end("stopped")
        elif (batch + 1) % CHECK_EVERY == 0:
            self._check(float(logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.ended_by == "stopped":
            return
        progress = self._progress
        self._check(float(logs["loss"]))
        proba = self._predictor(self._stop.positions)
        if not np.isfinite(proba).all():
            raise NanLoss("NaN", progress.epoch + 1, self._rate)
        entry = {
            "epoch": epoch + 1, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"]),
            "val_loss": log_loss(proba, self._stop.labels), "val_accuracy": accuracy(proba, self._stop.labels),
            "val_macro_f1": macro_f1(proba, self._stop.labels), "learning_rate": self._rate,
            "seconds": time.perf_counter() - self._begun,
        }  # fmt: skip
        value = float(entry[progress.objective.name])
        progress.epoch = epoch + 1
        progress.history.append(entry)
        if progress.improves(value):
            progress.best_value, progress.best_epoch, progress.best_proba = value, epoch + 1, proba
            progress.best_weights = state.copies(self.model.weights)
        self._lower_rate(entry["val_loss"])
        if progress.stopping.after(value):
            progress.stopped_early = True
            self._end("early stopping")
        if self._folder is not None:
            self.snapshot = state.take(self.model, progress)
            if time.monotonic() - self._saved > STATE_EVERY:
                self.save()
        if not self._context.report(epoch + 1, value, dict(entry)):
            self._end("pruned")

    def save(self) -> None:
        """Write the state after the last whole epoch, if there is one to write."""
        if self._folder is not None and self.snapshot is not None:
            state.save(self.snapshot, self._folder, self._identity)
            self._saved = time.monotonic()

    def _lower_rate(self, val_loss: float) -> None:
        if rate_is_scheduled(self.model.optimizer):
            return
        rate = self._progress.plateau.after(val_loss, self._rate)
        if rate is not None:
            self.model.optimizer.learning_rate = rate

    def _check(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise NanLoss("NaN" if math.isnan(loss) else "infinite", self._progress.epoch + 1, self._rate)

    def _end(self, why: str) -> None:
        self.ended_by = why
        self.model.stop_training = True
