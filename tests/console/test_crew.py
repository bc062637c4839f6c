"""Workers in the live table: who does what, how fast, and what it all takes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from fertune.console import LiveConsole
from fertune.console.crew import Crew, Task, crew_lines, pace_of, pace_text, vitals_line
from fertune.console.plain import STILL_SECONDS, PlainConsole
from fertune.console.screen import Screen
from fertune.console.search_view import SearchState, search_lines, within_budget
from fertune.console.stack_view import StackState, stack_lines
from fertune.trial import Rung, State, WorkerStatus
from tests.console.factory import ESCAPE, Stream, fold, info, stack_info, trial, wide


def workers(count: int, busy: int = 99) -> tuple[WorkerStatus, ...]:
    now = time.monotonic()
    return tuple(
        WorkerStatus(n, f"trial-{n}-{n}" if n < busy else None, n <= busy, now - 38, 812_000_000, 2, "cpu", n)
        for n in range(count)
    )


def screen(width: int, height: int = 24, encoding: str = "utf-8") -> Screen:
    made = Screen(Stream(encoding=encoding), {}, width)
    made.console.height = height
    return made


def shown(lines: list) -> str:
    return "\n".join(line.plain for line in lines)


def state(count: int, busy: int = 99) -> SearchState:
    history = tuple({"epoch": e, "value": 0.4, "val_accuracy": 0.4, "seconds": 5.0} for e in range(1, 5))
    trials = [trial(n, State.RUNNING, None, 4, history=history) for n in range(min(count, busy))]
    made = SearchState.of(info(options={"trials": 30, "workers": "auto"}), 30, trials)
    for one in trials:
        made.take_start(one)
    made.crew = Crew(workers(count, busy), 3_100_000_000, 61_000_000)
    return made


@pytest.mark.parametrize(
    ("pace", "says"),
    [(None, ""), (0.0, ""), (2.31, "2.3 epochs/s"), (40.0, "40 epochs/s"), (0.2, "12 epochs/min"),
     (0.0111, "40 epochs/h"), (1e-5, "0.0 epochs/h")],
)  # fmt: skip
def test_a_pace_has_a_number_before_its_point(pace: float | None, says: str) -> None:
    assert pace_text(pace) == says


def test_the_pace_is_that_of_the_last_epochs() -> None:
    assert pace_of([{"seconds": 100.0}, {"seconds": 2.0}, {"seconds": 2.0}, {"seconds": 4.0}]) == 3 / 8
    assert pace_of([]) is None and pace_of([{"loss": 1.0}]) is None


def test_workers_at_100_columns() -> None:
    lines = shown(search_lines(screen(100), state(2))).splitlines()
    assert lines[1].endswith("2 workers x 2 threads, CPU")
    assert lines[3] == "24 epochs/min · memory 3.1 GB · disk 61 MB"
    assert lines[4].split() == ["worker", "does", "for", "epochs", "pace", "memory", "on"]
    assert lines[5].split() == ["0", "trial", "0", "38", "s", "4/9", "12", "epochs/min", "812", "MB", "cpu"]


def test_before_anything_is_heard_of_workers_nothing_is_said_of_them() -> None:
    made = state(2)
    made.crew = Crew()
    text = shown(search_lines(screen(100), made))
    assert "worker " not in text and "memory" not in text and "workers: auto" in text


@pytest.mark.parametrize("width", [100, 60, 40])
@pytest.mark.parametrize("height", [8, 16, 24, 50])
@pytest.mark.parametrize("count", [1, 4, 200])
def test_many_workers_keep_to_the_screen(width: int, height: int, count: int) -> None:
    here = screen(width, height)
    for lines in (
        search_lines(here, state(count)),
        stack_lines(here, replace(StackState(stack_info(), []), crew=Crew(workers(count), 10, 10))),
    ):
        assert wide(shown(lines)) <= width
        assert len(lines) <= max(height - 2, 6)


def test_those_at_work_come_first_and_the_others_are_counted() -> None:
    crew = Crew(tuple(reversed(workers(10, busy=2))))
    lines = crew_lines(screen(100), crew, lambda job: Task(job), 5)
    names = [" ".join(line.plain.split()[:2]) for line in lines[1:]]
    assert names == ["0 trial-0-0", "1 trial-1-1", "2 idle", "3 starting", "and 7"] or names[:2] == [
        "0 trial-0-0", "1 trial-1-1",
    ]  # fmt: skip
    assert lines[-1].plain == "  and 6 more workers"


def test_ascii_and_job_ids_that_steer_a_terminal_are_harmless() -> None:
    crew = Crew((WorkerStatus(0, "x\x1b[31m\n", True, time.monotonic()),), 10)
    text = shown(crew_lines(screen(60, encoding="ascii"), crew, lambda job: Task(job), 5))
    assert "\x1b" not in text and text.isascii()


def test_vitals_leave_from_the_right() -> None:
    crew = Crew(workers(1), 3_100_000_000, 61_000_000)
    line = vitals_line(screen(40), crew, {}, ["rungs: 9 at 3 epochs, 3 at 9, 1 at 27"])
    assert shown(line) == "memory 3.1 GB · disk 61 MB"


def test_rungs_are_counted_once_there_are_several() -> None:
    first, second = Rung(3, {"rung": 0}, 0.4, 3), Rung(9, {"rung": 1}, 0.5, 9)
    trials = [trial(0).but(rungs=(first, second)), trial(1).but(rungs=(first,))]
    assert SearchState.of(info(), 30, trials).rungs() == "rungs: 2 at 3 epochs, 1 at 9"
    assert SearchState.of(info(), 30, trials[1:]).rungs() == ""


def test_a_stack_says_which_model_a_worker_trains() -> None:
    made = StackState(stack_info(), [("leaky_cnn 7", 2, "fold")])
    made.take_start(("leaky_cnn 7", 2, "fold"))
    made.take_epoch(("leaky_cnn 7", 2, "fold"), {"epoch": 4, "seconds": 0.5})
    assert made.task("leaky-cnn-7/fold-2") == Task("leaky_cnn 7, fold 2", "4/9", 2.0)
    assert made.task("test/leaky-cnn-7/fold-2") == Task("test/leaky-cnn-7/fold-2")


def test_a_time_budget_bounds_what_is_left() -> None:
    assert within_budget(None, 10.0, {}) is None
    assert within_budget(500.0, 10.0, {"options": {"time_budget": 60}}) == 50.0
    assert within_budget(20.0, 10.0, {"options": {"time_budget": 60}}) == 20.0
    assert within_budget(20.0, 90.0, {"options": {"time_budget": 60}}) == 0.0


def test_what_is_watched_from_outside_says_what_ctrl_c_does() -> None:
    made = state(1)
    made.take_since(time.monotonic() - 100, {0: time.monotonic() - 60}, 5)
    text = shown(search_lines(screen(100), made))
    assert "Ctrl-C leaves, the run goes on" in text and "about 10 min left" in text
    stack = StackState(stack_info(), [("leaky_cnn 7", 0, "fold"), ("leaky_cnn 7", 1, "fold")])
    stack.take_end(fold())
    stack.take_since(time.monotonic() - 100, {("leaky_cnn 7", 1, "fold"): time.monotonic()}, 1)
    text = shown(stack_lines(screen(100), stack))
    assert "Ctrl-C leaves, the run goes on" in text and "about 2 min left" in text


def test_lines_say_once_a_minute_what_the_run_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    console = PlainConsole(Screen(stream, {}), Screen(Stream(), {}))
    console.search_started(info(), 30, ())
    console.workers(workers(4, busy=3), 3_100_000_000, 61_000_000)
    before = stream.getvalue()
    console.tick()
    assert stream.getvalue() == before
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + STILL_SECONDS + 1)
    console.tick()
    assert ESCAPE.sub("", stream.getvalue())[len(before) :] == "still run workers=3/4 memory_mb=3100 disk_mb=61\n"


def test_frames_that_take_long_are_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    drawn: list[float] = []

    def slow(*args: object) -> list:
        drawn.append(clock[0])
        clock[0] += 0.4
        return []

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr("fertune.console.live.search_lines", slow)
    stream = Stream(terminal=True)
    console = LiveConsole(Screen(stream, {"TERM": "xterm"}), Screen(stream, {"TERM": "xterm"}))
    console.search_started(info(), 30, ())
    for _ in range(200):
        clock[0] += 0.1
        console.trial_started(trial(1, State.RUNNING, None, 1))
    console.close()
    assert len(drawn) == 3, "5 % of 20 seconds, at 0.4 s each"
