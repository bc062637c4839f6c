"""``--executor ray`` from the command line: as local workers do it, and what is said where it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SPACE = """\
name: tiny
model: conv
fixed: {blocks: 1, dense_units: 0, filters_1: 4}
params:
  filters_2: {type: choice, values: [8, 16, 24, 32]}
  learning_rate: {type: float, low: 2.0e-3, high: 1.0e-2, log: true}
"""
WORDS = ("search", "--space", "tiny.yaml", "--data", "builtin:digits", "--tuner", "random", "--max-epochs", "2")


def fertune(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fertune", *words], cwd=folder, capture_output=True, text=True, timeout=280,
        env={**os.environ, "COLUMNS": "100", **environment},
    )  # fmt: skip


def test_without_ray_it_says_what_to_install_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPACE)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'ray' else find(name, package)\n"
    )
    done = fertune(tmp_path, *WORDS, "--executor", "ray", "--out", "run", PYTHONPATH=str(hidden))
    assert done.returncode == 2
    assert "--executor ray needs Ray, which is not installed" in done.stderr
    assert 'pip install "fertune[ray]"' in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
        (["--address", "ray://box:10001"], "fertune runs on a machine of the cluster"),
        (["--address", "box:6379", "--gpus", "0"], "names GPUs of one machine"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_message(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "tiny.yaml").write_text(SPACE)
    done = fertune(tmp_path, *WORDS, "--executor", "ray", *words, "--out", "run")
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_search_on_ray_is_the_local_one_trial_for_trial(tmp_path: Path, workers: str) -> None:
    pytest.importorskip("tensorflow", reason="it trains a model, with TensorFlow")
    (tmp_path / "tiny.yaml").write_text(SPACE)
    found: list[list[Any]] = []
    for executor in ("local", "ray"):
        done = fertune(
            tmp_path, *WORDS, "--trials", "4", "--workers", workers, "--executor", executor, "--out", executor
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / executor / "validation.npz").exists()
        shown = fertune(tmp_path, "show", executor, "--json")
        trials = json.loads(shown.stdout)["trials"]
        found.append([(t["id"], t["state"], t["params"], t["value"], t["best_epoch"]) for t in trials])
    assert len(found[0]) == 4 and found[0] == found[1]
