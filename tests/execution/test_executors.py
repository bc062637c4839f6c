"""One suite that every executor passes, and what only processes can do."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fertune.execution import InlineExecutor, ProcessExecutor
from fertune.testing import ExecutorContract
from fertune.testing.executors import RUNNER, until_ended
from fertune.testing.scripted import ScriptedJob
from fertune.trial import Executor, Failed, FailureKind, Finished


class TestInline(ExecutorContract):
    def make(self, runner: str, folder: Path) -> Executor:
        return InlineExecutor(importlib.import_module(runner))


class TestProcesses(ExecutorContract):
    def make(self, runner: str, folder: Path) -> Executor:
        return ProcessExecutor(workers=2, runner=runner, log_dir=folder)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., ProcessExecutor]]:
    made: list[ProcessExecutor] = []

    def make(**options: Any) -> ProcessExecutor:
        made.append(ProcessExecutor(runner=RUNNER, log_dir=tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [("kill", FailureKind.OUT_OF_MEMORY, "signal 9"), ("exit", FailureKind.CRASHED, "exit code 7")],
)
def test_a_dead_worker_is_one_failed_job_and_is_replaced(
    processes: Callable[..., ProcessExecutor], script: str, kind: FailureKind, words: str
) -> None:
    executor = processes(workers=1)
    executor.submit(ScriptedJob("a", script))
    events = until_ended(executor, 1)
    assert isinstance(events[-1], Failed) and events[-1].failure.kind is kind and words in events[-1].failure.message
    executor.submit(ScriptedJob("b"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)


def test_what_a_child_prints_disturbs_nothing(processes: Callable[..., ProcessExecutor], tmp_path: Path) -> None:
    executor = processes(workers=1)
    executor.submit(ScriptedJob("a", "noise"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)
    assert "garbage" in (tmp_path / "worker-0.log").read_text(errors="replace")


def test_workers_work_side_by_side(processes: Callable[..., ProcessExecutor]) -> None:
    executor = processes(workers=2)
    executor.submit(ScriptedJob("a", "wait"))
    executor.submit(ScriptedJob("b", epochs=3))
    until = time.monotonic() + 30
    done: list[str] = []
    while "b" not in done and time.monotonic() < until:
        done += [e.job_id for e in executor.events(0.1) if isinstance(e, Finished)]
    assert done == ["b"], "b ends while a still runs"


def test_a_worker_dies_with_its_coordinator(tmp_path: Path) -> None:
    import subprocess

    import psutil

    script = (
        "import os, signal\n"
        "from pathlib import Path; from fertune.execution import ProcessExecutor as P\n"
        "from fertune.testing.scripted import ScriptedJob\n"
        f"e = P(runner={RUNNER!r}, log_dir=Path({str(tmp_path)!r}))\n"
        "e.submit(ScriptedJob('a', 'ok', 10**9))\n"
        "while not any(True for _ in e.events(0.1)): pass\n"
        "print(e._children[0].process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60).stdout
    pid = int(out.split()[0])
    until = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def test_cores_are_shared_out(processes: Callable[..., ProcessExecutor]) -> None:
    assert processes(workers=64).threads == 1
