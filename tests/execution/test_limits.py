"""Jobs that take too much, too long, or their process with them: classed, and the next job is done."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from fertune.execution import ProcessExecutor
from fertune.execution.environment import worker_environment
from fertune.execution.limits import Limits
from fertune.execution.processes import WorkerError
from fertune.execution.slots import Slot
from fertune.testing.executors import until_ended
from fertune.testing.scripted import ScriptedJob
from fertune.trial import Event, Failed, FailureKind, Finished, Started

GB = 2**30
Make = Callable[..., ProcessExecutor]


def fate(executor: ProcessExecutor, script: str, **options: Any) -> Failed | Finished:
    """How a job ends, after which another one must go well."""
    executor.submit(ScriptedJob("a", script, **options))
    ended = until_ended(executor, 1)[-1]
    executor.submit(ScriptedJob("b"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)
    assert isinstance(ended, (Failed, Finished))
    return ended


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("kill", FailureKind.OUT_OF_MEMORY, "signal 9"),
        ("exit", FailureKind.CRASHED, "exit code 7"),
        ("garbage", FailureKind.CRASHED, "no message"),
        ("hang up", FailureKind.CRASHED, "closed its line"),
    ],
)
def test_a_worker_that_breaks_is_one_failed_job_and_is_replaced(
    processes: Make, script: str, kind: FailureKind, words: str
) -> None:
    ended = fate(processes(workers=1), script)
    assert isinstance(ended, Failed) and ended.failure.kind is kind and words in ended.failure.message


@pytest.mark.parametrize("script", ["wait", "asleep", "frozen"])
def test_a_job_past_its_time_is_ended_by_force(processes: Make, script: str) -> None:
    begun = time.monotonic()
    ended = fate(processes(workers=1, job_seconds=0.5), script)
    assert isinstance(ended, Failed) and ended.failure.kind is FailureKind.TIMED_OUT
    assert "0.5 s (--trial-timeout)" in ended.failure.message and time.monotonic() - begun < 20


@pytest.mark.parametrize("script", ["stopped", pytest.param("frozen", marks=pytest.mark.slow)])
def test_a_worker_that_is_silent_and_does_nothing_is_ended(processes: Make, script: str) -> None:
    ended = fate(processes(workers=1, silence=3.0), script)
    assert isinstance(ended, Failed) and ended.failure.kind is FailureKind.TIMED_OUT
    assert "stopped reporting" in ended.failure.message


@pytest.mark.slow
def test_a_worker_that_is_silent_because_it_computes_goes_on(processes: Make) -> None:
    executor = processes(workers=1, silence=2.0)
    assert isinstance(fate(executor, "busy", seconds=4.0, epochs=1), Finished)


def test_a_coordinator_that_was_away_blames_nobody(processes: Make) -> None:
    executor = processes(workers=1, silence=2.0)
    executor.submit(ScriptedJob("a", "wait"))
    while not any(isinstance(e, Started) for e in executor.events(0.1)):
        pass
    child = executor._children[0]
    os.kill(child.process.pid, signal.SIGSTOP)
    executor._looked -= 1000.0
    child.heard -= 1000.0
    list(executor.events(0.0))
    os.kill(child.process.pid, signal.SIGCONT)
    executor.stop("a")
    assert isinstance(until_ended(executor, 1)[-1], Finished)


def test_a_worker_over_its_memory_limit_after_a_job_is_replaced(
    processes: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fertune.execution.limits.FAR_OVER", 1e6)
    executor = processes(workers=1, memory=2**20)
    assert isinstance(fate(executor, "ok"), Finished)
    assert executor.status()[0].jobs == 0


def test_a_worker_far_over_its_limit_is_ended_while_it_works(processes: Make) -> None:
    ended = fate(processes(workers=1, memory=GB // 8), "grow", seconds=4.0)
    assert isinstance(ended, Failed) and ended.failure.kind is FailureKind.OUT_OF_MEMORY
    assert "over its limit" in ended.failure.message


def test_a_worker_a_little_over_its_limit_is_left_alone_while_there_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(memory=100)
    monkeypatch.setattr("fertune.execution.limits.memory_total", lambda: 1000)
    monkeypatch.setattr("fertune.execution.limits.memory_free", lambda: 500)
    assert [limits.too_much(own) for own in (90, 150, 201)] == [False, False, True]
    assert limits.too_much(201, share=2.0) is False, "of a job alone"
    monkeypatch.setattr("fertune.execution.limits.memory_free", lambda: 40)
    assert [limits.too_much(own) for own in (90, 150)] == [False, True]


def test_a_worker_is_replaced_after_so_many_jobs(processes: Make) -> None:
    executor = processes(workers=1, jobs=2)
    pids = set()
    for name in ("a", "b", "c", "d", "e"):
        executor.submit(ScriptedJob(name))
        pids |= {int(e.logs["pid"]) for e in until_ended(executor, 1) if hasattr(e, "logs")}
    assert len(pids) == 3


def test_a_worker_in_which_memory_ran_out_is_replaced(processes: Make) -> None:
    executor = processes(workers=1)
    before = executor._children[0].process.pid
    assert isinstance(fate(executor, "raise"), Failed)
    assert executor._children[0].process.pid != before


def test_workers_killed_at_any_time_lose_no_job_and_nothing_is_left_behind(processes: Make) -> None:
    """30 jobs, and every few events the kernel takes a worker, whatever it does."""
    chance = random.Random(0)
    executor = processes(workers=3)
    me = psutil.Process()
    threads, files = threading.active_count(), me.num_fds()
    names = [f"j{n}" for n in range(30)]
    for name in names:
        executor.submit(ScriptedJob(name, seconds=0.02))
    count = 0

    def kill(event: Event) -> None:
        nonlocal count
        count += 1
        if count % 12 == 0 and executor._children:
            os.kill(chance.choice(list(executor._children.values())).process.pid, signal.SIGKILL)

    events = until_ended(executor, len(names), kill, limit=120)
    for name in names:
        mine = [e for e in events if e.job_id == name]
        assert isinstance(mine[0], Started) and isinstance(mine[-1], (Finished, Failed))
        assert sum(isinstance(e, (Finished, Failed)) for e in mine) == sum(isinstance(e, Started) for e in mine) == 1
    assert any(isinstance(e, Failed) for e in events)
    executor.close()
    until = time.monotonic() + 10
    while threading.active_count() > threads - 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= threads and me.num_fds() <= files


def test_a_wide_worker_that_never_starts_costs_its_job_and_no_more(
    processes: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = worker_environment

    def broken(slot: Slot, **options: bool) -> dict[str, str]:
        return usual(slot, **options) | ({"PYTHONHOME": "/nowhere"} if slot.number == 2 else {})

    monkeypatch.setattr("fertune.execution.processes.worker_environment", broken)
    executor = processes(workers=2)
    for job in (ScriptedJob("a"), ScriptedJob("x", alone=True), ScriptedJob("b")):
        executor.submit(job)
    ended = {e.job_id: e for e in until_ended(executor, 3) if isinstance(e, (Finished, Failed))}
    assert {name: type(e) for name, e in ended.items()} == {"a": Finished, "x": Failed, "b": Finished}
    lost = ended["x"]
    assert isinstance(lost, Failed) and lost.failure.kind is FailureKind.CRASHED


def test_workers_that_never_start_are_no_trial_s_fault(processes: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.execution.child.sys.executable", "/bin/false")
    executor = processes(workers=1)
    executor.submit(ScriptedJob("a"))
    with pytest.raises(WorkerError, match="before they start") as caught:
        until_ended(executor, 1)
    assert caught.value.help is not None and "worker-0.log" in caught.value.help
