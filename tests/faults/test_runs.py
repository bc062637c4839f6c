"""Clocks that jump, two coordinators, moved folders, runs of an older protocol, torn lines, configurations that cannot
be built: nothing is lost, and what is said is one clear message."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pretended
import pytest

from fertune.cli import main
from fertune.errors import AllTrialsFailed, RunError
from fertune.searching import Observer
from fertune.space import Int, Space
from fertune.store import open_record, read_journal
from fertune.trial import FailureKind

OLD = Path(__file__).with_name("protocol-1")
DAY = 86400.0


def broken_off(out: Path, jobs: int = 4, **options: Any) -> None:
    with pytest.raises(pretended.Killed):
        pretended.search(out, fate=pretended.killed_at(jobs), **options)


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_jumps_in_a_search_changes_no_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    real, begun = time.time, time.monotonic()
    calls = iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + (jump if next(calls) > 5 else 0.0))
    failing = iter([None, None, FailureKind.NAN_LOSS])
    run = pretended.search(tmp_path / "run", trials=6, fate=lambda job: next(failing, None), time_budget="10m")
    wall = time.monotonic() - begun
    record = open_record(run.path)
    times = [line["time"] for line in read_journal(run.path / "journal.jsonl")]
    assert times == sorted(times)
    assert len(record.trials) == 6 and 0 <= record.seconds <= wall + 1
    assert all(0 <= t.seconds <= wall + 1 and t.ended is not None and t.ended >= t.started for t in record.trials)


def test_a_clock_that_was_set_back_between_two_sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretended.search(tmp_path / "quiet", trials=8)
    broken_off(tmp_path / "run", trials=8)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - DAY)
    pretended.search(tmp_path / "run", trials=8)
    assert pretended.reading(tmp_path / "run") == pretended.reading(tmp_path / "quiet")
    record = open_record(tmp_path / "run")
    assert 0 <= record.seconds < 600 and all(t.seconds >= 0 for t in record.trials)


def test_a_second_coordinator_is_turned_away_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:

        class Slow(Observer):
            def trial_started(self, trial: Any) -> None:
                os.write(says, b"!")
                time.sleep(60)

        pretended.search(tmp_path / "run", trials=4, observer=Slow())
        os._exit(0)
    os.read(hears, 1)
    before = (tmp_path / "run" / "journal.jsonl").read_bytes()
    with pytest.raises(RunError, match="another process is working on") as caught:
        pretended.search(tmp_path / "run", trials=4)
    assert "fertune show" in (caught.value.help or "")
    assert (tmp_path / "run" / "journal.jsonl").read_bytes() == before
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert len(pretended.search(tmp_path / "run", trials=4).record.trials) == 4


def test_a_run_that_was_moved_goes_on_where_it_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pretended.search(tmp_path / "quiet", trials=8)
    broken_off(tmp_path / "here" / "run", trials=8)
    shutil.move(tmp_path / "here", tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "run"
    assert main(["show", str(moved)]) == 0 and "killed" in capsys.readouterr().out
    pretended.search(moved, trials=8)
    assert pretended.reading(moved) == pretended.reading(tmp_path / "quiet")
    assert pretended.files(moved) == pretended.files(tmp_path / "quiet")
    assert str(moved) in open_record(moved).info["resume"]
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("tail", [b'{"event": "told", "tri', b"\x00" * 50, b'{"event": "told"}'])
def test_a_torn_last_line_is_dropped_and_its_piece_trained_again(tmp_path: Path, tail: bytes) -> None:
    pretended.search(tmp_path / "quiet", trials=6)
    broken_off(tmp_path / "run", trials=6)
    with (tmp_path / "run" / "journal.jsonl").open("ab") as file:
        file.write(tail)
    pretended.search(tmp_path / "run", trials=6)
    assert pretended.reading(tmp_path / "run") == pretended.reading(tmp_path / "quiet")


def test_damage_in_the_middle_is_one_message_and_nothing_is_touched(tmp_path: Path) -> None:
    pretended.search(tmp_path / "run", trials=3)
    path = tmp_path / "run" / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'{"event": "asked"', b'{"event": asked', 1))
    before = path.read_bytes()
    with pytest.raises(RunError, match="damaged at line 2"):
        pretended.search(tmp_path / "run", trials=6)
    assert path.read_bytes() == before


def test_a_run_of_the_first_protocol_is_read_and_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "old"
    shutil.copytree(OLD, run)
    record = open_record(run)
    assert record.status == "interrupted" and record.reason == "the process was killed"
    assert [t.state.value for t in record.trials] == ["completed", "failed", "pruned", "completed", "running"]
    before = pretended.reading(run)
    pretended.search(run, trials=8, tuner="tpe", pruner="median")
    after = pretended.reading(run)
    assert after[:4] == before[:4] and len(after) == 8
    assert after[4][1] == "completed" and after[4][2] == before[4][2], "what was running is trained again"
    options = json.loads((run / "run.json").read_text())["options"]
    assert options["max_params"] is None and options["max_disk"] is None


def drawn(out: Path, **options: Any) -> list[dict[str, Any]]:
    """The configurations of a search in the order in which they were drawn, which a time budget leaves."""
    return [dict(t.params) for t in pretended.search(out, time_budget="10m", **options).record.trials]


def size(params: dict[str, Any]) -> int:
    return int(params["filters_1"])


@pytest.mark.parametrize("tuner", ["random", "grid"])
def test_the_costliest_come_first_after_the_cheapest_with_any_number_of_workers(tmp_path: Path, tuner: str) -> None:
    options: dict[str, Any] = {"tuner": tuner, "trials": 12, "max_epochs": 2}
    pretended.search(tmp_path / "1", **options)
    found = pretended.reading(tmp_path / "1")
    sizes = [size(t[2]) for t in found]
    assert sizes == [min(sizes), *sorted(sizes, reverse=True)[:-1]]
    as_drawn = drawn(tmp_path / "timed", **options)
    assert sorted(map(str, as_drawn)) == sorted(str(t[2]) for t in found) and [size(p) for p in as_drawn] != sizes
    for workers in (2, 5):
        pretended.search(tmp_path / str(workers), workers=workers, **options)
        assert pretended.reading(tmp_path / str(workers)) == found


@pytest.mark.parametrize("tuner", ["random", "grid"])
@pytest.mark.parametrize("budgets", [("10m", None), (None, "10m")], ids=["drawn then sorted", "sorted then drawn"])
def test_a_run_in_one_order_goes_on_in_the_other_with_the_same_configurations(
    tmp_path: Path, tuner: str, budgets: tuple[Any, Any]
) -> None:
    options: dict[str, Any] = {"tuner": tuner, "trials": 12, "max_epochs": 2}
    begun = [{k: v for k, v in {"time_budget": b}.items() if v} for b in budgets]
    quiet = [dict(t.params) for t in pretended.search(tmp_path / "quiet", **options, **begun[0]).record.trials]
    broken_off(tmp_path / "run", **options, **begun[0])
    mixed = [dict(t.params) for t in pretended.search(tmp_path / "run", **options, **begun[1]).record.trials]
    assert mixed[:4] == quiet[:4] and mixed != quiet
    assert sorted(map(str, mixed)) == sorted(map(str, quiet))
    again = [dict(t.params) for t in pretended.search(tmp_path / "run", **options).record.trials]
    assert again == mixed, "its journal is read again, and nothing is left to do"


def test_more_trials_are_further_draws(tmp_path: Path) -> None:
    pretended.search(tmp_path / "run", trials=6)
    first = pretended.reading(tmp_path / "run")
    broken_off(tmp_path / "run", jobs=2, trials=12)
    more = pretended.search(tmp_path / "run", trials=12).record.trials
    assert pretended.reading(tmp_path / "run")[:6] == first
    added = [size(t.params) for t in more[6:]]
    assert added == [min(added), *sorted(added, reverse=True)[:-1]]
    as_drawn = drawn(tmp_path / "timed", trials=12)
    assert sorted(str(dict(t.params)) for t in more) == sorted(map(str, as_drawn))


def test_a_memory_too_small_for_the_costliest_ends_no_search(tmp_path: Path) -> None:
    def fate(job: Any) -> FailureKind | None:
        return FailureKind.OUT_OF_MEMORY if job.settings["filters_1"] > 60 else None

    trials = pretended.search(tmp_path / "run", trials=20, fate=fate).record.trials
    assert sum(t.failure is not None for t in trials) > 5 and trials[0].failure is None and len(trials) == 20


def test_infeasible_configurations_cost_no_worker_and_are_told(tmp_path: Path) -> None:
    jobs: list[Any] = []
    run = pretended.search(tmp_path / "run", trials=20, max_params=1000, fate=jobs.append)
    refused = [t for t in run.record.trials if t.failure is not None]
    tried = [t for t in run.record.trials if t.failure is None]
    assert len(refused) >= 5 and tried and len(jobs) == len(tried)
    assert all(t.params["filters_1"] >= 60 for t in refused) and all(t.params["filters_1"] <= 80 for t in tried)
    assert {t.failure.kind for t in refused if t.failure} == {FailureKind.INFEASIBLE}
    assert refused[0].failure and "parameters; --max-params allows 1,000" in refused[0].failure.message
    assert "20 trials" in repr(run) and "infeasible" in run.report(format="markdown").read_text()


def test_nothing_but_infeasible_ones_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(AllTrialsFailed, match="none of the first 50 configurations .* nothing was trained") as caught:
        pretended.search(tmp_path / "run", trials=90, max_params=5)
    assert "--max-params" in (caught.value.help or "")
    assert len(open_record(tmp_path / "run").trials) == 50


def test_infeasible_ones_are_no_five_equal_failures(tmp_path: Path) -> None:
    drawn_order = {"time_budget": "10m"}  # without it those that can be trained come first
    run = pretended.search(tmp_path / "run", trials=30, max_params=200, seed=1, **drawn_order)
    kinds = [t.failure is None for t in run.record.trials]
    assert kinds[:5].count(False) >= 3 and any(kinds)


def test_pictures_too_small_for_the_blocks_are_told_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretended, "SPACE", Space("deep", [Int("blocks", 4, 6), Int("filters_1", 4, 200)]))
    with pytest.raises(AllTrialsFailed) as caught:
        pretended.search(tmp_path / "run", trials=9)
    assert "pools a 1x1 map (8x8 input" in caught.value.details[0]
    assert "blocks" in (caught.value.help or "")


def test_a_run_that_was_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    pretended.search(tmp_path / "quiet", trials=3)
    run = tmp_path / "run"
    run.mkdir()
    (run / "lock").touch()
    (run / ".part-4711-run.json").write_text('{"protocol": 1, "ki')
    pretended.search(run, trials=3)
    assert pretended.reading(run) == pretended.reading(tmp_path / "quiet") and not list(run.glob(".part-*"))


def test_a_run_that_was_killed_before_its_first_trial_has_its_pictures(tmp_path: Path) -> None:
    pretended.search(tmp_path / "run", trials=1)
    for name in ("samples.npz", "gallery.npz", "journal.jsonl"):
        (tmp_path / "run" / name).unlink()
    shutil.rmtree(tmp_path / "run" / "trials")
    pretended.search(tmp_path / "run", trials=1)
    assert (tmp_path / "run" / "samples.npz").exists() and (tmp_path / "run" / "gallery.npz").exists()


def test_a_trial_whose_model_found_no_room_keeps_its_value_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls, said = pretended.write_npz, iter(range(99)), []

    def sometimes(path: Path, arrays: Any) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        real(path, arrays)

    class Listening(Observer):
        def warned(self, text: str) -> None:
            said.append(text)

    monkeypatch.setattr(pretended, "write_npz", sometimes)
    run = pretended.search(tmp_path / "run", trials=3, observer=Listening())
    assert [t.state.value for t in run.record.trials] == ["completed"] * 3
    assert said[-1] == ("trial 1 counts with its value, but its model could not be kept: No space left on device")
    assert {p.split("/")[0] for p in pretended.files(run.path)} == {"0", "2"}
