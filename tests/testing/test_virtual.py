"""The executor in virtual time: its clock, its order, and the real loop with a thousand workers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fertune.searching import Search
from fertune.store import Journal
from fertune.testing import VirtualExecutor
from fertune.trial import (
    OBJECTIVES,
    Event,
    Exhausted,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Reported,
    Started,
    Suggestion,
)


@dataclass(frozen=True)
class Job:
    id: str
    budget: int = 2
    first: int = 0
    alone: bool = False


def play(executor: VirtualExecutor) -> list[tuple[float, Event]]:
    """(virtual time, event) until nothing happens any more; one event a call."""
    seen: list[tuple[float, Event]] = []
    while events := list(executor.events(0.0)):
        assert len(events) == 1
        seen.append((executor.now, events[0]))
    return seen


def ends(executor: VirtualExecutor) -> list[tuple[float, str]]:
    return [(now, e.job_id) for now, e in play(executor) if isinstance(e, (Finished, Failed))]


def test_durations_decide_what_happens_when() -> None:
    executor = VirtualExecutor(2, seconds=lambda job, step: {"a": 3.0, "b": 1.0, "c": 1.5}[job.id])
    for name in ("a", "b", "c"):
        executor.submit(Job(name))
    assert ends(executor) == [(2.0, "b"), (5.0, "c"), (6.0, "a")]
    assert executor.busy == 6.0 + 2.0 + 3.0 and executor.done == 3


def test_started_comes_first_and_reports_in_order() -> None:
    executor = VirtualExecutor(value=lambda job, step: [0.0, 0.4, 0.9, 0.6][step])
    executor.submit(Job("a", budget=3, first=0))
    events = [event for _, event in play(executor)]
    assert events[0] == Started("a", 0)
    assert [(e.step, e.value) for e in events if isinstance(e, Reported)] == [(1, 0.4), (2, 0.9), (3, 0.6)]
    assert isinstance(events[-1], Finished)
    result = events[-1].result
    assert (result.value, result.best_epoch, result.epochs, result.ended_by) == (0.9, 2, 3, "budget")


def test_a_later_stretch_begins_where_the_earlier_ended() -> None:
    executor = VirtualExecutor()
    executor.submit(Job("a", budget=5, first=3))
    assert [e.step for _, e in play(executor) if isinstance(e, Reported)] == [4, 5]
    assert executor.now == 2.0


def test_stop_prunes_in_a_report_ends_between_reports_and_drops_what_waits() -> None:
    executor = VirtualExecutor(2)
    for name in ("a", "b", "c"):
        executor.submit(Job(name, budget=9))
    told: dict[str, Any] = {}
    for _ in range(50):
        for event in executor.events(0.0):
            if isinstance(event, Reported) and event.job_id == "a":
                executor.stop("a")
                executor.stop("b")
                executor.stop("c")
            if isinstance(event, Finished):
                told[event.job_id] = event.result
    assert told["a"].ended_by == "pruned" and told["a"].epochs == 1
    assert told["b"].ended_by == "stopped" and told["c"] is None and executor.now == 1.0


def test_failures_come_at_the_end_of_the_first_epoch() -> None:
    failure = Failure(FailureKind.NAN_LOSS, "x")
    executor = VirtualExecutor(fails=lambda job: failure if job.id == "a" else None)
    executor.submit(Job("a"))
    executor.submit(Job("b"))
    assert [(now, type(e)) for now, e in play(executor) if isinstance(e, (Failed, Finished))] == [
        (1.0, Failed),
        (3.0, Finished),
    ]


def test_a_job_alone_has_the_machine_to_itself() -> None:
    executor = VirtualExecutor(3)
    for job in (Job("a", 4), Job("b", 1), Job("x", 2, alone=True), Job("c", 1)):
        executor.submit(job)
    begun = {e.job_id: now for now, e in play(executor) if isinstance(e, Started)}
    assert begun == {"a": 0.0, "b": 0.0, "x": 4.0, "c": 6.0}


def test_status_says_who_does_what() -> None:
    executor = VirtualExecutor(3)
    executor.submit(Job("a"))
    executor.submit(Job("b"))
    assert [s.job_id for s in executor.status()] == ["a", "b", None]


def test_what_a_function_raises_leaves_the_loop() -> None:
    def value(job: Any, step: int) -> float:
        raise KeyboardInterrupt

    executor = VirtualExecutor(value=value)
    executor.submit(Job("a"))
    with pytest.raises(KeyboardInterrupt):
        play(executor)


class Counting:
    """Suggests ``trials`` points of two epochs."""

    def __init__(self, trials: int) -> None:
        self.trials, self.asked = trials, 0

    def ask(self) -> Suggestion | Exhausted:
        if self.asked == self.trials:
            return Exhausted("done")
        self.asked += 1
        return Suggestion(self.asked - 1, {"x": self.asked}, 2)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Any) -> None:
        return


@pytest.mark.parametrize("slots", [1, 1000])
def test_the_real_loop_runs_with_any_number_of_workers(tmp_path: Path, slots: int) -> None:
    executor = VirtualExecutor(slots, seconds=lambda job, step: 1 + (hash(job.id) % 7) / 7)
    search = Search(
        searcher=Counting(400),
        executor=executor,
        journal=Journal(tmp_path / "journal.jsonl"),
        make_job=lambda trial, suggestion: Job(f"t{trial.id}", suggestion.budget),
        objective=OBJECTIVES["val_accuracy"],
    )
    begun = time.perf_counter()
    assert search.run() == ("finished", "done")
    assert len(search.trials.all()) == executor.done == 400
    assert executor.now <= 4.0 if slots == 1000 else executor.now >= 800
    assert time.perf_counter() - begun < 60


def test_its_own_cost_is_small() -> None:
    executor = VirtualExecutor(1000)
    for number in range(10_000):
        executor.submit(Job(str(number)))
    begun = time.process_time()
    assert len(play(executor)) == 40_000
    assert time.process_time() - begun < 4
