"""The benchmarks still run: each is read and named in the README, what they share is right, and some run tiny."""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.conftest import FOLDER

SHARED = ("common", "drawn")


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.py") if p.stem not in SHARED))
def test_each_says_what_it_is_and_how_it_is_typed(name: str) -> None:
    tree = ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))
    assert f"python benchmarks/{name}.py" in (ast.get_docstring(tree) or "")
    assert any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


@pytest.mark.parametrize(
    "name",
    ["same_work", "same_quality", "same_time", "packing", "coordinator", "engines", "overhead", "fold_race", "reading"],
)
def test_each_is_in_the_readme_and_imports(name: str, load: Any) -> None:
    assert f"benchmarks/{name}.py" in (FOLDER / "README.md").read_text("utf-8")
    assert callable(load(name).main)


def write_faces(path: Path, rows: list[tuple[int, int, str]]) -> Path:
    """Kaggle's csv of pictures of one shade each: (label, shade, usage)."""
    lines = [f"{label},{' '.join([str(shade)] * 48 * 48)},{usage}\n" for label, shade, usage in rows]
    path.write_text("emotion,pixels,Usage\n" + "".join(lines), "utf-8")
    return path


def test_a_cut_takes_the_first_rows_of_each_usage(tmp_path: Path, load: Any) -> None:
    rows = [(i % 7, i, "PublicTest" if i % 3 == 0 else "Training") for i in range(30)]
    csv = write_faces(tmp_path / "fer2013.csv", rows)
    asked = argparse.Namespace(fer2013=csv, train=4, val=3)
    with np.load(load("common").write_cut(tmp_path / "cut.npz", asked)) as cut:
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


@pytest.mark.parametrize(
    ("tools", "said"), [("fertun", "'fertun'; there are"), ("fertune,optuna", "need --peer and --peer-data")]
)
def test_same_time_refuses_tools_that_it_cannot_run(
    tools: str, said: str, load: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["same_time.py", "--fer2013", "none.csv", "--log", "none", "--tools", tools])
    with pytest.raises(SystemExit) as ended:
        load("same_time").main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_median_is_told_with_its_ends(load: Any) -> None:
    spread = load("common").spread
    assert spread([3.0]) == "3.0"
    assert spread([3.0, 1.0, 10.0]) == "3.0 (1.0 to 10.0)"


def test_workers_are_idle_from_their_last_piece_of_work_to_the_end(load: Any) -> None:
    def line(event: str, time: float, **more: int) -> dict[str, Any]:
        return {"event": event, "time": time, **more}

    lines = [line("started", 0.0, ticket=n, worker=n) for n in range(3)]
    lines += [line("told", 3.0, ticket=0), line("started", 3.0, ticket=3, worker=0), line("told", 4.0, ticket=1)]
    lines += [line("told", 9.0, ticket=3), line("told", 9.5, ticket=2), line("told", 9.6, ticket=9)]  # 9: never begun
    assert load("common").idle_at_the_end([*lines, line("ended", 10.0)]) == [6.0, 1.0, 0.5]


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


@pytest.mark.slow
def test_overhead_does_the_same_work_on_both_sides(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, str(FOLDER / "overhead.py"), "--quick", "--json", str(out)]
    subprocess.run(command, check=True, cwd=tmp_path)
    figures = json.loads(out.read_text("utf-8"))
    assert figures["apart"]["loss"] < 1e-4
    assert figures["apart"]["val_accuracy"] == 0
    assert figures["added"]["by hand"]["aim_s"] > 0.3


@pytest.mark.slow
def test_packing_runs_tiny(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [(i % 7, int(rng.integers(256)), "Training" if i < 90 else "PublicTest") for i in range(120)]
    csv, out = write_faces(tmp_path / "fer2013.csv", rows), tmp_path / "figures.json"
    command = [sys.executable, str(FOLDER / "packing.py"), "--fer2013", str(csv), "--quick", "--workers", "2"]
    subprocess.run([*command, "--json", str(out)], check=True, cwd=tmp_path)
    figures = json.loads(out.read_text("utf-8"))
    assert figures["gains"]["1"] == {"whole": 1.0, "later": 1.0}
    assert figures["gains"]["2"]["whole"] > 0


@pytest.mark.slow
def test_the_fold_race_runs_tiny(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, str(FOLDER / "fold_race.py"), "--data", "builtin:digits", "--quick", "--workers", "1"]
    subprocess.run([*command, "--json", str(out)], check=True, cwd=tmp_path)
    races = json.loads(out.read_text("utf-8"))["races"]
    assert list(races) == ["1 wrong or not", "1 1 - p", "2 wrong or not", "2 1 - p"]
    assert all(len(race["p"]) == race["pairs"] for race in races.values())
