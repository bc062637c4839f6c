"""A journal read on while somebody writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fertune.errors import RunError
from fertune.watching.tail import Tail


def line(n: int, **more: object) -> bytes:
    return json.dumps({"event": "epoch", "time": float(n), "step": n, **more}).encode() + b"\n"


def steps(lines: list[dict]) -> list[int]:
    return [row["step"] for row in lines]


def test_each_line_comes_once_and_a_half_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_bytes(line(1) + line(2) + line(3)[:9])
    assert steps(tail.read()) == [1, 2]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(line(3)[9:] + line(4, text="ä" * 9))
    assert steps(tail.read()) == [3, 4]
    assert tail.offset == path.stat().st_size


def test_a_torn_line_that_a_resume_cuts_off_is_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(line(1) + line(2)[:9])
    tail = Tail(path)
    tail.read()
    path.write_bytes(line(1) + line(5))
    assert steps(tail.read()) == [5]


def test_long_files_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.watching.tail.CHUNK", 16)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(line(n) for n in range(50)))
    assert steps(Tail(path).read()) == list(range(50))


@pytest.mark.parametrize("bad", [b"{}\n", b"[1]\n", b"garbage\n", b'{"event": "x"\n', b"\x00\x00\n"])
def test_a_whole_line_that_is_none_is_told_with_its_place(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "run" / "journal.jsonl"
    path.parent.mkdir()
    path.write_bytes(line(1) + bad)
    with pytest.raises(RunError, match=f"run is damaged at byte {len(line(1))}"):
        Tail(path).read()
