"""What every report must be, whatever the run is like."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fertune.report import build_report, write_report
from fertune.report.words import MINUS
from tests.report import fixtures
from tests.report.conftest import html, page, record

DEMANDED = {
    "leaderboard", "curves", "parallel", "importance", "failures", "comparison", "confusion", "per-class", "gallery",
    "reproduce",
}  # fmt: skip
OF_A_SEARCH = DEMANDED | {"summary", "progress", "rungs", "slices", "data"}
OF_A_STACK = DEMANDED | {"summary", "data", "members", "meta", "cost", "audit", "calibration", "mistakes"}


def test_the_sections_stand_once_each(name: str) -> None:
    wanted = OF_A_SEARCH if name.startswith("search") else OF_A_STACK
    assert set(page(name).sections) == wanted
    assert all(s["data-state"] in ("full", "thin", "empty") for s in page(name).sections.values())


def test_no_id_twice_and_every_link_lands(name: str) -> None:
    ids = page(name).ids
    assert sorted(ids) == sorted(set(ids))
    assert set(page(name).links) <= set(ids)
    assert set(page(name).labelled) <= set(ids)


def test_well_formed(name: str) -> None:
    assert page(name).faults == []
    assert page(name)._open == []
    assert html(name).startswith("<!DOCTYPE html>")


def test_one_h1_and_no_level_skipped(name: str) -> None:
    levels = [int(h[1]) for h in page(name).headings]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_nothing_is_asked_of_another_place(name: str) -> None:
    assert page(name).outside == []
    assert page(name).handlers == []
    assert "<link" not in html(name)
    assert "default-src 'none'" in html(name)


def test_the_policy_names_the_script(name: str) -> None:
    script = html(name).rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html(name)
    assert page(name).scripts == [{"type": "application/json", "id": "fertune-data"}, {}]


def test_svg_colours_follow_the_theme(name: str) -> None:
    body = html(name).split("</style>", 1)[1]
    markup = "".join(re.findall(r"<svg.*?</svg>", body, re.S))
    assert not re.findall(r"(?:fill|stroke|color)[^;\"]{0,4}#[0-9a-fA-F]{3,8}\b", markup)
    defined = set(re.findall(r"--([a-z0-9-]+):", html(name).split("</style>")[0]))
    for paint in page(name).paints:
        assert paint == "none" or re.fullmatch(r"var\(--([a-z0-9-]+)\)|url\(#.*\)", paint), paint
        if paint.startswith("var"):
            assert paint[6:-1] in defined


def test_every_figure_has_a_title_and_a_description(name: str) -> None:
    body = html(name).split("</style>", 1)[1]
    for tag, inside in re.findall(r'(<svg [^>]*role="img"[^>]*>)(.{0,80})', body):
        assert "aria-label=" in tag or inside.startswith("<title id="), tag


def test_every_section_says_what_it_found(name: str) -> None:
    findings = re.findall(r'<p class="finding">(.*?)</p>', html(name), re.S)
    assert len(findings) == len(page(name).sections)
    for sentence in findings:
        assert sentence.strip().endswith("."), sentence
        assert not re.search(r"\b1 (trials|rows|pictures|epochs|members|others|copies)\b", sentence), sentence


def test_no_number_is_missing_in_a_sentence(name: str) -> None:
    text = page(name).text("main")
    assert not re.search(rf"\b(nan|None(?! of)|inf|Traceback|Undefined)\b|[-{MINUS}]0\.0+\b(?!\d)", text)


def test_an_empty_section_names_a_command(name: str) -> None:
    for part in re.findall(r'<section id="([\w-]+)" data-state="empty".*?</section>', html(name), re.S):
        whole = re.search(rf'<section id="{part}".*?</section>', html(name), re.S)
        assert whole is not None
        if part != "failures":
            assert re.search(r"fertune\s", re.sub("<[^>]*>", "", whole.group())), part


def test_under_five_megabytes(name: str) -> None:
    assert len(html(name).encode()) < 2_000_000


def test_no_user_no_path(name: str) -> None:
    assert "/home" not in html(name)
    assert "/ann" not in html(name)


@pytest.mark.parametrize("name", ["search-30", "stack-helped"])
def test_the_same_run_gives_the_same_bytes_wherever_it_lies(name: str) -> None:
    again = fixtures.MAKERS[name]()
    assert build_report(replace(again, folder=Path("/somewhere/else") / again.folder.name)) == html(name)


@pytest.mark.parametrize("name", ["search-2", "stack-one-member"])
def test_without_pictures_none_is_in_the_file(name: str) -> None:
    text = build_report(record(name), pictures=False)
    assert "data:image" not in text
    assert "--no-pictures" in text


def test_the_stored_numbers_are_in_the_page() -> None:
    for name in ("search-30", "stack-helped"):
        stored = html(name).split('id="fertune-data">')[1].split("</script>")[0]
        assert json.loads(stored) == json.loads(json.dumps(record(name).to_json()))


def test_optimistic_stands_by_what_was_chosen_on() -> None:
    for part in ("summary", "leaderboard"):
        section = re.search(rf'<section id="{part}".*?</section>', html("search-30"), re.S)
        assert section is not None
        assert "optimistic" in section.group()
    for part in ("confusion", "per-class", "gallery"):
        section = re.search(rf'<section id="{part}".*?</section>', html("search-30"), re.S)
        assert section is not None
        assert "rows used to choose" in section.group()


def test_written_whole(tmp_path: Path) -> None:
    path = write_report(record("search-1"), tmp_path / "deep" / "report.html")
    assert path.read_text("utf-8") == html("search-1")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


@pytest.mark.slow
def test_a_thousand_trials() -> None:
    many = fixtures.search(1000)
    text = build_report(many)
    assert len(text.encode()) < 5_000_000
    assert fixtures.html_sections(text) == OF_A_SEARCH
