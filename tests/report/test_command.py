"""``fertune report``: formats, stdout, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fertune import api
from fertune.cli import main
from fertune.errors import ConfigError
from tests.report import fixtures


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> fixtures.MemorySearch:
    """Every path leads to one search in memory."""
    made = fixtures.search(2)
    for where in ("fertune.api.runs.open_record", "fertune.api.runs.open_head", "fertune.store.open_record"):
        monkeypatch.setattr(where, lambda path: made)
    return made


def code_of(*words: str) -> int:
    try:
        return int(main(list(words)) or 0)
    except SystemExit as end:
        return int(end.code or 0)


def test_the_end_of_the_file_says_the_format(
    stored: fixtures.MemorySearch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, begins in (("a.html", "<!DOCTYPE html>"), ("a.md", "# leaky-01"), ("a.json", "{"), ("a.txt", "<!DOC")):
        assert code_of("report", "x", "-o", str(tmp_path / name)) == 0
        assert (tmp_path / name).read_text("utf-8").startswith(begins)
        assert capsys.readouterr().out.strip() == str(tmp_path / name)
    assert (tmp_path / "a_figures" / "data.svg").exists()


def test_on_stdout(stored: fixtures.MemorySearch, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("report", "x", "--format", "json", "-o", "-") == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "report"
    assert code_of("report", "x", "--format", "markdown", "-o", "-") == 0
    text = capsys.readouterr().out
    assert text.startswith("# leaky-01")
    assert "![" not in text


def test_an_unknown_format_is_refused(stored: fixtures.MemorySearch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no report format 'markdwn'; did you mean 'markdown'"):
        api.runs.SearchRun(tmp_path).report(tmp_path / "x", format="markdwn")
    assert code_of("report", "x", "--format", "pdf") == 2
    assert not list(tmp_path.iterdir())


def test_a_run_shows_itself(stored: fixtures.MemorySearch, tmp_path: Path) -> None:
    run = api.runs.SearchRun(tmp_path)
    assert repr(run).startswith("Search finished: 2 trials")
    assert "optimistic" in run._repr_html_()
    assert run.figures["curves"].svg.startswith("<svg")
    assert list(run.tables["leaderboard"].frame()["rank"]) == [1, 2]
