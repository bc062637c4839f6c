"""A run seen from another process: while it goes on, when it has ended, and when its process was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import fertune as ft
from fertune.api import list_runs
from fertune.cli import main
from fertune.errors import RunError
from fertune.searching.observer import Observer
from fertune.store import RunFolder
from fertune.store.known_trials import known_line
from fertune.trial import WorkerStatus
from fertune.watching import Follower
from fertune.watching.status import write_status
from tests.api.made_runs import make_search, make_stack
from tests.schema import check


class Seen(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def search_started(self, info: Any, goal: Any, trials: Any) -> None:
        self.told.append(("begin", goal, [t.id for t in trials]))

    def attached(self, begun: float, since: Any, ended: int) -> None:
        self.told.append(("attached", sorted(since), ended))

    def workers(self, statuses: Any, memory: int = 0, disk: int | None = None) -> None:
        self.told.append(("workers", [s.job_id for s in statuses], memory, disk))

    def trial_started(self, trial: Any) -> None:
        self.told.append(("trial", trial.id))

    def epoch(self, trial: Any, logs: Any) -> None:
        self.told.append(("epoch", trial.id, trial.epochs))

    def trial_ended(self, trial: Any, best: Any) -> None:
        self.told.append(("ended", trial.id, trial.value, best.id if best else None))

    def search_ended(self, record: Any) -> None:
        self.told.append(("over", record.status))

    def stack_started(self, info: Any, jobs: Any) -> None:
        self.told.append(("begin", list(jobs)))

    def fold_started(self, member: str, fold: int, kind: str) -> None:
        self.told.append(("fold", fold))

    def fold_epoch(self, member: str, fold: int, kind: str, logs: Any) -> None:
        self.told.append(("fold epoch", fold, logs["epoch"]))

    def fold_ended(self, fold_run: Any) -> None:
        self.told.append(("fold ended", fold_run.fold, fold_run.state))

    def stack_ended(self, record: Any) -> None:
        self.told.append(("over", record.status))

    def take(self) -> list[tuple[Any, ...]]:
        told, self.told = self.told, []
        return told


@pytest.fixture
def live(tmp_path: Path):
    """A search that is held by somebody: two of its trials ended, a third one runs."""
    folder = RunFolder.reopen(make_search(tmp_path, "live", (0.4, 0.6), ended=False, goal=5))
    write = folder.journal.write
    write("session", trials=5, workers=1)
    write("asked", trial=2, ticket=2, params={"dropout": 0.3}, budget=9, continues=None, tags={})
    write("started", trial=2, ticket=2, worker=0)
    yield folder
    folder.close()


def told(folder: RunFolder, trial: int, value: float) -> None:
    folder.journal.write(
        "told", trial=trial, ticket=trial, outcome="completed", value=value, best_epoch=1, epochs=2, seconds=3.0
    )


def epoch(folder: RunFolder, trial: int, step: int) -> None:
    folder.journal.write("epoch", lasting=False, trial=trial, ticket=trial, step=step, value=0.5, logs={"loss": 1.0})


def test_what_comes_is_told_as_the_coordinator_would(live: RunFolder) -> None:
    seen = Seen()
    follower = Follower(live.path, seen)
    follower.tell()
    assert seen.take() == [("begin", 5, [0, 1, 2]), ("attached", [2], 0)]
    follower.poll()
    assert seen.take() == []
    epoch(live, 2, 1)
    follower.poll()
    assert seen.take() == [("epoch", 2, 1)]
    told(live, 2, 0.7)
    live.journal.write("asked", trial=3, ticket=3, params={"dropout": 0.1}, budget=9, continues=None, tags={})
    follower.poll()
    assert seen.take() == [("ended", 2, 0.7, 2)]
    live.journal.write("started", trial=3, ticket=3, worker=0)
    write_status(live.path, 1, [WorkerStatus(0, "trial-3-3")], 10, 20)
    follower.poll()
    assert seen.take() == [("trial", 3), ("workers", ["trial-3-3"], 10, 20)]
    follower.poll()
    assert seen.take() == [] and follower.stage == "running"
    live.journal.write("ended", status="finished", reason="enough")
    follower.poll()
    assert (follower.stage, follower.reason) == ("finished", "enough")
    follower.finish()
    assert seen.take() == [("over", "finished")]


def test_a_promoted_best_trial_that_gets_worse_is_no_longer_best(live: RunFolder) -> None:
    seen = Seen()
    follower = Follower(live.path, seen)
    follower.tell()
    live.journal.write("asked", trial=1, ticket=9, params={"dropout": 0.1}, budget=27, continues=1, tags={})
    live.journal.write("told", trial=1, ticket=9, outcome="failed", seconds=1.0,
                       failure={"kind": "NaN loss", "message": "x", "trace": ""})  # fmt: skip
    follower.poll()
    assert seen.take()[-1] == ("ended", 1, 0.6, 0)


def test_a_run_without_a_holder_is_dead_at_once(tmp_path: Path) -> None:
    path = make_search(tmp_path, "dead", (0.4,), ended=False)
    follower = Follower(path)
    assert follower.stage == "killed"


def test_a_holder_that_goes_is_noticed_after_a_silence(live: RunFolder) -> None:
    follower = Follower(live.path, silence=0.2)
    follower.poll()
    assert follower.stage == "running"
    time.sleep(0.25)
    follower.poll()
    assert follower.stage == "running", "its lock is held"
    live.close()
    time.sleep(0.25)
    follower.poll()
    assert follower.stage == "killed"


def test_a_sign_of_life_is_enough_where_the_lock_cannot_be_seen(tmp_path: Path) -> None:
    path = make_search(tmp_path, "far", (0.4,), ended=False)
    write_status(path, 1, [], 1, None)
    follower = Follower(path, silence=0.3, grace=0.2)
    assert follower.stage == "running"
    for beat in (2, 3, 4):
        time.sleep(0.15)
        write_status(path, beat, [], 1, None)
        follower.poll()
        assert follower.stage == "running"
    time.sleep(0.5)
    follower.poll()
    assert follower.stage == "killed"


def test_a_stack_is_followed_fold_by_fold(tmp_path: Path) -> None:
    folder = RunFolder.reopen(make_stack(tmp_path, "stack", ("a",)))
    write = folder.journal.write
    write("fold", member="tiny 1", fold=0, kind="fold")
    write("fold_told", member="tiny 1", fold=0, outcome="completed", value=0.5, epochs=2, seconds=1.0)
    write("fold", member="tiny 1", fold=1, kind="fold")
    write("fold_started", member="tiny 1", fold=1, worker=0)
    seen = Seen()
    follower = Follower(folder.path, seen)
    follower.tell()
    jobs = [("tiny 1", 0, "fold"), ("tiny 1", 1, "fold")]
    assert seen.take() == [
        ("begin", jobs), ("fold ended", 0, "completed"), ("fold", 1), ("attached", [jobs[1]], 1),
    ]  # fmt: skip
    write("fold_epoch", lasting=False, member="tiny 1", fold=1, step=1, value=0.5, logs={"loss": 1.0})
    write("fold_told", member="tiny 1", fold=1, outcome="completed", value=0.5, epochs=2, seconds=1.0)
    follower.poll()
    assert seen.take() == [("fold epoch", 1, 1), ("fold ended", 1, "completed")]
    look = ft.watch(folder.path, follow=False)
    check(look.to_json(), "watch")
    assert (look.run_kind, look.done, look.goal, look.best) == ("stack", 2, 2, None)
    folder.close()


def test_watching_ends_with_the_run(live: RunFolder) -> None:
    seen = Seen()

    def work() -> None:
        time.sleep(0.1)
        told(live, 2, 0.3)
        live.journal.write("ended", status="finished", reason="enough")

    thread = threading.Thread(target=work)
    thread.start()
    end = ft.watch(live.path, every=0.05, observer=seen)
    thread.join()
    assert (end.status, end.done, end.best) == (
        "finished", 3, {"trial": 1, "value": 0.6, "objective": "val_accuracy"},
    )  # fmt: skip
    assert seen.take()[-2:] == [("ended", 2, 0.3, 1), ("over", "finished")]


def test_one_look_follows_its_schema(live: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    now = time.monotonic()
    epoch(live, 2, 1)
    write_status(live.path, 1, [WorkerStatus(0, "trial-2-2", True, now - 5, 7, 2, "cpu", 3), WorkerStatus(1)], 9, None)
    assert main(["watch", str(live.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, "watch")
    assert document["status"] == "running" and (document["done"], document["goal"]) == (2, 5)
    assert document["running"][0] | {"seconds": 0} == {"trial": 2, "epochs": 1, "budget": 9, "seconds": 0}
    assert document["workers"][0]["job_id"] == "trial-2-2" and 4 < document["workers"][0]["seconds"] < 9
    assert (document["memory"], document["disk"]) == (9, None)


@pytest.mark.parametrize(
    ("ended", "code", "says"),
    [(True, 0, "Search finished: 3 trials"), (False, 1, "Interrupted after 3 trials")],
)
def test_the_command_shows_the_end_and_the_way_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ended: bool, code: int, says: str
) -> None:
    path = make_search(tmp_path, "one", ended=ended)
    assert main(["watch", str(path)]) == code
    out, err = capsys.readouterr()
    assert says in out
    assert ("to go on: fertune search --out one --resume" in err) is not ended


def test_ctrl_c_leaves_and_the_run_goes_on(
    live: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(self: Follower) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Follower, "poll", leave)
    before = sorted(p.name for p in live.path.iterdir())
    assert main(["watch", str(live.path), "--every", "0.05"]) == 130
    assert "left; the run goes on" in capsys.readouterr().out
    assert sorted(p.name for p in live.path.iterdir()) == before


def test_what_is_no_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunError):
        ft.watch(tmp_path / "nothing")
    assert main(["watch", str(tmp_path / "nothing")]) == 2
    assert main(["watch", str(make_search(tmp_path, "one")), "--every", "0"]) == 2
    assert "--every 0 is not above zero" in capsys.readouterr().err


SPACE = """\
name: tiny
model: conv
fixed: {blocks: 1, dense_units: 0, pooling: average}
params:
  filters_1: {type: choice, values: [4, 8, 16]}
"""


@pytest.mark.slow
def test_a_real_search_is_seen_with_its_workers_and_leaves_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="curves need fertune[tensorboard]")
    (tmp_path / "tiny.yaml").write_text(SPACE)
    words = (
        "search --space tiny.yaml --data builtin:digits --trials 3 --max-epochs 6 --workers 1 --out run --log-dir logs"
    )
    env = {**os.environ, "FERTUNE_CACHE": str(tmp_path / "cache")}
    work = subprocess.Popen(
        [sys.executable, "-m", "fertune", *words.split(), "--quiet"], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        while not (tmp_path / "run" / "journal.jsonl").exists() and time.monotonic() < until:
            time.sleep(0.05)
        seen = Seen()
        end = ft.watch(tmp_path / "run", every=0.1, observer=seen)
    finally:
        assert work.wait(60) == 0
    assert (end.status, end.done) == ("finished", 3)
    told = seen.take()
    workers = [t for t in told if t[0] == "workers"]
    assert any(jobs and jobs[0] and jobs[0].startswith("trial-") for _, jobs, _, _ in workers)
    assert all(memory > 50_000_000 for _, _, memory, _ in workers)
    assert [t[1] for t in told if t[0] == "ended"] == [0, 1, 2]
    assert not (tmp_path / "run" / "status.json").exists()
    assert sorted(p.name for p in (tmp_path / "logs" / "run").iterdir()) == ["trial-0000", "trial-0001", "trial-0002"]


def fold_told(folder: RunFolder, trial: int, fold: int, value: float, outcome: str = "completed") -> None:
    ticket = 100 + 10 * trial + fold
    tags = {"fold": fold, "of": 2}
    folder.journal.write(
        "asked", trial=trial, ticket=ticket, params={"dropout": 0.1}, budget=2, continues=None, tags=tags, fold=fold
    )
    folder.journal.write(
        "told", trial=trial, ticket=ticket, outcome=outcome, value=value, best_epoch=1, epochs=2, seconds=3.0
    )


def test_a_trial_with_all_folds_leads_and_a_fold_is_no_trial(tmp_path: Path) -> None:
    folder = RunFolder.reopen(make_search(tmp_path, "folds", (), ended=False, goal=4))
    folder.journal.write("session", trials=4, workers=1)
    for fold in (0, 1):
        fold_told(folder, 0, fold, 0.5)
    fold_told(folder, 1, 0, 0.9, "pruned")
    fold_told(folder, 2, 0, 0.8)
    follower = Follower(folder.path)
    assert follower.best is not None and (follower.best.id, follower.ended_here) == (0, 2)
    folder.close()


def test_trials_that_a_search_began_with_count(tmp_path: Path) -> None:
    source = ft.open_run(make_search(tmp_path, "old")).record
    known = known_line([(t.but(id=i), "old") for i, t in enumerate(source.trials[:2])])
    folder = RunFolder.reopen(make_search(tmp_path, "warm", (), ended=False, goal=1))
    folder.journal.write("known", trials=known)
    folder.journal.write("session", trials=1, workers=1)
    follower = Follower(folder.path)
    assert follower.goal == 3 and follower.best is not None and follower.best.value == 0.6
    folder.close()
    (listed,) = (r for r in list_runs(tmp_path).runs if r.run == "warm")
    assert (listed.trials, listed.goal) == (2, 3)
