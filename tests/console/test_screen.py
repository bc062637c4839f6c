"""Which stream gets colour and movement, and that no line is wider than it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fertune.console.screen import Screen, has_colour, is_live
from tests.console.factory import Stream

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("terminal", "env", "live", "colour"),
    [
        (True, XTERM, True, True),
        (False, XTERM, False, False),
        (True, {"TERM": "dumb"}, False, False),
        (True, {**XTERM, "CI": "true"}, False, True),
        (True, {**XTERM, "NO_COLOR": "1"}, True, False),
        (True, {**XTERM, "NO_COLOR": ""}, True, True),
        (False, {**XTERM, "FORCE_COLOR": "1"}, False, True),
        (False, {**XTERM, "FORCE_COLOR": "0"}, False, False),
        (False, {**XTERM, "FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_who_gets_movement_and_colour(terminal: bool, env: dict[str, str], live: bool, colour: bool) -> None:
    assert is_live(Stream(terminal), env) is live
    assert has_colour(Stream(terminal), env) is colour


def test_a_closed_stream_is_no_terminal() -> None:
    stream = Stream(False)
    stream.close()
    assert is_live(stream, XTERM) is False


def test_width_follows_columns_where_piped() -> None:
    assert Screen(Stream(), {"COLUMNS": "60"}).width == 60
    assert Screen(Stream(), {"COLUMNS": "wide"}).width == 100


@given(st.text(st.characters(categories=("L", "N", "P", "Zs", "So")), max_size=300), st.integers(20, 120))
def test_folding_keeps_every_word_and_never_is_too_wide(text: str, width: int) -> None:
    screen = Screen(Stream(), {}, width)
    lines = screen.fold(screen.text(text), "  ")
    assert all(cell_len(line.plain) <= width for line in lines)
    assert "".join("".join(line.plain for line in lines).split()) == "".join(text.split())


@given(st.text(st.characters(categories=("L", "N", "So")), max_size=60), st.integers(0, 40))
def test_cutting_never_is_too_wide(text: str, width: int) -> None:
    screen = Screen(Stream(), {}, 80)
    assert screen.cut(screen.text(text), width).cell_len <= width


def test_colour_is_one_of_the_sixteen_names() -> None:
    stream = Stream()
    screen = Screen(stream, {"FORCE_COLOR": "1", "COLORTERM": "truecolor"})
    screen.line(screen.text("gone", "red"))
    screen.line(screen.text("error: ", "red").append_text(screen.text("why")))
    assert stream.getvalue() == "\x1b[31mgone\x1b[0m\n\x1b[31merror: \x1b[0mwhy\n"


def test_nothing_is_read_as_markup_or_emoji() -> None:
    stream = Stream()
    screen = Screen(stream, {})
    screen.line(screen.text("[/x] [bold]a :smile: 12"))
    assert stream.getvalue() == "[/x] [bold]a :smile: 12\n"
