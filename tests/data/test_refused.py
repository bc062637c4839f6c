"""Bad data by the command line: exit code 2, the fault by its file and value, and no run folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fertune as ft
from fertune.cli import main
from fertune.errors import DataError

from .conftest import picture

SPACE = """\
name: tiny
model: conv
tuner: random
fixed: {activation: relu, blocks: 1, dense_units: 0, batch_norm: true, pooling: average}
recipe: {optimizer: adam, batch_size: 16, early_stopping_patience: 3}
params:
  filters_1: {type: choice, values: [4, 8]}
  learning_rate: {type: float, low: 2.0e-3, high: 1.0e-2, log: true}
"""


def mixed_sizes(root: Path) -> str:
    for i in range(8):
        folder = root / "faces" / "train" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i, 9 if i == 5 else 6)).save(folder / f"{i}.png")
    return "faces"


def unreadable(root: Path) -> str:
    mixed_sizes(root)
    Image.fromarray(picture(5)).save(root / "faces" / "train" / "b" / "5.png")
    (root / "faces" / "train" / "a" / "4.png").write_text("no picture")
    return "faces"


def pickled(root: Path) -> str:
    np.save(root / "fer.npy", {"train": (np.zeros((4, 6, 6)), np.arange(4))}, allow_pickle=True)
    return "fer.npy"


def not_a_number(root: Path) -> str:
    x = np.full((8, 6, 6), 0.5)
    x[6, 1, 2] = np.nan
    np.savez(root / "mine.npz", x_train=x, y_train=np.arange(8) % 2)
    return "mine.npz"


def gone(root: Path) -> str:
    unreadable(root)
    (root / "faces.csv").write_text("path,label\nfaces/train/a/0.png,sad\nfaces/train/a/l.png,happy\n")
    return "faces.csv"


def nowhere(root: Path) -> str:
    mixed_sizes(root)
    return "facse"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (mixed_sizes, ["train/b/5.png: 9 x 9 pixels where most are 6 x 6", "--image-size 6"]),
        (unreadable, ["train/a/4.png: not a picture", "--skip-bad-rows"]),
        (pickled, ["fer.npy holds pickled Python objects", "--allow-pickle"]),
        (not_a_number, ["x_train, row 6: nan is not a pixel"]),
        (gone, ["line 3, path: 'faces/train/a/l.png': no such file"]),
        (nowhere, ["there is no file or folder 'facse'", "did you mean 'faces'?"]),
    ],
)
def test_bad_data_end_a_search_before_it_begins(
    make: Callable[[Path], str],
    says: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    data = make(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main(["search", "--data", data, "--trials", "1"]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told and all(words in told for words in says), told
    left = [p for p in sorted(tmp_path.iterdir()) if p not in before and p.name != "cache"]
    assert left == [] and not (tmp_path / "runs").exists()
    kept = tmp_path / "cache"
    assert not kept.exists() or [p.name for p in kept.iterdir() if p.is_dir()] == ["index"]


@pytest.mark.slow
def test_a_search_over_an_object_goes_on_without_it_while_the_cache_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(SPACE)
    data = (np.stack([picture(i, 16) for i in range(60)]), np.arange(60) % 3)
    run = ft.search("tiny.yaml", data, trials=1, max_epochs=1, out="run", verbose=False)
    assert run.record.info["data"]["source"] == "python:tuple"
    again = ft.search(out="run", resume=True, trials=2, verbose=False)
    assert len(again.trials()) == 2
    probabilities = ft.predict("run", out="proba.npz")
    assert probabilities.exists()
    shutil.rmtree(cache)
    with pytest.raises(DataError, match="were given in Python") as caught:
        ft.search(out="run", resume=True, trials=3, verbose=False)
    assert caught.value.help and "give the same object again" in caught.value.help
    last = ft.search(data=data, out="run", resume=True, trials=3, verbose=False)
    assert len(last.trials()) == 3


@pytest.mark.slow
def test_what_was_left_out_and_what_is_kept_together_stand_in_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(SPACE)
    for i in range(60):
        Image.fromarray(picture(i if i != 59 else 0)).save(f"{i}.png")
    Path("7.png").write_text("no picture")
    lines = ["path,label,person", *(f"{i}.png,{'ab'[i % 2]},p{i // 3}" for i in range(60))]
    Path("faces.csv").write_text("\n".join(lines))
    how = ["--group-column", "person", "--skip-bad-rows", "--image-size", "16"]
    words = [
        "search",
        "--space",
        "tiny.yaml",
        "--data",
        "faces.csv",
        "--trials",
        "1",
        "--max-epochs",
        "1",
        "--out",
        "run",
    ]
    assert main([*words, *how, "--quiet"]) == 0
    described = ft.open_run("run").record.info["data"]
    assert any("left out: line 9, 7.png: not a picture" in note for note in described["notes"])
    assert described["options"] == {"group_column": "person", "image_size": [16, 16], "skip_bad_rows": True}
    assert main(["stack", "run", "--folds", "2", "--epochs", "1", "--meta-trials", "1", "--out", "st", "--quiet"]) == 0
    with np.load("st/oof.npz") as oof:
        for group in np.unique(oof["groups"]):
            assert len(set(oof["fold"][oof["groups"] == group].tolist())) == 1
        assert len(np.unique(oof["groups"])) < len(np.unique(oof["twins"])) <= len(oof["row"])
