"""Journal, run folder, whole-file writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fertune.errors import RunError
from fertune.store import PROTOCOL, Journal, RunFolder, open_record, read_journal, write_arrays, write_json
from fertune.store.folder import free_name

SEARCH = {
    "kind": "search",
    "objective": {"name": "val_accuracy", "direction": "max"},
    "engine": "random",
    "space": {"name": "tiny", "params": []},
    "options": {},
    "resume": "fertune search --out x --resume",
}


def test_lines_come_back_in_order_and_nan_is_null(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.write("epoch", value=float("nan"), logs={"loss": float("inf"), "ok": np.float32(0.5)})
    journal.write("told", trial=3)
    lines = read_journal(tmp_path / "j.jsonl")
    assert [x["event"] for x in lines] == ["epoch", "told"]
    assert lines[0]["value"] is None and lines[0]["logs"] == {"loss": None, "ok": 0.5}


@pytest.mark.parametrize("tail", [b'{"event": "told", "tri', b"\x00\x00\x00", b'{"event": "x"}', b"[1, 2]\n"])
def test_a_torn_last_line_is_dropped_and_writing_goes_on(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path)
    journal.write("a")
    journal.close()
    with path.open("ab") as file:
        file.write(tail)
    assert [x["event"] for x in read_journal(path)] == ["a"]
    again = Journal(path)
    again.write("b")
    assert [json.loads(x)["event"] for x in path.read_text().splitlines()] == ["a", "b"]


def test_damage_in_the_middle_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "run" / "j.jsonl"
    path.parent.mkdir()
    path.write_text('{"event": "a"}\nrubbish\n{"event": "b"}\n')
    with pytest.raises(RunError, match="line 2"):
        read_journal(path)


def test_a_run_is_made_once(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", SEARCH).close()
    with pytest.raises(RunError, match="holds a run already"):
        RunFolder.create(tmp_path / "r", SEARCH)
    (tmp_path / "full").mkdir()
    for name in ("letter.txt", "locksmiths.txt"):
        (tmp_path / "full" / name).write_text("mine")
        with pytest.raises(RunError, match="not an empty folder"):
            RunFolder.create(tmp_path / "full", SEARCH)
        assert [p.name for p in (tmp_path / "full").iterdir()] == [name]
        (tmp_path / "full" / name).unlink()


def test_two_processes_never_hold_one_run_and_a_dead_one_holds_none(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from fertune.store import RunFolder\n"
        f"f = RunFolder.create(Path({str(tmp_path / 'r')!r}), {SEARCH!r})\n"
        "print('held', flush=True); sys.stdin.readline(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == "held\n"
    with pytest.raises(RunError, match="another process"):
        RunFolder.reopen(tmp_path / "r")
    assert open_record(tmp_path / "r").info["kind"] == "search", "but it can be looked at"
    child.stdin.write("\n")
    child.stdin.flush()
    child.wait(timeout=30)
    RunFolder.reopen(tmp_path / "r").close()


def test_a_newer_protocol_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "r" / "run.json", {**SEARCH, "protocol": PROTOCOL + 1})
    with pytest.raises(RunError, match="protocol"):
        open_record(tmp_path / "r")


def test_a_missing_run_names_the_runs_beside_it(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "leaky-01", SEARCH).close()
    with pytest.raises(RunError, match="no run at") as caught:
        open_record(tmp_path / "leaky-02")
    assert "leaky-01" in (caught.value.help or "")


def test_no_object_array_is_ever_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="pickle"):
        write_arrays(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="JSON|float"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_free_name_counts_up(tmp_path: Path) -> None:
    assert free_name(tmp_path, "s").name == "s-01"
    (tmp_path / "s-01").mkdir()
    assert free_name(tmp_path, "s").name == "s-02"
