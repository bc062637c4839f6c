"""Text from users is text: as class, parameter, run and member name, as message and as path."""

from __future__ import annotations

import html as html_module
import re

import pytest

from fertune.report.page import embedded
from fertune.report.words import fitted, line, short, visible, width_of, without_paths
from tests.report.conftest import html, page

NASTY = ["search-nasty", "stack-nasty"]


@pytest.mark.parametrize("name", NASTY)
def test_a_script_in_a_name_is_text(name: str) -> None:
    assert "<script>alert" not in html(name)
    assert "alert(1)</script>" not in html(name)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html(name)
    assert html(name).count("<script") == 2
    assert "<script>alert(1)</script>" in page(name).text("main")


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("word", ["$x$", "_a", "[/red]", "\U0001f600", "a\\u202eb\\x1b[31m"])
def test_odd_names_are_shown(name: str, word: str) -> None:
    assert word in html_module.unescape(html(name))


@pytest.mark.parametrize("name", NASTY)
def test_no_control_or_direction_character_is_left(name: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html(name))


@pytest.mark.parametrize("name", NASTY)
def test_two_hundred_letters_are_cut_in_figures(name: str) -> None:
    assert "w" * 60 not in "".join(re.findall(r"<text.*?</text>", html(name), re.S))


def test_json_cannot_end_its_element() -> None:
    text = str(embedded({"a": "</script><!-- & \u2028", "b": float("nan"), "c": [float("inf"), 1.5]}))
    assert text == '{"a":"\\u003c/script\\u003e\\u003c!-- \\u0026 \\\\u2028","b":null,"c":[null,1.5]}'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/home/ann/data/fer.csv", "fer.csv"),
        ("--data /home/ann/fer.csv --trials 3", "--data fer.csv --trials 3"),
        ("--data=/home/ann/fer.csv", "--data=fer.csv"),
        ("C:\\Users\\ann\\fer.csv", "fer.csv"),
        ("~/data/fer.csv", "fer.csv"),
        ('File "/home/ann/x.py", line 3', 'File "x.py", line 3'),
        ("/root", "root"),
        ("runs/leaky-01", "runs/leaky-01"),
        ("48/2 and a / b", "48/2 and a / b"),
        ("x / 255", "x / 255"),
        ("[/red]", "[/red]"),
        ("https://host/a/b", "https://host/a/b"),
    ],
)
def test_absolute_paths_keep_their_last_name(text: str, wanted: str) -> None:
    assert without_paths(text) == wanted


def test_visible() -> None:
    assert visible("a\x1b[31mb\u202e\ud800") == "a\\x1b[31mb\\u202e\\ud800"
    assert line("a\nb\t c") == "a b c"


def test_short_and_fitted() -> None:
    assert short("abc", 24) == "abc"
    assert len(short("w" * 200, 24)) == 24
    assert short("leaky_cnn with a long tail 7", 16).endswith("7")
    assert width_of(fitted("W" * 200, 100)) <= 100
    assert fitted("angry", 100) == "angry"
