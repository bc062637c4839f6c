"""``start``, ``--set`` and ``--range``, then the commands over a folder of runs, on the runs of this road."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fertune as ft
from fertune.cli import main
from fertune.store import read_journal
from tests.schema import check


@pytest.mark.slow
def test_a_search_is_narrowed_begins_with_start_and_goes_on(road, search_run: Path) -> None:
    space = road.root / "started.yaml"
    text = (road.root / "tiny.yaml").read_text("utf-8").replace("name: tiny", "name: started")
    space.write_text(text + "start:\n  - {filters_1: 16, learning_rate: 0.004}\n", "utf-8")
    words = ["search", "--space", "started.yaml", "--data", "builtin:digits", "--max-epochs", "1"]
    narrowed = ["--set", "batch_size=128", "--range", "filters_2=16..24"]
    done = road.fertune(*words, *narrowed, "--trials", "1", "--out", "runs/started")
    assert done.returncode == 0, done.stderr
    assert "the first trial is start of space started" in done.stdout and "start[0]: filters_2" in done.stdout
    info = json.loads((road.root / "runs/started/run.json").read_text("utf-8"))
    assert info["space"]["recipe"]["batch_size"] == 128 and info["space"]["params"]["filters_2"]["values"] == [16, 24]
    other = road.fertune("search", "--out", "runs/started", "--resume", "--trials", "2", "--set", "batch_size=32")
    assert other.returncode == 2 and "the run searched space started" in other.stderr
    on = road.fertune(*words, *narrowed, "--out", "runs/started", "--resume", "--trials", "2", "--json")
    assert on.returncode == 0, on.stderr
    trials = json.loads(on.stdout)["trials"]
    assert trials[0]["params"]["filters_1"] == 16 and trials[0]["params"]["learning_rate"] == 0.004
    assert len(trials) == 2 and all(t["params"]["filters_2"] in (16, 24) for t in trials)


def test_bad_words_make_no_run(road, search_run: Path) -> None:
    before = sorted(p.name for p in (road.root / "runs").iterdir())
    done = road.fertune("search", "--space", "tiny.yaml", "--set", "filter_1=8", "--range", "filters_2=1..9999")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "--set filter_1: space 'tiny' knows no 'filter_1'; did you mean 'filters_1'?" in done.stderr
    assert sorted(p.name for p in (road.root / "runs").iterdir()) == before


def test_runs_compare_and_rm(
    road, search_run: Path, other_run: Path, stack_run: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(road.root)
    monkeypatch.setenv("FERTUNE_COORDINATOR", "0")

    def fertune(*words: str) -> tuple[int, str, str]:
        code = main(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    code, listed, _ = fertune("runs", "--json")
    assert code == 0
    check(listed, "runs")
    found = {run["run"]: run for run in json.loads(listed)["runs"]}
    assert found["a"]["value"] == ft.open_run(search_run).best.value
    assert found[stack_run.name]["verdict"] == ft.open_run(stack_run).to_json()["verdict_kind"]
    code, compared, _ = fertune("compare", "runs/a", "runs/b", "--json")
    assert code == 0
    check(compared, "compare")
    (pair,) = json.loads(compared)["pairs"]
    assert pair["on"] == "the rows used to choose"
    assert pair["accuracy"] == ft.open_run(other_run).best.value
    copy = shutil.copytree(stack_run, road.root / "runs" / "copy")
    code, same, _ = fertune("compare", str(stack_run), "runs/copy")
    assert code == 0 and "give the same answer on all" in " ".join(same.split()) and "twin clusters" not in same
    code, _, kept = fertune("rm", "runs/a", "--yes")
    assert code == 2 and "made from" in kept and search_run.is_dir()
    code, gone, _ = fertune("rm", "runs/copy", "--yes")
    assert code == 0 and "are free again" in gone and not copy.exists()


@pytest.mark.slow
def test_an_interruption_is_told_once_where_both_streams_are_one(road, search_run: Path) -> None:
    words = ["search", "--space", "tiny.yaml", "--data", "builtin:digits", "--trials", "40", "--max-epochs", "2"]
    with (road.root / "both.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fertune", *words, "--out", "runs/told"],
            cwd=road.root, env=road.environment(), stdout=log, stderr=log,
        )  # fmt: skip
        until = time.monotonic() + 120
        journal = road.root / "runs/told/journal.jsonl"
        while time.monotonic() < until and not any(x["event"] == "told" for x in read_journal(journal)):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    text = (road.root / "both.log").read_text("utf-8")
    assert text.count("Interrupted after") == 1
    assert text.count("fertune search --out runs/told --resume") == 1
