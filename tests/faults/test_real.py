"""Ten kills of a search that really trains, by the command line: it ends as if undisturbed, to the last digit."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from fertune.store import SearchRecord, open_record, read_journal

SPACE = """\
name: tiny
model: conv
tuner: random
fixed: {blocks: 2, dense_units: 0, pooling: average, augment: true, dropout: 0.1}
recipe: {batch_size: 32, early_stopping_patience: 9}
params:
  filters_1: {type: choice, values: [8, 16]}
  filters_2: {type: choice, values: [16, 24]}
  learning_rate: {type: float, low: 2.0e-3, high: 1.0e-2, log: true}
"""
MAIN = """\
import os, sys
os.sched_setaffinity(0, {0})
import fertune.api.sitting as sitting
sitting.STATE_EVERY = 0.0
from fertune.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""One core, so that training repeats to the bit; and a state after each epoch."""


def start(root: Path, out: str, tuner: str) -> subprocess.Popen[bytes]:
    words = f"search --space tiny.yaml --data builtin:digits --trials 4 --max-epochs 9 --workers 1 --tuner {tuner}"
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *words.split(), "--out", out, "--resume"],
        cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip


def steps(run: Path) -> int:
    journal = run / "journal.jsonl"
    return sum(1 for x in read_journal(journal) if x["event"] == "epoch") if journal.exists() else 0


def reading(run: Path) -> list[tuple[Any, ...]]:
    record = open_record(run)
    assert isinstance(record, SearchRecord)
    return [
        (
            t.id, t.state, dict(t.params), t.value, t.best_epoch, t.note, t.parameters,
            [{k: v for k, v in row.items() if k != "seconds"} for row in t.history],
            [(r.budget, r.value, r.epochs) for r in t.rungs],
        )
        for t in record.trials
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
@pytest.mark.parametrize(("tuner", "kills"), [("random", 5), ("hyperband", 5)])
def test_killed_while_it_trains_it_ends_as_if_undisturbed(tmp_path: Path, tuner: str, kills: int) -> None:
    (tmp_path / "tiny.yaml").write_text(SPACE)
    quiet = start(tmp_path, "quiet", tuner)
    assert quiet.wait() == 0, quiet.stderr and quiet.stderr.read()
    chance, run = random.Random(tuner), tmp_path / "run"
    for number in range(kills):
        process = start(tmp_path, "run", tuner)
        until, seen = time.monotonic() + 200, steps(run)
        while steps(run) < seen + 2 + number and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 0.3))
        victims = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        if number % 2 and victims:  # all of them at once, the worker first
            for victim in victims:
                victim.kill()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        psutil.wait_procs(victims, timeout=30)
        assert not [v for v in victims if v.is_running() and v.status() != "zombie"], "workers die with it"
    last = start(tmp_path, "run", tuner)
    assert last.wait() == 0, last.stderr and last.stderr.read()
    assert reading(run) == reading(tmp_path / "quiet")
    journal = read_journal(run / "journal.jsonl")
    assert sum(1 for x in journal if x["event"] == "session") == kills + 1
    anew = [x for x in journal if x["event"] == "retried"]
    assert anew, "something was running at one kill at least"
    assert not list(run.glob("trials/*/state"))
    assert {p.parent.name for p in run.glob("trials/*/model.keras")} == {
        p.parent.name for p in (tmp_path / "quiet").glob("trials/*/model.keras")
    }
