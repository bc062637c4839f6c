"""Every block of the pages runs, in the order of its page: the words as written, with small budgets and drawn faces.

What stands for the reader's own things: ``fer2013.csv`` (drawn faces in Kaggle's shape), ``faces/`` and ``photos/``
(pictures), ``experiments/``. ``builtin:faces`` becomes a smaller one. Searches and stacks get a few epochs at most.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fertune as ft
from tests.docs.pages import ROOT, RUNNABLE, blocks, commands, pages

FACES = "builtin:faces?n=140"
SEARCH = {"trials": 2, "max_epochs": 2}
STACK = {"folds": 2, "meta_trials": 1, "epochs": 1, "top": 1}
RESTACK = {"meta_trials": 1}
PAGES = [page for page in pages() if any(b.language in RUNNABLE for b in blocks(page))]


def flags(budget: dict[str, int]) -> list[str]:
    return [word for name, value in budget.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def write_faces(folder: Path) -> None:
    """The reader's own files."""
    from PIL import Image

    faces = ft.open_dataset(FACES)
    usage = {0: "Training", 1: "Training", 2: "PublicTest"}
    lines = [
        f"{label},{' '.join(map(str, image.ravel()))},{usage[int(split)]}"
        for image, label, split in zip(faces.images, faces.labels, faces.split, strict=True)
    ]
    (folder / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(lines) + "\n")
    for name, count in (("faces", 60), ("photos", 4)):
        (folder / name).mkdir()
        for i in range(count):
            Image.fromarray(np.asarray(faces.images[i, ..., 0])).save(folder / name / f"{i}.png")
    (folder / "experiments").mkdir()
    for path in (ROOT / "experiments").glob("*.yaml"):
        text = re.sub(r"(?m)^(\s+)(trials|max_epochs|epochs|folds|bagging): \d+", r"\1\2: 2", path.read_text("utf-8"))
        (folder / "experiments" / path.name).write_text(text)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "desk"
    folder.mkdir()
    write_faces(folder)
    monkeypatch.chdir(folder)
    search, stack = ft.search, ft.stack

    def small_search(*args: Any, **given: Any) -> Any:
        cap = {} if given.get("resume") else SEARCH
        return search(*args, **{**given, **cap})

    def small_stack(*args: Any, **given: Any) -> Any:
        return stack(*args, **{**given, **(RESTACK if "from_oof" in given else STACK)})

    monkeypatch.setattr(ft, "search", small_search)
    monkeypatch.setattr(ft, "stack", small_stack)
    yield folder


def run_line(line: str, folder: Path, env: dict[str, str]) -> None:
    words = shlex.split(line)
    if words[0] == "export":
        name, _, value = words[1].partition("=")
        if value == "jax":
            pytest.importorskip("jax", reason="the page shows KERAS_BACKEND=jax")
        env[name] = value
        return
    if words[0] != "fertune":
        return  # make, pip, rsync: checked in test_reference
    words = [FACES if w == "builtin:faces" else w for w in words[1:]]
    resumes = "--resume" in words and (folder / words[words.index("--out") + 1] / "run.json").exists()
    if words[0] == "search" and not resumes:
        words += flags(SEARCH)
    if words[0] == "stack" and not resumes:
        words += flags(RESTACK if "--from-oof" in words else STACK)
    done = subprocess.run(
        [sys.executable, "-m", "fertune", *words], cwd=folder, env=env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_block_runs(page: Path, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env = dict(os.environ)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "sh":
            for line in commands(block.text):
                run_line(line, desk, env)
        elif block.language == "python":
            text = block.text.replace('"builtin:faces"', repr(FACES))
            exec(compile("\n" * block.line + text, str(page), "exec"), names)
