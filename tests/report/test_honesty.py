"""What was chosen on its own rows is marked so, a search shows no test figures, a report needs its folder only."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from fertune.report import build_report
from fertune.report.sections import sections_of
from fertune.store import RunFolder, open_record
from tests.report import fixtures
from tests.report.conftest import html, record

MARKS = ("optimistic", "rows used to choose")
SEARCHES = ["search-30", "search-1", "search-2", "search-running", "search-40-classes"]
SCORED = ("summary", "leaderboard", "progress", "curves", "rungs", "slices", "parallel", "confusion", "per-class",
          "gallery")  # fmt: skip


def section(name: str, id: str) -> str:
    found = re.search(rf'<section id="{id}".*?</section>', html(name), re.S)
    assert found is not None, id
    return found.group()


@pytest.mark.parametrize("name", SEARCHES)
def test_every_section_with_a_search_score_is_marked(name: str) -> None:
    for id in SCORED:
        text = section(name, id)
        if 'data-state="empty"' not in text.split(">")[0]:
            assert any(mark in text for mark in MARKS), id


class Spied(fixtures.MemorySearch):
    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        assert name != "test", "a search report reads no test rows"
        return super().arrays(name)


def test_a_search_report_reads_no_test_rows() -> None:
    assert build_report(Spied(**vars(record("search-2")))) == html("search-2")


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_report_holds_no_test_figure(name: str) -> None:
    text = html(name)
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.search(r"test (accuracy|picture|score)s?\b", shown, re.I)
    assert "test_accuracy" not in text


def test_out_of_fold_figures_are_marked_where_no_test_rows_are() -> None:
    assert "optimistic" in section("stack-no-test", "comparison")
    assert "out of fold" in section("stack-no-test", "summary").replace("out-of-fold", "out of fold")


@pytest.mark.parametrize("tested", [True, False])
def test_members_that_a_search_chose_on_the_out_of_fold_rows_are_marked(tested: bool) -> None:
    parts = {s.id: s for s in sections_of(fixtures.stack(labels=tested, chosen="greedy", cv=5))}
    marked = {id for id, part in parts.items() if "optimistic" in part.chips}
    always = {"members", "meta", "leaderboard"}
    assert marked == (always if tested else always | {"summary", "comparison"}), "test figures are not optimistic"
    for id in always | {"comparison"}:
        assert "members of leaky_cnn-01, relu_cnn-01 are the best of many on the rows that chose them" in parts[id].how


def test_members_of_other_searches_are_not() -> None:
    assert not any("optimistic" in s.chips for s in sections_of(record("stack-helped")))
    unfinished = sections_of(fixtures.stack(done=False, cv=5))
    assert {s.id for s in unfinished if "optimistic" in s.chips} == {"leaderboard"}


def stored(path: Path) -> Path:
    """A small search on disk, without models and without its data set."""
    made = fixtures.search(4)
    folder = RunFolder.create(path, {k: v for k, v in made.info.items() if k != "protocol"})
    folder.journal.write("session", trials=4, workers=1)
    for trial in made.trials:
        folder.journal.write(
            "asked", trial=trial.id, ticket=trial.id, params=trial.params, budget=9, continues=None, tags={}
        )
        folder.journal.write("told", trial=trial.id, ticket=trial.id, outcome="completed", value=trial.value, note="",
                             best_epoch=trial.best_epoch, epochs=9, seconds=58.0, parameters=9000)  # fmt: skip
    folder.journal.write("ended", status="finished", reason="all 4 trials were asked for")
    for name, arrays in made.stored.items():
        np.savez(path / f"{name}.npz", **arrays)
    folder.close()
    return path


def test_rebuilt_from_a_moved_read_only_folder_it_is_the_same(tmp_path: Path) -> None:
    first = build_report(open_record(stored(tmp_path / "runs" / "leaky-01")))
    moved = tmp_path / "somewhere else" / "leaky-01"
    shutil.move(tmp_path / "runs" / "leaky-01", moved)
    (moved / "lock").unlink(missing_ok=True)
    before = sorted(p.name for p in moved.iterdir())
    for path in (*moved.iterdir(), moved):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert build_report(open_record(moved)) == first
        assert sorted(p.name for p in moved.iterdir()) == before
    finally:
        moved.chmod(0o755)
