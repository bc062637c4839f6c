"""What every Executor must do, whatever it runs jobs in; those of processes of their own a little more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fertune.testing.scripted import ScriptedJob
from fertune.trial import Event, Executor, Failed, FailureKind, Finished, Reported, Started

RUNNER = "fertune.testing.scripted"
"""The ``runner`` that the suite gives to ``make``; its jobs are ``ScriptedJob``."""


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
    """Derive a ``Test...`` class from it and give ``make``.

    Beside the verbs of ``fertune.trial.Executor`` it asks of an executor that

    * the runner's ``run(job, context)`` is called where the job is done, with a ``context`` of two methods:
      ``report(step, value, logs) -> bool`` hands a Reported to the coordinator and blocks until that is answered, False
      where the job was stopped meanwhile; ``stopping() -> bool`` is true as soon as it is stopped between two reports;
    * what ``run`` returns comes as ``Finished.result``, and what it raises as the Failed of ``classify(error)``;
    * a job whose process is killed fails as out of memory, and one whose process ends otherwise, or sends what is no
      message, as crashed; a fresh process takes the next one.

    Of a job an executor needs ``id`` and ``alone``; the rest of it, and of its result, is for the runner and the loop.

    Attributes:
        separate: Whether jobs run in processes of their own, so that one which ends its process ends nothing else.
            False leaves the tests of that out.
    """

    separate = True

    def make(self, runner: str, folder: Path) -> Executor:
        """A fresh executor.

        Args:
            runner: Name of the module to import where jobs are done, for its ``run`` and ``classify``.
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

    def test_started_comes_once_for_each_job_and_before_everything_else_of_it(self, executor: Executor) -> None:
        names = ["a", "b", "c", "d"]
        for name in names:
            executor.submit(ScriptedJob(name, "raise" if name == "c" else "ok"))
        events = until_ended(executor, 4)
        for name in names:
            mine = [e for e in events if e.job_id == name]
            assert isinstance(mine[0], Started) and mine[0].worker >= 0
            assert sum(isinstance(e, Started) for e in mine) == 1
            assert isinstance(mine[-1], (Finished, Failed))

    def test_nothing_to_tell_is_no_event(self, executor: Executor) -> None:
        begun = time.monotonic()
        assert list(executor.events(0.05)) == [] and time.monotonic() - begun < 5
        executor.stop("nobody")
        assert list(executor.events(0.0)) == []

    def test_jobs_may_be_submitted_while_an_event_is_handled(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a"))

        def more(event: Event) -> None:
            if isinstance(event, Reported) and event.job_id == "a" and event.step == 1:
                executor.submit(ScriptedJob("b"))

        ended = [e.job_id for e in until_ended(executor, 2, more) if isinstance(e, Finished)]
        assert sorted(ended) == ["a", "b"]

    def test_no_more_jobs_run_at_once_than_there_are_slots(self, executor: Executor) -> None:
        names = [f"j{i}" for i in range(2 * executor.slots + 1)]
        for name in names:
            executor.submit(ScriptedJob(name))
        running, most, begun = 0, 0, []
        for event in until_ended(executor, len(names)):
            if isinstance(event, Started):
                begun.append(event.job_id)
                running += 1
                most = max(most, running)
            running -= isinstance(event, (Finished, Failed))
        assert sorted(begun) == names and most <= executor.slots

    def test_a_job_alone_runs_when_nothing_else_does(self, executor: Executor) -> None:
        for job in (
            ScriptedJob("a", seconds=0.1),
            ScriptedJob("b"),
            ScriptedJob("alone", alone=True, seconds=0.1),
            ScriptedJob("c"),
        ):
            executor.submit(job)
        running: set[str] = set()
        for event in until_ended(executor, 4):
            if isinstance(event, Started):
                running.add(event.job_id)
                assert running == {event.job_id} or "alone" not in running, f"beside it: {running}"
            elif isinstance(event, (Finished, Failed)):
                assert isinstance(event, Finished)
                running.discard(event.job_id)
        assert not running

    def test_status_says_who_does_what(self, executor: Executor) -> None:
        busy: list[str | None] = []

        def look(event: Event) -> None:
            status = executor.status()
            assert len({s.number for s in status}) == len(status) >= 1
            assert all(s.threads >= 1 and s.device for s in status)
            if isinstance(event, (Started, Reported)):
                at = {s.number: s for s in status}
                busy.extend(s.job_id for s in status if s.job_id)
                if isinstance(event, Started):
                    assert at[event.worker].job_id == event.job_id and at[event.worker].ready

        executor.submit(ScriptedJob("a"))
        until_ended(executor, 1, look)
        assert set(busy) == {"a"}
        assert all(s.job_id is None for s in executor.status())
        assert sum(s.jobs for s in executor.status()) == 1

    def test_close_ends_what_runs(self, executor: Executor) -> None:
        executor.submit(ScriptedJob("a", "wait"))
        until = time.monotonic() + 30
        while not any(isinstance(e, Started) for e in executor.events(0.1)):
            assert time.monotonic() < until
        executor.close()
        assert time.monotonic() < until

    @pytest.mark.parametrize(
        ("script", "kind"),
        [
            ("kill", FailureKind.OUT_OF_MEMORY),
            ("exit", FailureKind.CRASHED),
            ("garbage", FailureKind.CRASHED),
        ],
    )
    def test_a_job_that_breaks_its_process_breaks_nothing_else(
        self, executor: Executor, script: str, kind: FailureKind
    ) -> None:
        if not self.separate:
            pytest.skip("its jobs have no process of their own")
        executor.submit(ScriptedJob("a", script))
        executor.submit(ScriptedJob("b"))
        executor.submit(ScriptedJob("c"))
        ended = {e.job_id: e for e in until_ended(executor, 3) if isinstance(e, (Finished, Failed))}
        broken = ended.pop("a")
        assert isinstance(broken, Failed) and broken.failure.kind is kind and broken.failure.message
        assert all(isinstance(e, Finished) for e in ended.values())

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
