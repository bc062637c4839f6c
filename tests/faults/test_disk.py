"""A disk that is full or may not be written to: one message, nothing lost, and the search goes on afterwards."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pretended
import pytest

from fertune.errors import RunError
from fertune.searching import Observer
from fertune.store import Journal, open_record, read_journal


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file may grow beyond ``size``; a write beyond it is cut short, and the next one refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)], capture_output=True
        ).returncode
    ):
        pytest.skip("cannot mount a disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_line_that_does_not_fit_leaves_the_journal_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    journal.write("told", trial=0)
    with largest_file(200), pytest.raises(RunError, match="cannot write to run: File too large"):
        journal.write("told", trial=1, note="x" * 1000)
    assert [x["trial"] for x in read_journal(journal.path)] == [0]
    assert journal.path.read_bytes().endswith(b"\n"), "no part of the line is left"
    journal.write("told", trial=2)
    journal.close()
    assert [x["trial"] for x in read_journal(journal.path)] == [0, 2]


def test_a_search_whose_journal_cannot_grow_ends_with_one_message_and_goes_on_later(tmp_path: Path) -> None:
    pretended.search(tmp_path / "quiet", trials=8)
    with pytest.raises(pretended.Killed):
        pretended.search(tmp_path / "run", trials=8, fate=pretended.killed_at(4))
    size = (tmp_path / "run" / "journal.jsonl").stat().st_size
    with largest_file(size + 3000), pytest.raises(RunError) as caught:
        pretended.search(tmp_path / "run", trials=8)
    assert "cannot write to" in caught.value.message and "make room" in (caught.value.help or "")
    assert sum(t.value is not None for t in open_record(tmp_path / "run").trials) >= 3
    pretended.search(tmp_path / "run", trials=8)
    assert pretended.reading(tmp_path / "run") == pretended.reading(tmp_path / "quiet")


def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    pretended.search(tmp_path / "quiet", trials=8)
    with pytest.raises(pretended.Killed):
        pretended.search(small_disk / "run", trials=8, fate=pretended.killed_at(4))
    room = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(b"x" * (room - 4096))
    with pytest.raises(RunError, match="cannot write to .*No space left on device"):
        pretended.search(small_disk / "run", trials=8)
    (small_disk / "ballast").unlink()
    pretended.search(small_disk / "run", trials=8)
    found, quiet = pretended.reading(small_disk / "run"), pretended.reading(tmp_path / "quiet")
    assert [(t[2], t[3], t[6]) for t in found] == [(t[2], t[3], t[6]) for t in quiet]


def test_a_disk_without_room_for_a_new_run_makes_none(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 8192))
    with pytest.raises(RunError, match="No space left on device"):
        pretended.search(small_disk / "run", trials=2)
    assert not (small_disk / "run").exists()


def test_a_run_on_a_disk_turned_read_only_is_read_and_not_resumed(small_disk: Path) -> None:
    pretended.search(small_disk / "run", trials=3)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(RunError, match="cannot write to .*Read-only file system") as caught:
        pretended.search(small_disk / "run", trials=6)
    assert "write access" in (caught.value.help or "")
    assert len(pretended.reading(small_disk / "run")) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_access_is_read_and_not_resumed(tmp_path: Path) -> None:
    pretended.search(tmp_path / "run", trials=3)
    (tmp_path / "run").chmod(0o500)
    try:
        with pytest.raises(RunError, match="cannot write to"):
            pretended.search(tmp_path / "run", trials=6)
        assert len(pretended.reading(tmp_path / "run")) == 3
    finally:
        (tmp_path / "run").chmod(0o700)


class Listening(Observer):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, text: str) -> None:
        if text.startswith("--max-disk"):
            self.warnings.append(text)


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_a_limit_of_the_folder_holds_and_is_said_once(tmp_path: Path, tuner: str, monkeypatch: Any) -> None:
    heard, sizes = Listening(), []
    limit = 10**6

    def watched(self: Any, trial: Any) -> None:
        ended(self, trial)
        sizes.append(sum(p.stat().st_size for p in (tmp_path / "run").rglob("*") if p.is_file()))

    from fertune.store.checkpoints import Checkpoints

    ended = Checkpoints.ended
    monkeypatch.setattr(Checkpoints, "ended", watched)
    monkeypatch.setattr(pretended, "MODEL", 400_000)
    run = pretended.search(tmp_path / "run", tuner=tuner, trials=20, max_disk="1MB", observer=heard)
    assert max(sizes) <= limit, "the journal, pictures and models together"
    assert (
        len(heard.warnings) == len(set(heard.warnings))
        and "--max-disk 1 MB: fewer models are kept than the best few" in heard.warnings
    )
    assert not any("alone" in text for text in heard.warnings)
    assert (run.path / "trials" / str(run.best.id) / "model.keras").exists(), "the best one stays"
