"""Long journals are read in large pieces; what is damaged is told as before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fertune.errors import RunError
from fertune.store import Journal, journal, read_journal
from fertune.store.journal import lines_of


def written(path: Path, count: int) -> list[str]:
    lines = [json.dumps({"event": "epoch", "time": 1.0, "step": i}) + "\n" for i in range(count)]
    path.write_text("".join(lines), "utf-8")
    return lines


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25])
def test_pieces_join_to_the_whole(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "TOGETHER", 10)
    path = tmp_path / "journal.jsonl"
    lines = written(path, count)
    assert [line["step"] for line in read_journal(path)] == list(range(count))
    path.write_text("".join(lines) + '{"event": "told", "ti', "utf-8")
    assert len(read_journal(path)) == count
    assert len(list(lines_of(path))) == count


@pytest.mark.parametrize("at", [0, 9, 10, 17])
@pytest.mark.parametrize("bad", ["nonsense\n", '{"no": "event"}\n', '{"event": "a"}, {"event": "b"}\n'])
def test_a_damaged_line_is_told_by_its_number(
    at: int, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "TOGETHER", 10)
    path = tmp_path / "journal.jsonl"
    lines = written(path, 25)
    path.write_text("".join([*lines[:at], bad, *lines[at + 1 :]]), "utf-8")
    with pytest.raises(RunError, match=f"is damaged at line {at + 1}:"):
        read_journal(path)
    assert len(list(lines_of(path))) == at


def test_one_wait_serves_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(os, "fsync", waits.append)
    book = Journal(tmp_path / "journal.jsonl")
    for step in range(5):
        book.write("told", wait=False, step=step)
    assert waits == []
    assert len(read_journal(book.path)) == 5, "a killed process leaves them all"
    book.sync()
    book.sync()
    assert len(waits) == 1
    book.write("epoch", lasting=False)
    book.sync()
    assert len(waits) == 1
    book.write("ended")
    assert len(waits) == 2
