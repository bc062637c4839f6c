"""What was reached on small pictures binds no longer once a whole epoch was trained on full ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fertune.data import ImageDataset
from fertune.evaluation.metrics import accuracy
from fertune.training import watch
from fertune.training.context import InProcess
from fertune.training.load import load_model
from fertune.training.progress import Progress
from fertune.training.recipe import Recipe
from fertune.training.train import train
from fertune.trial import OBJECTIVES, TrainJob

SMALL_FIRST = {"batch_norm": True, "pooling": "average", "small_side": 6, "small_until": 0.5}
RECIPE = Recipe.of({"reduce_lr_patience": 2, "early_stopping_patience": 3}, "conv")


def after_small_ones(losses: list[float]) -> Progress:
    """Some epochs on small pictures, written down and read again."""
    before = Progress.fresh(OBJECTIVES["val_loss"], RECIPE)
    for epoch, loss in enumerate(losses, 1):
        before.watch_at(True)
        if before.improves(loss):
            before.best_value, before.best_epoch, before.best_small = loss, epoch, True
        before.plateau.after(loss, 0.1)
        before.stopping.after(loss)
    progress = Progress.fresh(OBJECTIVES["val_loss"], RECIPE)
    progress.restore(json.loads(json.dumps(before.to_json())))
    return progress


def test_full_pictures_begin_anew_after_small_ones() -> None:
    progress = after_small_ones([0.5, 0.6])
    assert (progress.best_epoch, progress.plateau.wait, progress.stopping.wait) == (1, 1, 1)
    progress.watch_at(False)
    assert progress.best_epoch == 0 and math.isnan(progress.best_value) and not progress.best_small
    assert progress.improves(9.0)
    assert progress.plateau.after(9.0, 0.1) is None and progress.plateau.after(9.0, 0.1) is None
    assert [progress.stopping.after(value) for value in (9.0, 9.0, 9.0)] == [False] * 3


@pytest.mark.parametrize("small", [True, False])
def test_epochs_of_one_size_are_held_against_each_other(small: bool) -> None:
    progress = after_small_ones([0.5, 0.6])
    progress.best_small = small
    progress.watch_at(small)
    assert (progress.best_value, progress.best_epoch, progress.best_small) == (0.5, 1, small)
    assert not progress.improves(0.55) and progress.improves(0.45)
    assert (
        (progress.plateau.best, progress.plateau.wait) == (progress.stopping.best, progress.stopping.wait) == (0.5, 1)
    )


def test_the_learning_rate_follows_losses_on_pictures_of_one_size(
    make_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fourth epoch, the first on full pictures, is worse than those on small ones: no standing still yet."""
    losses = iter([1.0, 0.6, 0.5, 0.9, 0.95, 0.8])
    said = {"val_accuracy": 0.5, "val_macro_f1": 0.5}
    monkeypatch.setattr(watch, "scores", lambda proba, labels: {"val_loss": next(losses), **said})
    settings = {**SMALL_FIRST, "reduce_lr_patience": 1, "reduce_lr_factor": 0.5, "learning_rate": 0.01}
    context = InProcess()
    train(make_job(settings=settings, budget=6), context)
    rates = [logs["learning_rate"] for _, _, logs in context.reports]
    assert rates == pytest.approx([0.01] * 5 + [0.005])


def straddling(make_job: Any, out: Path, **changes: Any) -> TrainJob:
    """Four epochs of 8 batches; the third is the first on full pictures."""
    job: TrainJob = make_job(
        settings={**SMALL_FIRST, "learning_rate": 0.03}, budget=4, keep_state=True, out=str(out), **changes
    )
    return job


def test_an_epoch_broken_off_just_after_the_switch_leaves_the_best_on_small_pictures(
    make_job: Any, dataset: ImageDataset, tmp_path: Path
) -> None:
    context = InProcess(stop_after=20)
    result = train(straddling(make_job, tmp_path), context)
    told = [value for _, value, _ in context.reports]
    assert (result.epochs, result.ended_by) == (2, "stopped")
    assert result.value == max(told) and result.best_epoch == told.index(result.value) + 1
    model = load_model(tmp_path / "model.keras")
    assert [layer.height for layer in model.layers if isinstance(layer, keras.layers.Resizing)] == [6]
    with np.load(tmp_path / "stop.npz") as stored:
        assert accuracy(stored["proba"], stored["labels"]) == result.value
        again = keras.ops.convert_to_numpy(model(np.asarray(dataset.images[stored["position"]]), training=False))
        assert again == pytest.approx(stored["proba"], abs=1e-5)


@pytest.mark.slow
def test_a_training_broken_off_just_after_the_switch_goes_on_as_one_that_was_not(make_job: Any, tmp_path: Path) -> None:
    straight, cut, rest = InProcess(), InProcess(stop_after=20), InProcess()
    whole = train(straddling(make_job, tmp_path / "whole"), straight)
    train(straddling(make_job, tmp_path / "cut"), cut)
    again = train(straddling(make_job, tmp_path / "again", resume=str(tmp_path / "cut")), rest)
    told = [value for _, value, _ in straight.reports]
    assert [value for _, value, _ in (*cut.reports, *rest.reports)] == told
    assert again.value == whole.value == max(told[2:])
    assert again.best_epoch == whole.best_epoch == told.index(whole.value, 2) + 1
