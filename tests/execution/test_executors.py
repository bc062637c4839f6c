"""One suite that every executor passes, and what only processes can do."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fertune.execution import InlineExecutor, ProcessExecutor
from fertune.trial import Event, Failed, FailureKind, Finished, Reported

HERE = str(Path(__file__).parent)


@pytest.fixture(params=["inline", "process"])
def executor(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(HERE)
    import scripted_runner

    made = (
        InlineExecutor(scripted_runner)
        if request.param == "inline"
        else ProcessExecutor(workers=2, runner="scripted_runner", log_dir=tmp_path)
    )
    yield made
    made.close()


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ProcessExecutor]]:
    monkeypatch.syspath_prepend(HERE)
    made: list[ProcessExecutor] = []

    def make(**options: Any) -> ProcessExecutor:
        made.append(ProcessExecutor(runner="scripted_runner", log_dir=tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def job(name: str, script: str = "ok", epochs: int = 2) -> Any:
    from scripted_runner import ScriptedJob

    return ScriptedJob(name, script, epochs)


def until_ended(
    executor: Any, n: int, on: Callable[[Event], None] = lambda event: None, limit: float = 30
) -> list[Event]:
    """All events until ``n`` jobs have ended."""
    seen: list[Event] = []
    until = time.monotonic() + limit
    while sum(isinstance(e, (Finished, Failed)) for e in seen) < n:
        assert time.monotonic() < until, f"only {seen}"
        for event in executor.events(0.1):
            seen.append(event)
            on(event)
    return seen


def test_reports_come_in_order_and_then_the_result(executor: Any) -> None:
    executor.submit(job("a", epochs=3))
    events = until_ended(executor, 1)
    assert [e.step for e in events if isinstance(e, Reported)] == [1, 2, 3]
    assert isinstance(events[-1], Finished) and events[-1].result.epochs == 3


def test_an_exception_is_a_failure_with_its_class(executor: Any) -> None:
    executor.submit(job("a", "raise"))
    events = until_ended(executor, 1)
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is FailureKind.OUT_OF_MEMORY
    executor.submit(job("b"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)


def test_stop_while_a_report_is_handled_prunes_before_the_next_epoch(executor: Any) -> None:
    executor.submit(job("a", epochs=50))

    def stop_at_two(event: Event) -> None:
        if isinstance(event, Reported) and event.step == 2:
            executor.stop("a")

    events = until_ended(executor, 1, stop_at_two)
    assert isinstance(events[-1], Finished)
    assert events[-1].result.ended_by == "pruned" and events[-1].result.epochs == 2


def test_stop_reaches_a_job_between_its_reports(executor: Any) -> None:
    executor.submit(job("a", "wait"))
    until = time.monotonic() + 30
    stopped = False
    while time.monotonic() < until and not stopped:
        executor.stop("a")
        stopped = any(isinstance(e, Finished) for e in executor.events(0.1))
    assert stopped


def test_a_job_that_never_started_still_says_finished(executor: Any) -> None:
    names = [f"j{i}" for i in range(4)]
    for name in names:
        executor.submit(job(name, "wait"))
    ended: set[str] = set()
    until = time.monotonic() + 30
    while ended != set(names) and time.monotonic() < until:
        for name in names:
            executor.stop(name)
        ended |= {e.job_id for e in executor.events(0.1) if isinstance(e, Finished)}
    assert ended == set(names)


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [("kill", FailureKind.OUT_OF_MEMORY, "signal 9"), ("exit", FailureKind.CRASHED, "exit code 7")],
)
def test_a_dead_worker_is_one_failed_job_and_is_replaced(
    processes: Callable[..., ProcessExecutor], script: str, kind: FailureKind, words: str
) -> None:
    executor = processes(workers=1)
    executor.submit(job("a", script))
    events = until_ended(executor, 1)
    assert isinstance(events[-1], Failed) and events[-1].failure.kind is kind and words in events[-1].failure.message
    executor.submit(job("b"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)


def test_what_a_child_prints_disturbs_nothing(processes: Callable[..., ProcessExecutor], tmp_path: Path) -> None:
    executor = processes(workers=1)
    executor.submit(job("a", "noise"))
    assert isinstance(until_ended(executor, 1)[-1], Finished)
    assert "garbage" in (tmp_path / "worker-0.log").read_text(errors="replace")


def test_workers_work_side_by_side(processes: Callable[..., ProcessExecutor]) -> None:
    executor = processes(workers=2)
    executor.submit(job("a", "wait"))
    executor.submit(job("b", epochs=3))
    until = time.monotonic() + 30
    done: list[str] = []
    while "b" not in done and time.monotonic() < until:
        done += [e.job_id for e in executor.events(0.1) if isinstance(e, Finished)]
    assert done == ["b"], "b ends while a still runs"


def test_a_worker_dies_with_its_coordinator(tmp_path: Path) -> None:
    import subprocess

    import psutil

    script = (
        f"import sys, os, signal; sys.path.insert(0, {HERE!r})\n"
        "from pathlib import Path; from fertune.execution import ProcessExecutor as P\n"
        "from scripted_runner import ScriptedJob\n"
        f"e = P(runner='scripted_runner', log_dir=Path({str(tmp_path)!r}))\n"
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


@pytest.fixture(autouse=True)
def _no_leftover_module() -> Iterator[None]:
    yield
    sys.modules.pop("scripted_runner", None)
