"""One suite that every executor passes, and what the workers of ``ProcessExecutor`` do when all goes well."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fertune.execution import InlineExecutor, ProcessExecutor
from fertune.testing import ExecutorContract
from fertune.testing.executors import until_ended
from fertune.testing.scripted import ScriptedJob
from fertune.trial import Executor, Finished, Reported

Make = Callable[..., ProcessExecutor]


class TestInline(ExecutorContract):
    separate = False

    def make(self, runner: str, folder: Path) -> Executor:
        return InlineExecutor(importlib.import_module(runner))


class TestProcesses(ExecutorContract):
    def make(self, runner: str, folder: Path) -> Executor:
        return ProcessExecutor(workers=2, runner=runner, log_dir=folder)


def test_what_a_child_prints_disturbs_nothing(processes: Make, tmp_path: Path) -> None:
    executor = processes(workers=1)
    executor.submit(ScriptedJob("a", "noise"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)
    assert "garbage" in (tmp_path / "worker-0.log").read_text(errors="replace")


def test_workers_work_side_by_side(processes: Make) -> None:
    executor = processes(workers=2)
    executor.submit(ScriptedJob("a", "wait"))
    executor.submit(ScriptedJob("b", epochs=3))
    until = time.monotonic() + 30
    done: list[str] = []
    while "b" not in done and time.monotonic() < until:
        done += [e.job_id for e in executor.events(0.1) if isinstance(e, Finished)]
    assert done == ["b"], "b ends while a still runs"


def test_a_worker_is_kept_warm_and_others_are_started_when_there_is_work_for_them(processes: Make) -> None:
    executor = processes(workers=3)
    for name in ("a", "b", "c"):
        executor.submit(ScriptedJob(name))
        until_ended(executor, 1)
    assert [s.jobs for s in executor.status()] == [3, 0, 0]
    assert [s.ready for s in executor.status()] == [True, False, False]


def test_a_worker_gives_signs_of_life(processes: Make) -> None:
    executor = processes(workers=1)
    executor.submit(ScriptedJob("a", "wait"))
    until = time.monotonic() + 30
    while not (executor.status()[0].memory and executor.status()[0].job_id) and time.monotonic() < until:
        list(executor.events(0.1))
    status = executor.status()[0]
    assert status.memory > 2**20 and status.job_id == "a" and status.since <= time.monotonic()


def threads_of(executor: ProcessExecutor, jobs: list[ScriptedJob]) -> dict[str, tuple[int, int]]:
    """Job -> (process, threads), as the jobs themselves see it."""
    for job in jobs:
        executor.submit(job)
    events = until_ended(executor, len(jobs))
    return {e.job_id: (int(e.logs["pid"]), int(e.logs["threads"])) for e in events if isinstance(e, Reported)}


def test_a_job_alone_has_all_cores_in_a_process_of_its_own(processes: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.execution.processes.cores", lambda: 8)
    executor = processes(workers=2)
    seen = threads_of(
        executor,
        [ScriptedJob("a", seconds=0.2), ScriptedJob("b", seconds=0.2), ScriptedJob("x", alone=True), ScriptedJob("c")],
    )
    assert {name: threads for name, (_, threads) in seen.items()} == {"a": 4, "b": 4, "x": 8, "c": 4}
    assert seen["x"][0] not in (seen["a"][0], seen["b"][0])
    assert seen["c"][0] in (seen["a"][0], seen["b"][0]), "the others stay as they are meanwhile"
    assert len(executor.status()) == 2, "and the wide one goes"


def test_the_wide_worker_starts_while_the_others_still_work(processes: Make) -> None:
    executor = processes(workers=2)
    executor.submit(ScriptedJob("a", "wait"))
    executor.submit(ScriptedJob("x", alone=True))
    until = time.monotonic() + 30
    while not any(s.number == 2 and s.ready for s in executor.status()) and time.monotonic() < until:
        list(executor.events(0.05))
    status = {s.number: s for s in executor.status()}
    assert status[0].job_id == "a" and status[2].ready and status[2].job_id is None
    executor.stop("a")
    assert [e.job_id for e in until_ended(executor, 2) if isinstance(e, Finished)] == ["a", "x"]


def test_with_one_worker_a_job_alone_is_a_job(processes: Make) -> None:
    executor = processes(workers=1)
    seen = threads_of(executor, [ScriptedJob("a"), ScriptedJob("x", alone=True), ScriptedJob("b")])
    assert len(set(seen.values())) == 1
