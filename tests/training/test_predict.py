"""Predictions of kept models, and models that cannot be loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.data import ImageDataset
from fertune.errors import RunError
from fertune.training.context import InProcess
from fertune.training.load import load_model
from fertune.training.predict import Predictor
from fertune.training.runner import run
from fertune.trial import PredictJob, Rows


def predict_job(dataset: ImageDataset, model: Path, out: Path, rows: Rows) -> PredictJob:
    return PredictJob("p", str(dataset.folder), dataset.fingerprint, rows, str(model), str(out))


def test_a_kept_model_predicts_what_it_did_when_it_was_trained(
    make_job: Any, dataset: ImageDataset, tmp_path: Path
) -> None:
    run(make_job(predict={"test": Rows(("test",))}), InProcess())
    model, out = tmp_path / "out" / "model.keras", tmp_path / "deep" / "p.npz"
    assert run(predict_job(dataset, model, out, Rows(("test",))), InProcess()) is None
    with np.load(out) as later, np.load(tmp_path / "out" / "test.npz") as before:
        assert set(later.files) == {"row", "position", "proba"}
        assert later["row"].dtype == np.int32 and later["proba"].dtype == np.float32
        assert (later["row"] == before["row"]).all()
        assert later["proba"] == pytest.approx(before["proba"], abs=1e-6)
    assert [p.name for p in out.parent.iterdir()] == ["p.npz"]


def test_predictions_are_in_the_order_asked_for_however_they_are_batched(
    make_job: Any, dataset: ImageDataset, tmp_path: Path
) -> None:
    run(make_job(budget=1), InProcess())
    model = load_model(tmp_path / "out" / "model.keras")
    images = np.asarray(dataset.images)
    predictor = Predictor(model, images)
    predictor._size = 16
    rows = np.random.default_rng(0).integers(0, 380, 37).astype(np.int32)
    whole = model.predict(images[rows], verbose=0)
    assert predictor(rows) == pytest.approx(whole, abs=1e-6)
    assert predictor(rows[:1]) == pytest.approx(whole[:1], abs=1e-6)


def test_models_that_cannot_be_loaded(dataset: ImageDataset, tmp_path: Path) -> None:
    import keras

    damaged, unsafe = tmp_path / "damaged.keras", tmp_path / "unsafe.keras"
    damaged.write_bytes(b"PK no")
    pictures = keras.Input((12, 12, 1))
    keras.Model(pictures, keras.layers.Lambda(lambda x: x + 1)(pictures)).save(unsafe)
    for path, says in ((tmp_path / "gone.keras", "no model in"), (damaged, "cannot be loaded"), (unsafe, "lambda")):
        with pytest.raises(RunError, match="(?i)" + says):
            run(predict_job(dataset, path, tmp_path / "p.npz", Rows(("test",))), InProcess())
    assert not (tmp_path / "p.npz").exists()


def test_without_a_backend_the_install_line_is_given() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from fertune.training import runner\n"
        "from fertune.trial import PredictJob, Rows\n"
        "try: runner.run(PredictJob('p', '', '', Rows(), '', ''), None)\n"
        "except Exception as e: print(type(e).__name__, e)\n"
    )
    env = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env)
    assert "MissingPackage training and prediction need tensorflow" in done.stdout, done.stderr
    assert 'pip install "fertune[cpu]"' in done.stdout and "KERAS_BACKEND=jax" in done.stdout


def test_the_runner_and_all_that_spaces_need_load_no_keras() -> None:
    code = (
        "import sys, fertune.training.runner, fertune.training.recipe, fertune.models.catalog, fertune.training.load\n"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
