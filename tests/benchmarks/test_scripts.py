"""The benchmarks still run: each is read and named in the README, what they share is right, and two run tiny."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SHARED = ("common", "drawn")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a file of ``benchmarks/``, which is no package."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.py") if p.stem not in SHARED))
def test_each_says_what_it_is_and_how_it_is_typed(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    assert f"python benchmarks/{name}.py" in (ast.get_docstring(tree) or "")
    assert any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


@pytest.mark.parametrize("name", ["same_work", "same_quality", "same_time", "packing", "coordinator", "engines"])
def test_each_is_in_the_readme_and_imports(name: str, load: Any) -> None:
    assert f"benchmarks/{name}.py" in (FOLDER / "README.md").read_text("utf-8")
    assert callable(load(name).main)


def test_a_cut_takes_the_first_rows_of_each_usage(tmp_path: Path, load: Any) -> None:
    rows = [(i % 7, " ".join([str(i)] * 48 * 48), "PublicTest" if i % 3 == 0 else "Training") for i in range(30)]
    csv = tmp_path / "fer2013.csv"
    csv.write_text("emotion,pixels,Usage\n" + "".join(f"{e},{p},{u}\n" for e, p, u in rows), "utf-8")
    with np.load(load("common").write_cut(tmp_path / "cut.npz", csv, 4, 3)) as cut:
        assert cut["x_train"][:, 0, 0].tolist() == [1, 2, 4, 5]
        assert cut["x_val"][:, 0, 0].tolist() == [0, 3, 6]
        assert cut["y_val"].tolist() == [0, 3, 6]
        assert cut["x_train"].dtype == np.uint8 and cut["x_train"].shape == (4, 48, 48)


def test_the_clock_of_same_quality_stops_at_the_first_epoch_as_good(load: Any) -> None:
    first = load("same_quality").first
    scores = [(3.0, 0.2), (5.0, 0.3533), (6.0, 0.5)]
    assert first(scores, 0.35333) == 5.0  # the peer's figure is rounded to four digits
    assert first(scores, 0.3535) == 6.0
    assert first(scores, 0.6) is None


def test_a_median_is_told_with_its_ends(load: Any) -> None:
    spread = load("common").spread
    assert spread([3.0]) == "3.0"
    assert spread([3.0, 1.0, 10.0]) == "3.0 (1.0 to 10.0)"


@pytest.mark.slow
def test_the_coordinator_runs_tiny(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, str(FOLDER / "coordinator.py"), "--trials", "30", "--json", str(out)]
    subprocess.run(command, check=True, cwd=tmp_path)
    figures = json.loads(out.read_text("utf-8"))
    assert figures["trials_a_second"] > 0
    assert figures["resume"]["first"] is not None


@pytest.mark.slow
def test_the_engines_run_tiny(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "engines.py"), "--marks", "3,6", "--engines", "random,asha,tpe"]
    done = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)
    assert "| tpe |" in done.stdout
