"""Removing runs: whole ones, and none that somebody needs."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

import fertune.api.remove as removing
from fertune.api.remove import plan_removal, remove_runs
from fertune.cli import main
from fertune.errors import RunError
from fertune.store import RunFolder
from tests.api.made_runs import make_search, make_stack, right


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    runs = tmp_path / "runs"
    for name in ("a", "b"):
        make_search(runs, name)
    make_stack(runs, "stack", ("a",), right(0.6))
    return runs


def test_without_a_terminal_it_wants_yes(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["rm", "runs/b"]) == 2
    assert "no terminal to ask on" in capsys.readouterr().err and (root / "b").is_dir()
    size = sum(p.stat().st_size for p in (root / "b").rglob("*") if p.is_file())
    assert main(["rm", "runs/b", "--yes", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done == {"kind": "removed", "runs": [{"path": "runs/b", "kind": "search", "bytes": size}], "bytes": size}
    assert sorted(p.name for p in root.iterdir()) == ["a", "stack"]


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("\n", True), ("n\n", True), ("", True)])
def test_on_a_terminal_it_asks(
    root: Path, answer: str, left: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO(answer)
    stream.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", stream)
    assert main(["rm", "runs/b", "runs/b/"]) == 0
    told = capsys.readouterr()
    assert "Remove 1 run, " in told.err and "runs/b" in told.err
    assert (root / "b").exists() is left
    assert ("nothing was removed" in told.err) is left and ("are free again" in told.out) is not left


def test_a_search_that_a_stack_names_stays(root: Path) -> None:
    with pytest.raises(RunError, match="a is a search that stack was made from") as caught:
        plan_removal([root / "a"])
    assert caught.value.help is not None and "--force" in caught.value.help
    assert len(plan_removal([root / "a", root / "stack"])) == 2
    assert remove_runs(root / "a", force=True) > 0
    assert not (root / "a").exists()


def test_all_faults_at_once_and_nothing_is_removed(root: Path, tmp_path: Path) -> None:
    (root / "empty").mkdir()
    (root / "link").symlink_to(root / "b")
    (root / "file").write_text("x")
    held = RunFolder.reopen(root / "stack")
    try:
        with pytest.raises(RunError, match="6 of 7 runs cannot be removed; nothing was removed") as caught:
            remove_runs("runs/b", "runs/empty", "runs/link", "runs/bb", "runs/stack", "stack", "runs/file")
    finally:
        held.close()
    text = "\n".join(caught.value.details)
    for wanted in (
        "runs/empty is no run: it holds no run.json",
        "runs/link is a link; name the folder that it leads to",
        "there is no run at runs/bb; did you mean 'b'?",
        "another process is working on runs/stack",
        "there is no run at stack; did you mean 'runs/stack'?",
        "there is no run at runs/file",
    ):
        assert wanted in text
    assert (root / "b" / "run.json").exists()


def test_links_inside_are_not_followed(root: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data.csv").write_text("x" * 5000)
    (root / "b" / "link").symlink_to(precious)
    (root / "b" / "file").symlink_to(precious / "data.csv")
    assert remove_runs(root / "b") < 5000
    assert (precious / "data.csv").exists()


def test_a_damaged_run_needs_force(root: Path) -> None:
    (root / "b" / "run.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        remove_runs(root / "b")
    remove_runs(root / "b", force=True)
    assert not (root / "b").exists()
    (root / "other").mkdir()
    (root / "other" / "run.json").write_text('{"not": "ours"}')
    with pytest.raises(RunError):
        remove_runs(root / "other", force=True)


def test_a_kill_leaves_nothing_that_looks_like_a_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(removing.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        remove_runs(root / "b")
    left = [p for p in root.iterdir() if p.name.startswith(".")]
    assert not (root / "b").exists() and len(left) == 1 and not (left[0] / "run.json").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_told(root: Path) -> None:
    root.chmod(0o500)
    try:
        with pytest.raises(RunError, match="cannot be removed"):
            remove_runs(root / "b")
    finally:
        root.chmod(0o700)
