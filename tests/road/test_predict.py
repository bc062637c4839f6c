"""``fertune bundle`` and ``fertune predict`` on runs that were trained: what was stored comes out again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fertune as ft

pytestmark = pytest.mark.slow

FRESH = (
    "import sys, numpy as np, fertune as ft\n"
    "d = ft.open_dataset('builtin:digits'); at = d.positions('test')\n"
    "np.savez(sys.argv[2], proba=ft.load(sys.argv[1]).predict_proba(d.images[at]), row=d.row_ids[at])\n"
)


def fresh(road: Any, model: str, out: str) -> np.ndarray:
    """Test probabilities of a model in a process that knows nothing else."""
    subprocess.run(
        [sys.executable, "-c", FRESH, model, out], cwd=road.root, env=road.environment(), check=True,
        capture_output=True,
    )  # fmt: skip
    with np.load(road.root / out) as stored:
        proba: np.ndarray = stored["proba"]
    return proba


@pytest.fixture(scope="module")
def moved(road: Any, stack_run: Path, search_run: Path) -> dict[str, str]:
    """Bundles of both, carried to another folder under other names."""
    place = road.root / "else where"
    place.mkdir()
    names = {}
    for run, words in (("s", ["runs/s"]), ("a", ["runs/a"])):
        done = road.fertune("bundle", *words, "-o", f"{run}.fertune", "--quiet")
        assert done.returncode == 0 and done.stdout == f"{run}.fertune\n", done.stderr
        again = road.fertune("bundle", *words, "-o", f"{run}2.fertune", "--quiet")
        first, second = ((road.root / name).read_bytes() for name in (f"{run}.fertune", f"{run}2.fertune"))
        assert again.returncode == 0 and first == second
        shutil.move(road.root / f"{run}.fertune", place / f"{run}.model")
        (place / f"{run}.model").chmod(0o400)
        names[run] = f"else where/{run}.model"
    place.chmod(0o500)
    return names


def test_a_stack_says_what_it_said_of_the_test_rows(road: Any, stack_run: Path, moved: dict[str, str]) -> None:
    with np.load(stack_run / "test.npz") as test:
        chosen = json.loads((stack_run / "comparison.json").read_text())["chosen"]
        stored = test["proba"][:, list(test["names"]).index(chosen)]
    for number, model in enumerate(("runs/s", moved["s"])):
        assert np.abs(fresh(road, model, f"s{number}.npz") - stored).max() < 1e-5


def test_a_search_says_what_it_said_of_the_validation_rows(road: Any, search_run: Path, moved: dict[str, str]) -> None:
    with np.load(search_run / "validation.npz") as stored:
        rows, expected = stored["row"], stored["proba"]
    assert np.abs(fresh(road, "runs/a", "a0.npz") - fresh(road, moved["a"], "a1.npz")).max() < 1e-6
    for number, model in enumerate(("runs/a", moved["a"])):
        done = road.fertune(
            "predict", model, "--data", "builtin:digits", "--split", "validation", "--out", f"v{number}.npz"
        )
        assert done.returncode == 0, done.stderr
        with np.load(road.root / f"v{number}.npz") as found:
            order = np.argsort(found["row"])[np.searchsorted(np.sort(found["row"]), rows)]
            assert np.array_equal(found["row"][order], rows)
            assert np.abs(found["proba"][order] - expected).max() < 1e-5


def test_pictures_in_files_are_pictures_in_memory(road: Any, moved: dict[str, str]) -> None:
    data = ft.open_dataset("builtin:digits")
    at = data.positions("test")[:20]
    folder = road.root / "pictures"
    folder.mkdir()
    for row, position in enumerate(at):
        Image.fromarray(np.asarray(data.images[position])[..., 0]).save(folder / f"{row:02d}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for run in ("s", "a"):
        done = road.fertune("predict", moved[run], "pictures", "--json", "--top", "10")
        assert done.returncode == 0, done.stderr
        assert "oneDNN" not in done.stderr and "pictures/broken.png" in done.stderr
        document = json.loads(done.stdout)
        whole = fresh(road, moved[run], "whole.npz")[:20]
        for picture, expected in zip(document["pictures"], whole, strict=True):
            named = {entry["class"]: entry["probability"] for entry in picture["top"]}
            assert np.abs([named[name] for name in data.class_names] - expected).max() < 1e-5


def test_another_trial(road: Any, search_run: Path) -> None:
    kept = sorted(int(path.parent.name) for path in search_run.glob("trials/*/model.keras"))
    assert len(kept) > 1
    for trial in kept[:2]:
        done = road.fertune("bundle", "runs/a", "--trial", str(trial), "-o", "t.fertune", "--force", "--json")
        assert done.returncode == 0, done.stderr
        model = ft.load(road.root / "t.fertune")
        assert model.document is not None and model.document["trial"] == trial
