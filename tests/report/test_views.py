"""Figures and tables one by one, and what a notebook shows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fertune.errors import RunError
from fertune.report import Figures, Tables, notebook_html
from fertune.report.standalone import drawable
from fertune.report.views import NoSuchPart
from tests.report.conftest import record


def test_a_figure_is_an_svg_that_needs_nothing_else(tmp_path: Path) -> None:
    figure = Figures(record("search-30"))["slices"]
    assert figure._repr_svg_() == figure.svg
    root = ElementTree.fromstring(figure.svg)
    assert root.find("{http://www.w3.org/2000/svg}desc").text == figure.finding
    assert "var(" not in figure.svg
    assert figure.save(tmp_path / "deep" / "slices.svg").read_text("utf-8") == figure.svg
    with pytest.raises(RunError, match=r"slices.png: figures are written as .svg only"):
        figure.save(tmp_path / "slices.png")
    assert repr(figure).startswith("<figure slices: The best tenth")


def test_two_runs_in_one_notebook_share_no_id() -> None:
    drawn = [Figures(record(n))["confusion"].svg for n in ("search-30", "search-nasty")]
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in drawn]
    assert not ids[0] & ids[1] or ids[0] == ids[1]


def test_only_what_is_asked_for_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    from fertune.report import sections

    def never(*_: object) -> None:
        raise AssertionError("built without being asked for")

    monkeypatch.setattr(sections.importance, "section", never)
    monkeypatch.setattr(sections.curves, "section", never)
    assert Tables(record("search-30"))["leaderboard"].frame()["trial"].is_unique


def test_unknown_names_are_told_with_the_nearest() -> None:
    figures, tables = Figures(record("search-2")), Tables(record("search-2"))
    with pytest.raises(NoSuchPart, match="no figure 'curvs'; did you mean 'curves'"):
        figures["curvs"]
    with pytest.raises(NoSuchPart, match="section importance of this run has no figure: "):
        figures["importance"]
    with pytest.raises(NoSuchPart, match="no table 'leaderbord'; did you mean 'leaderboard'"):
        tables["leaderbord"]
    with pytest.raises(NoSuchPart, match="leaderboard of this run has no table leaderboard-2: it has leaderboard"):
        tables["leaderboard-2"]
    assert figures.get("importance") is None
    assert "curves" in figures
    assert "importance" not in figures
    assert "nonsense" not in figures


def test_the_keys_are_what_there_is() -> None:
    figures, tables = Figures(record("stack-one-member")), Tables(record("stack-one-member"))
    assert list(figures) == [s for s in figures._plan if drawable(figures._plan[s]())]
    assert len(tables) == len(list(tables)) > 5
    assert [t for t in tables if t.startswith("audit")] == ["audit", "audit-2", "audit-3"]
    assert "leaderboard" in repr(tables)


def test_a_table_keeps_numbers(tmp_path: Path) -> None:
    import pandas as pd

    stored = record("search-30")
    table = Tables(stored)["leaderboard"]
    frame = table.frame()
    best = stored.best
    assert best is not None
    assert frame["accuracy"].max() == best.value
    assert frame.loc[frame["trial"] == best.id, "time"].item() == best.seconds
    again = pd.read_csv(table.save(tmp_path / "board.csv"))
    assert list(again.columns) == list(frame.columns)
    assert again["accuracy"].tolist() == pytest.approx(frame["accuracy"].tolist())
    with pytest.raises(RunError, match="written as .csv only"):
        table.save(tmp_path / "board.xlsx")


class Strict(HTMLParser):
    """Tags that open and close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(k.startswith("on") for k, _ in attrs)
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["search-nasty", "search-0", "search-all-failed", "stack-nasty", "stack-unfinished"])
def test_a_notebook_gets_plain_html(name: str) -> None:
    text = notebook_html(record(name))
    page = Strict()
    page.feed(text)
    assert page.open == []
    assert not page.seen & {"script", "style", "link"}
    assert "prefers-color-scheme" not in text
    assert not re.search(r"[^-]color:\s*#", text)
    assert not re.search(r"\b(nan|None)\b", text)


def test_what_a_notebook_shows_of_a_search_and_of_a_stack() -> None:
    search = notebook_html(record("search-30"))
    assert "optimistic" in search
    assert search.count("<tr>") == 6
    stack = notebook_html(record("stack-tie"))
    assert "No difference that these" in stack
    assert stack.count("data:image/svg+xml;base64,") == 1
