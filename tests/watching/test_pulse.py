"""The coordinator tells of its workers: often enough, cheaply, and to a file that others may read."""

from __future__ import annotations

import inspect
import os
import time
from pathlib import Path
from typing import Any

import pytest

from fertune.searching.observer import Observer
from fertune.trial import WorkerStatus
from fertune.watching import Pulse, Several, read_status
from fertune.watching.pulse import folder_bytes
from fertune.watching.status import NAME, write_status


class Crew:
    """An executor that only has workers."""

    slots = 2
    asked = 0

    def status(self) -> list[WorkerStatus]:
        self.asked += 1
        return [WorkerStatus(0, "trial-3-5", True, time.monotonic() - 7, 1000, 2, "cpu", 4), WorkerStatus(1)]


class Seen(Observer):
    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def workers(self, statuses: Any, memory: int = 0, disk: int | None = None) -> None:
        self.calls.append(("workers", (tuple(statuses), memory, disk)))

    def tick(self) -> None:
        self.calls.append(("tick", ()))

    def warned(self, text: str) -> None:
        self.calls.append(("warned", (text,)))


def test_several_observers_hear_everything() -> None:
    names = [name for name in vars(Observer) if not name.startswith("_")]
    heard: list[str] = []

    class Any_(Observer):
        pass

    for name in names:
        setattr(Any_, name, lambda self, *a, _name=name, **k: heard.append(_name))
    both = Several([Any_(), Any_()])
    for name in names:
        wanted = inspect.signature(getattr(Observer, name)).parameters.values()
        getattr(both, name)(*[None for p in wanted if p.name != "self" and p.default is p.empty])
    assert heard == [name for name in names for _ in range(2)]


def test_workers_are_told_at_most_twice_a_second_and_every_tick_goes_on(tmp_path: Path) -> None:
    seen, crew = Seen(), Crew()
    pulse = Pulse([seen], crew, tmp_path)
    for _ in range(50):
        pulse.tick()
    told = [args for name, args in seen.calls if name == "workers"]
    assert len(told) == crew.asked == 1 and len(seen.calls) == 51
    statuses, memory, disk = told[0]
    assert statuses[0].job_id == "trial-3-5" and memory > 1_000_000 and disk == 0


def test_the_file_says_what_others_want_to_know_and_goes_at_the_end(tmp_path: Path) -> None:
    pulse = Pulse([], Crew(), tmp_path)
    pulse.tick()
    status = read_status(tmp_path)
    assert status is not None and status.beat == 1 and abs(status.time - time.time()) < 5
    assert status.workers[0].job_id == "trial-3-5" and 6 < time.monotonic() - status.workers[0].since < 9
    assert status.workers[1].since == 0.0
    pulse.stop()
    pulse.tick()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"beat": 1}', '{"beat": 1, "time": 1, "workers": [3], "memory": 0}'])
def test_a_file_that_cannot_be_understood_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert read_status(tmp_path) is None


def test_a_disk_that_refuses_stops_nothing(tmp_path: Path) -> None:
    write_status(tmp_path / "nowhere", 1, [], 0, None)
    assert read_status(tmp_path / "nowhere") is None


def test_bytes_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "x").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "y").write_bytes(b"123")
    os.symlink("/", tmp_path / "a" / "root")
    assert folder_bytes(tmp_path) == 8 + (tmp_path / "a" / "root").lstat().st_size
    assert folder_bytes(tmp_path, most=3) is None
    assert folder_bytes(tmp_path / "nowhere") == 0
