"""One job from rows to files: what is watched, what is kept, what is told, how it ends."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.data import ImageDataset
from fertune.errors import ConfigError, DataError, RunError
from fertune.evaluation.metrics import accuracy, log_loss, macro_f1
from fertune.training import train
from fertune.training.context import InProcess
from fertune.training.load import load_model
from fertune.training.runner import run
from fertune.trial import OBJECTIVES, Rows, TrainResult

LOGS = {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "val_macro_f1", "learning_rate", "seconds"}


def arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def history(context: InProcess) -> list[dict[str, float]]:
    return [{k: v for k, v in logs.items() if k != "seconds"} for _, _, logs in context.reports]


def test_a_job_leaves_the_best_epochs_model_and_its_probabilities(
    make_job: Any, dataset: ImageDataset, tmp_path: Path
) -> None:
    job = make_job(
        budget=6, settings={"learning_rate": 0.03, "early_stopping_patience": 0, "l2": 0.1},
        predict={"held_out": Rows(("test",))}, objective=OBJECTIVES["val_loss"],
    )  # fmt: skip
    context, out = InProcess(), tmp_path / "out"
    result = run(job, context)
    assert isinstance(result, TrainResult)
    assert [(step, logs["epoch"]) for step, _, logs in context.reports] == [(e, e) for e in range(1, 7)]
    assert all(set(logs) == LOGS for _, _, logs in context.reports)
    values = [value for _, value, _ in context.reports]
    assert result.value == min(values) and result.best_epoch == values.index(min(values)) + 1
    assert (result.epochs, result.ended_by) == (6, "budget")
    assert result.parameters > 0 and result.memory > 0 and result.seconds > 0

    stop, held_out = arrays(out / "stop.npz"), arrays(out / "held_out.npz")
    best = context.reports[result.best_epoch - 1][2]
    assert stop["position"].tolist() == dataset.positions("validation").tolist()
    assert stop["row"].dtype == np.int32 and (stop["row"] == dataset.row_ids[stop["position"]]).all()
    assert stop["proba"].dtype == np.float32
    assert best["val_loss"] == result.value == log_loss(stop["proba"], stop["labels"])  # no L2 penalty in it
    assert best["val_accuracy"] == accuracy(stop["proba"], stop["labels"])
    assert best["val_macro_f1"] == macro_f1(stop["proba"], stop["labels"])
    assert set(held_out) == {"row", "position", "proba"}

    model = load_model(out / "model.keras")
    for part in (stop, held_out):
        again = model.predict(np.asarray(dataset.images[part["position"]]), verbose=0)
        assert again == pytest.approx(part["proba"], abs=1e-5)
    assert sorted(p.name for p in out.iterdir()) == ["held_out.npz", "model.keras", "stop.npz"]


def test_only_stop_rows_are_watched(make_job: Any, dataset: ImageDataset, tmp_path: Path) -> None:
    """Law 1: with other labels on the held-out rows, everything is the same to the bit."""
    poisoned = dataclasses.replace(dataset, labels=np.where(dataset.split == 2, 0, dataset.labels), folder=None)
    poisoned = poisoned.save(tmp_path / "poisoned")
    assert (poisoned.labels != dataset.labels).sum() > 20
    runs = []
    for name, data in (("a", dataset), ("b", poisoned)):
        context = InProcess()
        settings = {"early_stopping_patience": 2, "reduce_lr_patience": 1, "learning_rate": 0.03}
        job = make_job(
            dataset=data, out=str(tmp_path / name), budget=8, settings=settings, predict={"held_out": Rows(("test",))}
        )
        result = run(job, context)
        assert isinstance(result, TrainResult)
        proba = [arrays(tmp_path / name / file)["proba"] for file in ("stop.npz", "held_out.npz")]
        runs.append((result.value, result.best_epoch, result.epochs, history(context), proba))
    assert runs[0][:4] == runs[1][:4]
    assert all((a == b).all() for a, b in zip(runs[0][4], runs[1][4], strict=True))


class _Touched:
    """Pictures that remember which of them were read."""

    def __init__(self, images: Any) -> None:
        self._images, self.shape, self.rows = images, images.shape, set()

    def __getitem__(self, rows: Any) -> Any:
        self.rows |= set(np.asarray(rows).tolist())
        return self._images[rows]


def test_only_rows_of_the_job_are_touched(
    make_job: Any, dataset: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "rows.npz"
    np.savez(rows, fit=np.arange(5, 70, dtype=np.int32), stop=np.array([100, 101, 102], np.int32))
    touched = _Touched(dataset.images)
    monkeypatch.setattr(train.ImageDataset, "open", lambda *_: dataclasses.replace(dataset, images=touched))
    job = make_job(
        fit=Rows(file=str(rows), key="fit"), stop=Rows(file=str(rows), key="stop"), predict={"p": Rows(("test",))}
    )
    run(job, InProcess())
    assert touched.rows == {*range(5, 70), 100, 101, 102, *dataset.positions("test").tolist()}


def test_a_bootstrap_trains_rows_as_often_as_they_stand_there(make_job: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.npz"
    np.savez(rows, fit=np.random.default_rng(0).integers(0, 240, 240).astype(np.int32))
    result = run(make_job(fit=Rows(file=str(rows), key="fit"), class_weight="balanced"), InProcess())
    assert isinstance(result, TrainResult) and result.epochs == 2


def test_a_pruned_job_ends_with_the_best_it_has(make_job: Any, tmp_path: Path) -> None:
    result = run(make_job(budget=9), InProcess(prune_at=2))
    assert isinstance(result, TrainResult)
    assert (result.epochs, result.ended_by) == (2, "pruned")
    assert (tmp_path / "out" / "model.keras").exists()


def test_a_broken_off_epoch_counts_as_not_begun(make_job: Any, tmp_path: Path) -> None:
    whole, cut = InProcess(), InProcess(stop_after=20)  # 8 batches an epoch: in the middle of the third
    run(make_job(budget=2, out=str(tmp_path / "whole")), whole)
    result = run(make_job(budget=9), cut)
    assert isinstance(result, TrainResult)
    assert (result.epochs, result.ended_by) == (2, "stopped")
    assert history(whole) == history(cut)
    assert cut.asked == 21, "asked after each batch, and stopped at once"
    names = ("whole", "out")
    one, other = (arrays(tmp_path / name / "stop.npz")["proba"] for name in names)
    assert (one == other).all()


def test_without_one_finished_epoch_there_is_no_value_and_no_model(make_job: Any, tmp_path: Path) -> None:
    result = run(make_job(keep_state=True, predict={"p": Rows(("test",))}), InProcess(stop_after=3))
    assert isinstance(result, TrainResult)
    assert (result.epochs, result.ended_by, result.best_epoch) == (0, "stopped", 0) and math.isnan(result.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_equal_jobs_give_equal_results_and_another_seed_another(make_job: Any, tmp_path: Path) -> None:
    seen = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        context = InProcess()
        run(make_job(out=str(tmp_path / name), seed=seed), context)
        seen.append(history(context))
    assert seen[0] == seen[1] != seen[2]


def test_nothing_is_traced_again_after_the_first_epoch(make_job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    calls = []
    layer = keras.layers.ReLU.call
    monkeypatch.setattr(keras.layers.ReLU, "call", lambda self, x: (calls.append(1), layer(self, x))[1])
    counts = []
    for budget in (1, 5):
        calls.clear()
        run(make_job(budget=budget, predict={"p": Rows(("test",))}), InProcess())
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_class_weights_change_what_is_learned(make_job: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.npz"
    seen = {}
    for mode in ("none", "balanced"):
        np.savez(rows, fit=np.r_[np.arange(0, 240), np.repeat(np.arange(0, 9), 30)].astype(np.int32))
        context = InProcess()
        run(make_job(fit=Rows(file=str(rows), key="fit"), class_weight=mode, out=str(tmp_path / mode)), context)
        seen[mode] = context.reports[-1][2]["val_loss"]
    assert seen["none"] != seen["balanced"]


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adamw"])
def test_other_optimizers_train(make_job: Any, optimizer: str) -> None:
    settings = {"optimizer": optimizer, "weight_decay": 1e-3, "label_smoothing": 0.1}
    result = run(make_job(budget=1, settings=settings), InProcess())
    assert isinstance(result, TrainResult) and result.epochs == 1


def test_what_a_job_must_not_be(make_job: Any, dataset: ImageDataset, tmp_path: Path) -> None:
    rows = tmp_path / "rows.npz"
    np.savez(rows, far=np.array([0, 380]), empty=np.array([], np.int32), real=np.array([0.5]))
    lost = dataclasses.replace(dataset, labels=np.where(np.arange(380) == 250, -1, dataset.labels), folder=None)
    lost = lost.save(tmp_path / "lost")
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"fit": Rows(file=str(rows), key="far")}, DataError, "the data set has 0 to 379"),
        ({"fit": Rows(file=str(rows), key="empty")}, DataError, "has no rows"),
        ({"fit": Rows(("unlabelled",))}, DataError, "has no rows"),
        ({"stop": Rows(file=str(rows), key="gone")}, RunError, "gone"),
        ({"stop": Rows(file=str(rows), key="real")}, RunError, "whole numbers"),
        ({"stop": Rows(file=str(tmp_path / "no.npz"), key="x")}, RunError, "cannot be read"),
        ({"dataset": lost}, DataError, "1 of 80 stop rows have no label; the first is at 250"),
        ({"fingerprint": "other"}, DataError, "not those that were asked for"),
        ({"settings": {"learning_rate": 7.0}}, ConfigError, "7.0 is above 1"),
        ({"settings": {"blocks": 9}}, ConfigError, "blocks: 9 is above 6"),
        ({"settings": {"blokcs": 2}}, ConfigError, "did you mean 'blocks'"),
        ({"family": "convv"}, ConfigError, "did you mean 'conv'"),
        ({"class_weight": "root"}, ConfigError, "class weight"),
    ]
    for changes, kind, says in cases:
        with pytest.raises(kind) as caught:
            run(make_job(**changes), InProcess())
        assert says in str(caught.value)
