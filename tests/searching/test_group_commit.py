"""One wait for the disk a turn: but never a job, nor a dropped file, ahead of its line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fertune.searching import Search
from fertune.store import Journal
from fertune.trial import OBJECTIVES, Trial
from tests.searching.scripted import ScriptedJob, ScriptedSearcher, VirtualExecutor


class Noting(VirtualExecutor):
    """Notes what it is handed."""

    def __init__(self, seen: list[str], slots: int) -> None:
        super().__init__(slots)
        self._seen = seen

    def submit(self, job: Any) -> None:
        self._seen.append(f"submit {job.ticket}")
        super().submit(job)


@pytest.mark.parametrize("slots", [1, 4])
def test_lines_are_on_the_disk_before_jobs_start_and_files_go(
    slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    seen: list[str] = []
    write, sync = journal.write, os.fsync

    def noted(event: str, **fields: Any) -> Any:
        seen.append(f"{event} {fields.get('ticket', '')}")
        return write(event, **fields)

    def synced(handle: int) -> None:
        seen.append("disk")
        sync(handle)

    def dropped(trial: Trial) -> None:
        seen.append(f"drop {trial.id}")

    monkeypatch.setattr(journal, "write", noted)
    monkeypatch.setattr(os, "fsync", synced)
    searcher = ScriptedSearcher(12, promote=3)
    Search(
        searcher=searcher, executor=Noting(seen, slots), journal=journal,
        make_job=ScriptedJob, objective=OBJECTIVES["val_accuracy"], on_trial_end=dropped,
    ).run()  # fmt: skip
    started = 0
    for at, what in enumerate(seen):
        if what.startswith("submit"):
            line = seen.index(f"asked {what.split()[1]}")
            assert "disk" in seen[line:at]
            started += 1
        elif what.startswith("drop"):
            told = max(i for i in range(at) if seen[i].startswith("told"))
            assert "disk" in seen[told:at]
    assert started == len(searcher.told) > 12
    assert sum(1 for what in seen if what.startswith("drop")) == started
    lasting = sum(1 for what in seen if what.split()[0] in ("asked", "told"))
    assert seen.count("disk") < lasting, "one wait for each line"
