"""What every Executor must do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fertune.testing.scripted import ScriptedJob
from fertune.trial import Event, Executor, Failed, FailureKind, Finished, Reported

RUNNER = "fertune.testing.scripted"
"""The module whose ``run(job, context)`` and ``classify(error)`` an executor of the suite runs."""


def until_ended(
    executor: Executor, n: int, on: Callable[[Event], None] = lambda event: None, limit: float = 30
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


class ExecutorContract:
    """Derive a ``Test...`` class from it and give ``make``."""

    def make(self, runner: str, folder: Path) -> Executor:
        """A fresh executor.

        Args:
            runner: Name of the module whose ``run(job, context)`` does a job where the executor runs it, and whose
                ``classify(error)`` makes a Failure of what it raises.
            folder: Empty, for logs and the like.
        """
        raise NotImplementedError

    @pytest.fixture
    def executor(self, tmp_path: Path) -> Iterator[Executor]:
        made = self.make(RUNNER, tmp_path)
        yield made
        made.close()

    def test_reports_come_in_order_and_then_the_result(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a", epochs=3))
        events = until_ended(executor, 1)
        assert [e.step for e in events if isinstance(e, Reported)] == [1, 2, 3]
        assert isinstance(events[-1], Finished) and events[-1].result.epochs == 3

    def test_an_exception_is_a_failure_with_its_class(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a", "raise"))
        events = until_ended(executor, 1)
        assert isinstance(events[-1], Failed)
        assert events[-1].failure.kind is FailureKind.OUT_OF_MEMORY
        executor.submit(ScriptedJob("b"))
        assert isinstance(until_ended(executor, 1)[-1], Finished)

    def test_stop_while_a_report_is_handled_prunes_before_the_next_epoch(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a", epochs=50))

        def stop_at_two(event: Event) -> None:
            if isinstance(event, Reported) and event.step == 2:
                executor.stop("a")

        events = until_ended(executor, 1, stop_at_two)
        assert isinstance(events[-1], Finished)
        assert events[-1].result.ended_by == "pruned" and events[-1].result.epochs == 2

    def test_stop_reaches_a_job_between_its_reports(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a", "wait"))
        until = time.monotonic() + 30
        stopped = False
        while time.monotonic() < until and not stopped:
            executor.stop("a")
            stopped = any(isinstance(e, Finished) for e in executor.events(0.1))
        assert stopped

    def test_a_job_that_never_started_still_says_finished(self, executor: Executor) -> None:
        names = [f"j{i}" for i in range(4)]
        for name in names:
            executor.submit(ScriptedJob(name, "wait"))
        ended: set[str] = set()
        until = time.monotonic() + 30
        while ended != set(names) and time.monotonic() < until:
            for name in names:
                executor.stop(name)
            ended |= {e.job_id for e in executor.events(0.1) if isinstance(e, Finished)}
        assert ended == set(names)
