"""The loop: what it writes, what it tells, how it ends, and that a killed run resumes to the same result."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from scripted import Killed, ScriptedJob, ScriptedSearcher, VirtualExecutor

from fertune.errors import AllTrialsFailed
from fertune.searching import Observer, Search, read_progress
from fertune.store import Journal
from fertune.trial import OBJECTIVES, State


def make(path: Path, searcher: ScriptedSearcher, executor: VirtualExecutor, **options: Any) -> tuple[Search, Journal]:
    journal = Journal(path / "journal.jsonl")
    progress = read_progress(journal.lines)
    for call in progress.calls:
        if call[0] == "ask":
            assert searcher.ask() == call[1], "a fresh searcher says the same again"
        elif call[0] == "tell":
            searcher.tell(call[1], call[2])
    search = Search(
        searcher=searcher,
        executor=executor,
        journal=journal,
        make_job=ScriptedJob,
        objective=OBJECTIVES["val_accuracy"],
        progress=progress,
        **options,
    )
    return search, journal


def summary(search: Search) -> list[tuple[Any, ...]]:
    return [
        (t.id, t.state, dict(t.params), t.value, t.epochs, len(t.rungs), len(t.history)) for t in search.trials.all()
    ]


def test_promotions_are_the_same_trial_and_count_for_none(tmp_path: Path) -> None:
    search, _ = make(tmp_path, ScriptedSearcher(6, promote=2), VirtualExecutor())
    assert search.run() == ("finished", "scripted end")
    trials = search.trials.all()
    assert [t.id for t in trials] == list(range(6))
    promoted = [t for t in trials if len(t.rungs) == 2]
    assert promoted and all(t.epochs == 4 and len(t.history) == 4 for t in promoted)
    assert all(t.state is State.COMPLETED for t in trials)


def test_the_journal_is_written_before_the_engine_is_told(tmp_path: Path) -> None:
    class Watching(ScriptedSearcher):
        def tell(self, ticket: int, outcome: Any) -> None:
            lines = [json.loads(x) for x in (tmp_path / "journal.jsonl").read_text().splitlines()]
            assert any(x["event"] == "told" and x["ticket"] == ticket for x in lines)
            super().tell(ticket, outcome)

    searcher = Watching(4)
    search, _ = make(tmp_path, searcher, VirtualExecutor())
    search.run()
    assert len(searcher.told) == 4


def test_a_pruned_trial_is_told_as_pruned_with_its_value(tmp_path: Path) -> None:
    searcher = ScriptedSearcher(3, prune=lambda ticket, step: ticket == 1 and step == 1)
    search, _ = make(tmp_path, searcher, VirtualExecutor())
    search.run()
    states = [t.state for t in search.trials.all()]
    assert states == [State.COMPLETED, State.PRUNED, State.COMPLETED]
    assert search.trials.by_id[1].epochs == 1


def test_failures_are_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    executor = VirtualExecutor(fate=lambda job: "fail" if job.x % 3 == 1 else "ok")
    search, _ = make(tmp_path, ScriptedSearcher(9), executor)
    search.run()
    states = [t.state for t in search.trials.all()]
    assert states.count(State.FAILED) == 3 and states.count(State.COMPLETED) == 6


def test_five_equal_failures_before_any_success_end_it_with_what_to_change(tmp_path: Path) -> None:
    search, journal = make(tmp_path, ScriptedSearcher(20), VirtualExecutor(fate=lambda job: "fail"))
    with pytest.raises(AllTrialsFailed, match="the first 5 trials all failed") as caught:
        search.run()
    assert caught.value.details == ("5 x NaN loss: scripted",)
    assert caught.value.help is not None and "learning_rate" in caught.value.help
    assert journal.lines[-1]["event"] == "ended"


def test_one_success_first_and_the_search_survives_any_number_of_failures(tmp_path: Path) -> None:
    search, _ = make(tmp_path, ScriptedSearcher(12), VirtualExecutor(fate=lambda job: "fail" if job.x else "ok"))
    assert search.run() == ("finished", "scripted end")


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_random_instants_it_ends_as_if_undisturbed(tmp_path: Path, slots: int, seed: int) -> None:
    """Law 5. With one slot trial for trial; with more, the count is the same and none is lost or repeated."""
    quiet, _ = make(tmp_path / "quiet", ScriptedSearcher(15, promote=3), VirtualExecutor(slots))
    quiet.run()
    chance = random.Random(seed)
    finished_before: dict[int, Any] = {}
    for _ in range(200):
        executor = VirtualExecutor(
            slots,
            seed=chance.random(),
            fate=lambda job: "kill" if chance.random() < 0.2 else "ok",
        )
        search, journal = make(tmp_path / "killed", ScriptedSearcher(15, promote=3), executor)
        for trial_id, rungs in finished_before.items():
            assert search.trials.by_id[trial_id].rungs[: len(rungs)] == rungs, "a finished trial was lost"
        try:
            search.run()
            break
        except Killed:
            finished_before = {t.id: tuple(r for r in t.rungs if r.value is not None) for t in search.trials.all()}
            journal.close()
            torn = tmp_path / "killed" / "journal.jsonl"
            if chance.random() < 0.5:
                with torn.open("ab") as file:
                    file.write(b'{"event": "told", "trial": 3, "val')
    else:
        pytest.fail("never finished")
    assert sorted(t[2]["x"] for t in summary(search)) == list(range(15))
    if slots == 1:
        assert summary(search) == summary(quiet)


def test_time_budget_ends_with_the_running_trial_kept(tmp_path: Path) -> None:
    class Slow(VirtualExecutor):
        def events(self, timeout: float) -> Any:
            time.sleep(0.02)
            yield from super().events(timeout)

    search, _ = make(tmp_path, ScriptedSearcher(10_000), Slow(), deadline=time.monotonic() + 0.2)
    status, reason = search.run()
    assert (status, reason) == ("finished", "the time budget is spent")
    assert 0 < len(search.trials.all()) < 100


def test_an_interrupt_stops_what_runs_and_a_resume_trains_it_again(tmp_path: Path) -> None:
    asked = iter([False, False, False, True])
    said: list[str] = []

    class Listening(Observer):
        def said(self, text: str) -> None:
            said.append(text)

    search, journal = make(
        tmp_path,
        ScriptedSearcher(8),
        VirtualExecutor(2),
        stop_requested=lambda: next(asked, True),
        observer=Listening(),
    )
    assert search.run()[0] == "interrupted"
    assert said == ["stopping, a few seconds"]
    journal.close()
    stopped = [t.id for t in search.trials.all() if t.state is State.STOPPED]
    again, _ = make(tmp_path, ScriptedSearcher(8), VirtualExecutor(2))
    again.run()
    assert all(again.trials.by_id[i].state is State.COMPLETED for i in stopped)
    assert [t.params["x"] for t in again.trials.all()] == list(range(8))


def test_a_waiting_searcher_with_nothing_running_is_a_bug_not_a_hang(tmp_path: Path) -> None:
    searcher = ScriptedSearcher(0)
    searcher.open.add(99)
    search, _ = make(tmp_path, searcher, VirtualExecutor())
    with pytest.raises(RuntimeError, match="waits"):
        search.run()
