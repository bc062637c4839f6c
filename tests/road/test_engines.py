"""Engines through the command line, with real training: own searchers, two objectives, what is missing."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

import fertune as ft
from fertune.store import read_journal
from tests.schema import check

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "own-searcher.md"
TINY = ("--space", "tiny.yaml", "--data", "builtin:digits", "--max-epochs", "1")


def lines(run: Path, event: str) -> list[dict[str, object]]:
    return [x for x in read_journal(run / "journal.jsonl") if x["event"] == event]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--tuner", "nope"), "--tuner: 'nope' is none of random"),
        (("--tuner", "tpe", "--objective", "val_accuracy,latency"), "--tuner nsga2 alone takes"),
        (("--tuner", "nowhere.py:Mine"), "there is no file nowhere.py"),
    ],
)
def test_what_cannot_begin_makes_no_run(road, words: tuple[str, ...], hint: str) -> None:
    done = road.fertune("search", *TINY, *words, "--out", "runs/never")
    assert done.returncode == 2 and hint in done.stderr and "Traceback" not in done.stderr
    assert not (road.root / "runs" / "never").exists()


@pytest.mark.slow
def test_a_users_own_searcher_searches_and_is_given_again_on_resume(road) -> None:
    example = PAGE.read_text("utf-8").split("```python\n")[1].split("\n\nrun = ft.search(")[0]
    (road.root / "mine.py").write_text(example)
    words = ("search", *TINY, "--tuner", "mine.py:Shuffled", "--out", "runs/own")
    done = road.fertune(*words, "--trials", "2", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check(document, "search")
    assert document["engine"] == "own:Shuffled" and document["reason"] == "everything was tried"
    info = json.loads((road.root / "runs/own/run.json").read_text())
    check(info, "run")
    assert info["tuner_source"] == example and "--tuner mine.py:Shuffled" in info["resume"]
    refused = road.fertune("search", "--out", "runs/own", "--resume")
    assert refused.returncode == 2 and "--tuner mine.py:Shuffled" in refused.stderr
    more = road.fertune(
        "search", "--out", "runs/own", "--resume", "--tuner", "mine.py:Shuffled", "--trials", "3", "--json"
    )
    assert more.returncode == 0, more.stderr
    after = json.loads(more.stdout)["trials"]
    assert len(after) == 3 and after[:2] == document["trials"]
    (road.root / "mine.py").write_text(example.replace("default_rng(seed)", "default_rng(seed + 1)"))
    other = road.fertune("search", "--out", "runs/own", "--resume", "--tuner", "mine.py:Shuffled", "--trials", "4")
    assert other.returncode == 2 and "suggestion 0 is another one now" in other.stderr


@pytest.mark.slow
@pytest.mark.parametrize("second", ["parameters", "latency"])
def test_two_objectives_are_measured_and_survive_a_kill(road, second: str) -> None:
    words = (
        "search", *TINY, "--tuner", "nsga2", "--objective", f"val_accuracy,{second}", "--trials", "5",
        "--out", f"runs/two-{second}", "--resume",
    )  # fmt: skip
    run = road.root / "runs" / f"two-{second}"
    process = road.start(*words)
    until = time.monotonic() + 120
    while not (run / "journal.jsonl").exists() or not lines(run, "told"):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = lines(run, "told")
    done = road.fertune(*words, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    check(document, "search")
    assert lines(run, "told")[: len(before)] == before and len(document["trials"]) == 5
    for row in document["trials"]:
        assert row["values"]["val_accuracy"] == row["value"] and row["values"][second] > 0
    assert document["best"]["id"] in document["pareto"]
    frame = ft.open_run(run).trials()
    assert second in frame and frame["pareto"].sum() == len(document["pareto"])
    shown = road.fertune("show", f"runs/two-{second}")
    assert f"no other beats in both val_accuracy and {second}" in " ".join(shown.stdout.split())
