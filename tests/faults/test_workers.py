"""What can happen to a worker, each once in a real process: classed, recorded, and the search goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fault_runner
import pretended
import pytest

import fertune
from fertune.api import sitting
from fertune.execution import ProcessExecutor
from fertune.execution.limits import Limits, fair_memory
from fertune.searching import Observer
from fertune.space import Int, Space
from fertune.store import read_journal
from fertune.trial import FailureKind

KINDS = {
    "good": None,
    "killed": FailureKind.OUT_OF_MEMORY,
    "killed once": None,
    "no memory": FailureKind.OUT_OF_MEMORY,
    "hangs": FailureKind.TIMED_OUT,
    "prints garbage": None,
    "nan": FailureKind.NAN_LOSS,
    "cannot be built": FailureKind.INVALID_SHAPE,
    "callback": FailureKind.CRASHED,
}
SPACE = Space("fates", [Int("filters_1", fault_runner.FIRST, fault_runner.FIRST + len(KINDS) - 1)])


def test_every_fate_is_classed_and_recorded_and_the_search_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def executor(where: Any, *, log_dir: Path) -> ProcessExecutor:
        return ProcessExecutor(
            workers=2, runner="fault_runner", log_dir=log_dir, limits=Limits(fair_memory(2), job_seconds=3.0)
        )

    monkeypatch.setattr(sitting, "make_executor", executor)
    run = fertune.search(
        SPACE, (pretended.PICTURES, pretended.LABELS), out=tmp_path / "run", tuner="grid", trials=20, max_epochs=4,
        observer=Observer(),
    )  # fmt: skip
    found = {fault_runner.fate_of(t.params): t for t in run.record.trials}
    assert {fate: t.failure.kind if t.failure else None for fate, t in found.items()} == KINDS
    retried = {x["trial"] for x in read_journal(run.path / "journal.jsonl") if x["event"] == "retried" and x["alone"]}
    assert retried == {found[fate].id for fate in ("killed", "killed once", "no memory")}
    once = found["killed once"]
    assert [row["epoch"] for row in once.history] == [1, 2, 3, 4], "it went on from its state, and nothing is missing"
    assert [row["epoch"] for row in found["nan"].history] == [1, 2]
    assert "epoch 3" in found["nan"].failure.message and "callback" in found["callback"].failure.message
    assert "KeyError" in found["callback"].failure.trace
    assert pretended.files(run.path) == sorted(
        f"{found[f].id}/model.keras" for f in ("good", "killed once", "prints garbage")
    )
    assert run.record.status == "finished"


def test_an_exception_in_the_coordinator_is_a_bug_and_shows_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: Any, **more: Any) -> Any:
        raise ZeroDivisionError("a slip of the pen")

    from fertune.cli import main

    monkeypatch.setattr(sitting, "make_executor", broken)
    code = main(["search", "--data", "builtin:digits", "--out", str(tmp_path / "run"), "--trials", "2", "--resume"])
    said = capsys.readouterr().err
    assert code == 70 and "Traceback" in said and "a slip of the pen" in said
    assert "a bug in fertune; finished trials are safe" in said and f"--out {tmp_path / 'run'} --resume" in said
