"""The table over a folder of runs."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest

from fertune.api.listing import list_runs
from fertune.cli import main
from fertune.console.runs_table import result_text, runs_table
from fertune.errors import RunError
from fertune.store import RunFolder
from tests.api.made_runs import make_search, make_stack, right
from tests.schema import check


def aged(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path / "journal.jsonl", (then, then))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    aged(make_search(tmp_path, "leaky-02", (0.4471,), ended=False, goal=30), 2 * 86400 + 10)
    aged(make_search(tmp_path, "leaky-01"), 4000)
    aged(make_stack(tmp_path, "stack-01", ("leaky-01",), right(0.6)), 310)
    aged(make_stack(tmp_path, "stack-02", ("leaky-01",)), 400)
    (tmp_path / "half").mkdir()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text("{")
    damaged = make_search(tmp_path, "damaged")
    text = (damaged / "journal.jsonl").read_text().split("\n")
    (damaged / "journal.jsonl").write_text("\n".join([text[0], "garbage", *text[1:]]))
    (tmp_path / ".x.removed-1").mkdir()
    (tmp_path / "note.txt").write_text("no folder")
    return tmp_path


def test_each_run_newest_first_and_what_is_broken(root: Path) -> None:
    runs = list_runs(root)
    check(runs.to_json(), "runs")
    assert [r.run for r in runs.runs] == ["stack-01", "stack-02", "leaky-01", "leaky-02"]
    stack, unfinished, search, killed = runs.runs
    assert (stack.state, stack.verdict, stack.difference, stack.members) == ("finished", "helped", 0.012, 1)
    assert (unfinished.state, unfinished.verdict) == ("interrupted", None)
    assert (search.state, search.trials, search.goal, search.value, search.space) == ("finished", 3, 3, 0.6, "tiny")
    assert (killed.state, killed.trials, killed.goal, killed.value) == ("interrupted", 1, 30, 0.4471)
    assert search.bytes == sum(p.stat().st_size for p in (root / "leaky-01").rglob("*") if p.is_file())
    assert dict(runs.broken).keys() == {".x.removed-1", "damaged", "half", "torn"}
    assert "damaged at line 2" in dict(runs.broken)["damaged"]
    frame = runs.frame()
    assert list(frame["run"]) == [r.run for r in runs.runs] and "value" in frame.columns


def test_it_agrees_with_the_whole_record(root: Path) -> None:
    from fertune.store import open_record

    for listed in list_runs(root).runs:
        record = open_record(root / listed.run)
        assert (listed.state, listed.seconds) == (record.status, round(record.seconds, 3))
        if listed.kind == "search":
            assert listed.value == record.best.value
            assert listed.trials == len(record.trials)


def test_the_table_fits_and_says_it(root: Path) -> None:
    for width in (120, 80, 40):
        stream = io.StringIO()
        runs_table(list_runs(root).to_json(), stream, {"COLUMNS": str(width)})
        lines = stream.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        assert "optimistic" in stream.getvalue() and "torn: run.json cannot be read" in " ".join(
            stream.getvalue().split()
        )
        if width == 120:
            assert lines[0].split() == ["run", "kind", "state", "trials", "result", "space", "data", "age", "size"]
            assert "helped +1.2 [+0.4, +2.0]" in lines[1] and "1 member" in lines[1] and "5 m" in lines[1]
            assert "0.4471 val_accuracy" in lines[4] and "1/30" in lines[4] and "2 d" in lines[4]


def test_a_run_that_is_held_is_running(tmp_path: Path) -> None:
    folder = RunFolder.reopen(make_search(tmp_path, "live", (0.5,), ended=False))
    try:
        (listed,) = list_runs(tmp_path).runs
        assert listed.state == "running" and time.time() - listed.updated < 5
    finally:
        folder.close()


def test_a_running_line_is_not_read_to_the_end(tmp_path: Path) -> None:
    path = make_search(tmp_path, "cut", (0.5, 0.7), ended=False)
    with (path / "journal.jsonl").open("ab") as file:
        file.write(b'{"event": "told", "trial": 2, "val')
    (listed,) = list_runs(tmp_path).runs
    assert listed.trials == 2 and listed.value == 0.7


def test_two_hundred_runs_are_listed_in_two_seconds(tmp_path: Path) -> None:
    import shutil

    first = make_search(tmp_path, "run-000", tuple([0.5] * 20), epochs=30, goal=20)
    for n in range(1, 200):
        shutil.copytree(first, tmp_path / f"run-{n:03d}")
    begun = time.perf_counter()
    assert len(list_runs(tmp_path).runs) == 200
    assert time.perf_counter() - begun < 2


def test_no_folder_and_no_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    assert main(["runs"]) == 0
    assert capsys.readouterr().out == "no runs in runs\n"
    assert main(["runs", "rums"]) == 2
    assert "there is no folder rums; did you mean 'runs'?" in capsys.readouterr().err
    with pytest.raises(RunError):
        list_runs(tmp_path / "nowhere")
    make_search(tmp_path / "runs", "a")
    assert main(["runs", "--json"]) == 0
    check(capsys.readouterr().out, "runs")
    assert main(["runs", "--quiet"]) == 0
    assert capsys.readouterr().out == "runs/a\n"


def test_results() -> None:
    stack = {"kind": "stack", "verdict": "no_test", "difference": None}
    assert result_text(stack) == "no labelled test rows" and result_text({**stack, "verdict": None}) == "-"


def test_what_it_prints_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_stack(tmp_path, "s", ("a",), right(0.6))
    assert main(["runs", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, "runs")
    document["runs"][0]["state"] = "done"
    with pytest.raises(AssertionError):
        check(document, "runs")
