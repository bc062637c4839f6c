"""Recipes as they are trained: schedules, time, small pictures, mirrored predictions, precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from fertune.data import ImageDataset
from fertune.errors import ConfigError
from fertune.evaluation.metrics import accuracy
from fertune.models import engine
from fertune.training.context import InProcess
from fertune.training.load import load_model
from fertune.training.train import train
from fertune.trial import Rows

CONV = {"blocks": 2, "batch_norm": True, "pooling": "average", "augment": True, "shift": 0.1, "schedule": "one_cycle"}


class Ticking:
    """A clock on which each reading takes a while."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def test_a_training_on_time_ends_annealed_and_its_file_predicts_what_it_wrote(
    make_job: Any, dataset: ImageDataset, tmp_path: Path
) -> None:
    """8 batches an epoch, some 8 readings of the clock each."""
    settings = {**CONV, "small_side": 8, "flip_at_prediction": True, "optimizer": "sgd", "learning_rate": 0.1}
    context = InProcess()
    job = make_job(settings=settings, budget=50, seconds=60.0, predict={"held_out": Rows(("test",))})
    result = train(job, context, Ticking(1.0))
    rates = [logs["learning_rate"] for _, _, logs in context.reports]
    assert 3 <= result.epochs < 50 and result.ended_by == "budget" and result.seconds <= 60.0
    assert rates[-1] < max(rates)
    model = load_model(tmp_path / "out" / "model.keras")
    for name in ("stop", "held_out"):
        with np.load(tmp_path / "out" / f"{name}.npz") as stored:
            pictures = np.asarray(dataset.images[stored["position"]])
            proba = stored["proba"]
            again = keras.ops.convert_to_numpy(model(pictures, training=False))
            assert again == pytest.approx(proba, abs=1e-5)
            mirrored = keras.ops.convert_to_numpy(model(pictures[:, :, ::-1], training=False))
            assert mirrored == pytest.approx(proba, abs=1e-5)
            if name == "stop":
                assert result.value == accuracy(proba, stored["labels"])
    text = (tmp_path / "out" / "model.keras").read_bytes()
    assert b"Fused" not in text


@pytest.mark.parametrize(("budget", "small"), [(1, True), (2, True), (3, False), (4, False)])
def test_a_training_is_watched_and_kept_at_the_size_of_its_best_epoch(
    make_job: Any, dataset: ImageDataset, tmp_path: Path, budget: int, small: bool
) -> None:
    """Of four epochs two see small pictures; once full ones are trained, only those count for the best."""
    settings = {**CONV, "small_side": 6, "optimizer": "sgd", "learning_rate": 0.1}
    context = InProcess()
    result = train(make_job(settings=settings, budget=budget, horizon=4), context)
    model = load_model(tmp_path / "out" / "model.keras")
    sizes = [layer.height for layer in model.layers if isinstance(layer, keras.layers.Resizing)]
    assert sizes == ([6] if small else [])
    told = [value for _, value, _ in context.reports]
    counted = told if small else told[2:]
    assert result.value == max(counted) and result.best_epoch == told.index(max(counted), 0 if small else 2) + 1
    with np.load(tmp_path / "out" / "stop.npz") as stored:
        assert accuracy(stored["proba"], stored["labels"]) == result.value
        again = keras.ops.convert_to_numpy(model(np.asarray(dataset.images[stored["position"]]), training=False))
        assert again == pytest.approx(stored["proba"], abs=1e-5)


def test_half_of_the_rows_take_half_of_the_steps(make_job: Any) -> None:
    import dataclasses

    asked = []
    for share in (1.0, 0.5):
        context = InProcess()
        train(dataclasses.replace(make_job(budget=1), share=share), context)
        asked.append(context.asked)
    assert asked == [8, 4]


def test_small_pictures_need_a_net_that_takes_any_size(make_job: Any) -> None:
    with pytest.raises(ConfigError, match="small_side needs"):
        train(make_job(settings={"small_side": 8, "pooling": "flatten"}), InProcess())
    train(make_job(budget=1, settings={"small_side": 12, "pooling": "flatten"}), InProcess())


def test_bfloat16_computes_so_keeps_float32_weights_and_gives_float32(make_job: Any, tmp_path: Path) -> None:
    job = make_job(settings={**CONV, "precision": "bfloat16"}, budget=1)
    train(job, InProcess())
    assert keras.config.dtype_policy().name == "float32"
    model = load_model(tmp_path / "out" / "model.keras")
    assert {str(w.dtype) for w in model.weights if "seed" not in w.path} == {"float32"}
    assert model.layers[2].compute_dtype == "bfloat16"
    assert keras.ops.convert_to_numpy(model(np.zeros((1, 12, 12, 1), np.uint8))).dtype == np.float32


@pytest.mark.parametrize(
    ("flags", "wanted"), [("fpu avx512_bf16 sse", True), ("fpu amx_bf16", True), ("avx512f", False)]
)
def test_auto_is_bfloat16_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, wanted: bool
) -> None:
    monkeypatch.setattr(engine.Path, "read_text", lambda *_: f"model : x\nflags\t\t: {flags}\n")
    assert engine.cpu_has_bfloat16() is wanted
    monkeypatch.setattr(engine, "has_bfloat16", lambda: wanted)
    with engine.computing_in("auto") as chosen:
        assert chosen == ("bfloat16" if wanted else "float32")
        assert keras.config.dtype_policy().name == ("mixed_bfloat16" if wanted else "float32")
