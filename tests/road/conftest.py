"""One small road for all tests of this folder: two searches and a stack on the digits, by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TINY = """\
name: {name}
model: conv
tuner: random
fixed: {{activation: {activation}, blocks: 2, dense_units: 0, batch_norm: true, pooling: average}}
recipe: {{optimizer: adam, batch_size: 64, early_stopping_patience: 3}}
params:
  filters_1: {{type: choice, values: [8, 16]}}
  filters_2: {{type: choice, values: [16, 24, 32]}}
  learning_rate: {{type: float, low: 2.0e-3, high: 1.0e-2, log: true}}
"""


@dataclass(frozen=True)
class Road:
    """A folder to work in, and how to call fertune there."""

    root: Path
    cache: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "FERTUNE_CACHE": str(self.cache), "PYTHONWARNINGS": "ignore", "COLUMNS": "100"}

    def fertune(self, *words: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fertune", *words],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fertune", *words],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    root = tmp_path_factory.mktemp("road")
    for name, activation in (("tiny", "relu"), ("tiny_leaky", "leaky_relu")):
        (root / f"{name}.yaml").write_text(TINY.format(name=name, activation=activation))
    return Road(root, root / "cache")


@pytest.fixture(scope="session")
def search_run(road: Road) -> Path:
    """Hyperband over 5 configurations."""
    done = road.fertune(
        "search",
        "--space",
        "tiny.yaml",
        "--data",
        "builtin:digits",
        "--tuner",
        "hyperband",
        "--trials",
        "5",
        "--max-epochs",
        "4",
        "--out",
        "runs/a",
    )
    assert done.returncode == 0, done.stderr
    return road.root / "runs" / "a"


@pytest.fixture(scope="session")
def other_run(road: Road) -> Path:
    done = road.fertune(
        "search",
        "--space",
        "tiny_leaky.yaml",
        "--data",
        "builtin:digits",
        "--tuner",
        "tpe",
        "--trials",
        "3",
        "--max-epochs",
        "3",
        "--out",
        "runs/b",
    )
    assert done.returncode == 0, done.stderr
    return road.root / "runs" / "b"


@pytest.fixture(scope="session")
def stack_run(road: Road, search_run: Path, other_run: Path) -> Path:
    done = road.fertune(
        "stack",
        "runs/a",
        "runs/b",
        "--top",
        "1",
        "--folds",
        "3",
        "--epochs",
        "4",
        "--bagging",
        "2",
        "--class-weights",
        "none,sqrt",
        "--meta",
        "greedy,decision_tree,logistic,xgboost",
        "--meta-trials",
        "10",
        "--out",
        "runs/s",
    )
    assert done.returncode == 0, done.stderr
    return road.root / "runs" / "s"
