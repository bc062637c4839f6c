"""A trial that goes on equals one that was never interrupted, to the bit: weights, slots, rules, order, dropout."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fertune.training.context import InProcess
from fertune.training.runner import run
from fertune.trial import TrainResult

TENSORFLOW_SGD = pytest.param("tensorflow", "sgd", marks=pytest.mark.slow)
NO_JAX = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason='needs jax: pip install "fertune[jax]"')
JAX = pytest.param("jax", "adam", marks=[pytest.mark.slow, pytest.mark.timeout(1200), NO_JAX])


def in_a_fresh_process(backend: str, optimizer: str, part: str, folder: Path) -> dict[str, Any]:
    one = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    env = {**os.environ, **one, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": os.getcwd()}
    env["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    script = Path(__file__).with_name("continuation.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), optimizer, part],
        env=env, capture_output=True, text=True, timeout=1100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(("backend", "optimizer"), [("tensorflow", "adam"), TENSORFLOW_SGD, JAX])
def test_stretches_equal_one_run_to_the_bit(backend: str, optimizer: str, tmp_path: Path) -> None:
    found = in_a_fresh_process(backend, optimizer, "continued", tmp_path)
    assert found["rates"] > 1 and found["waited"] > 0, "the rules never acted: the test shows nothing"
    assert found["steps"]
    assert found["continued"] == []
    assert len(set(found["values"])) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "optimizer"), [("tensorflow", "adam"), JAX])
def test_a_stretch_that_was_broken_off_in_an_epoch_goes_on_from_the_last_whole_one(
    backend: str, optimizer: str, tmp_path: Path
) -> None:
    found = in_a_fresh_process(backend, optimizer, "broken", tmp_path)
    assert found == {"broken_at": [2, "stopped"], "mended": []}


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "optimizer"), [("tensorflow", "adam"), JAX])
def test_early_stopping_spans_stretches_and_ends_a_trial_for_good(backend: str, optimizer: str, tmp_path: Path) -> None:
    found = in_a_fresh_process(backend, optimizer, "early", tmp_path)
    assert found["ended_by"] == ["early stopping"] * 3
    assert len(set(found["epochs"])) == 1 and found["epochs"][0] < 40
    assert found["same"] == []
    assert found["idle_reports"] == 0
    assert found["idle_value"][0] == found["idle_value"][1]


ANNEALED = [
    ("tensorflow", "one_cycle"),
    *(pytest.param("tensorflow", name, marks=pytest.mark.slow) for name in ("cosine", "step", "constant")),
    *(
        pytest.param("jax", name, marks=[pytest.mark.slow, pytest.mark.timeout(1200), NO_JAX])
        for name in ("one_cycle", "cosine", "step")
    ),
]


@pytest.mark.parametrize(("backend", "recipe"), ANNEALED)
def test_schedules_augmented_pictures_and_small_ones_go_on_to_the_bit(
    backend: str, recipe: str, tmp_path: Path
) -> None:
    """With a share of the rows, fused batch normalisation, and a change from small pictures to full ones between."""
    found = in_a_fresh_process(backend, "adam", recipe, tmp_path)
    assert found["continued"] == [] and found["mended"] == []
    assert len(set(found["values"])) == 1
    assert len(set(found["rates"])) == {"one_cycle": 6, "cosine": 6, "step": 3, "constant": 1}[recipe]


def test_a_state_of_another_job_or_a_damaged_one_is_not_used(make_job: Any, tmp_path: Path) -> None:
    run(make_job(budget=1, keep_state=True), InProcess())
    out = tmp_path / "out"

    def says(**changes: Any) -> str:
        job = make_job(resume=str(out), out=str(tmp_path / "next"), budget=1, **changes)
        result, context = run(job, InProcess()), InProcess()
        assert isinstance(result, TrainResult) and result.epochs == 1
        run(replace(job, resume=None), context)
        assert result.value == context.reports[-1][1], "trained anew, as if there were no state"
        assert result.note.startswith("trained anew")
        return result.note

    assert "another job" in says(seed=6) and "seed: 5 there, 6 here" in says(seed=6)
    assert "settings" in says(settings={"learning_rate": 0.02})
    path = out / "state" / "state.npz"
    path.write_bytes(path.read_bytes()[:-3000])
    assert "damaged" in says()
    path.unlink()
    assert "no training state" in says()


def test_the_state_holds_seed_generators_and_no_pickle(make_job: Any, tmp_path: Path) -> None:
    import numpy as np

    run(make_job(budget=1, keep_state=True, settings={"augment": True, "blocks": 2}), InProcess())
    with np.load(tmp_path / "out" / "state" / "state.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    assert all(array.dtype.kind in "fiuU" for array in arrays.values())
    seeds = [a for name, a in arrays.items() if name.startswith("model_") and a.shape == (2,) and a.dtype.kind in "iu"]
    assert len(seeds) == 3  # two blocks, head: pictures are moved before they reach the model
    assert all(seed[1] > 0 for seed in seeds), "they have been drawn from"
