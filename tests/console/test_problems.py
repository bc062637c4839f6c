"""Errors, interruptions, bugs, and the tables of spaces."""

from __future__ import annotations

import pytest

from fertune.console import print_bug, print_error, print_interrupted, space_details, spaces_table
from fertune.errors import DataError, Interrupted
from fertune.space import Bool, Choice, Float, Int, Space
from tests.console.factory import Stream, wide


def test_an_error_is_what_came_every_fault_and_what_to_type() -> None:
    error = DataError(
        "fer2013.csv has 3 bad rows; nothing was written",
        details=[f"line {n}, pixels: 2,303 values where 48 x 48 = 2,304 are needed" for n in range(2, 27)],
        help="mend these lines, or leave them out",
    )
    stream = Stream()
    print_error(error, stream, {})
    lines = stream.getvalue().split("\n")
    assert lines[0] == "error: fer2013.csv has 3 bad rows; nothing was written"
    assert lines[1] == "  line 2, pixels: 2,303 values where 48 x 48 = 2,304 are needed"
    assert lines[21:] == ["  and 5 more", "help: mend these lines, or leave them out", ""]


def test_an_error_is_folded_on_a_terminal_only() -> None:
    error = DataError("no file at " + "/a/long/folder" * 9 + "; give a csv, a folder, or an npz")
    piped, terminal = Stream(), Stream(terminal=True)
    print_error(error, piped, {"COLUMNS": "60"})
    print_error(error, terminal, {"TERM": "xterm", "COLUMNS": "60"})
    assert piped.getvalue().count("\n") == 1
    assert wide(terminal.getvalue()) <= 60 and terminal.getvalue().count("\n") > 1


def test_what_users_typed_cannot_steer_the_terminal() -> None:
    stream = Stream(terminal=True)
    print_error(
        DataError("no space named '[/x]\x1b]0;title\x07'", details=["\x1b[2J"], help="\u202e"),
        stream,
        {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80"},
    )
    assert "[/x]\\x1b]0;title\\x07" in stream.getvalue() and "\x1b[2J" not in stream.getvalue()


def test_an_interruption_gives_the_command_that_goes_on() -> None:
    stream = Stream()
    print_interrupted(
        Interrupted("Interrupted after 3 trials", signum=2, resume="fertune search --out r --resume"), stream, {}
    )
    assert stream.getvalue() == "Interrupted after 3 trials\nhelp: fertune search --out r --resume\n"


def test_a_bug_keeps_its_traceback() -> None:
    stream = Stream()
    try:
        raise ZeroDivisionError("division\x1b by zero")
    except ZeroDivisionError as error:
        print_bug(error, "fertune search --out r --resume", stream, {})
    text = stream.getvalue()
    assert text.startswith("Traceback") and "test_problems.py" in text and "\\x1b by zero" in text
    assert text.endswith(
        "error: a bug in fertune; finished trials are safe\nhelp: fertune search --out r --resume    # goes on\n"
    )


def spaces() -> list[Space]:
    params = [
        Int("blocks", 2, 4),
        Choice("activation", ["relu", "elu"]),
        Bool("norm"),
        Float("momentum", 0.8, 0.99, when={"norm": (True,)}),
    ]
    return [
        Space("small", [Bool("norm")], summary="two points"),
        Space(
            "other_space",
            params,
            fixed={"dense_units": 64},
            recipe={"loss": "x"},
            tuner="tpe",
            summary="a [/x] summary \x1b that is long enough to be cut where the screen has no room for it at all",
        ),
    ]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_spaces_are_listed_within_the_width(width: int) -> None:
    stream = Stream()
    spaces_table(spaces(), stream, {"COLUMNS": str(width)})
    text = stream.getvalue()
    assert wide(text) <= width and "\x1b" not in text
    assert [line.split()[0] for line in text.splitlines()] == ["space", "small", "other_space"]
    if width == 100:
        assert text.splitlines()[1].split()[:4] == ["small", "random", "1", "2"]
        assert "endless" in text


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_space_is_shown_within_the_width(width: int) -> None:
    stream = Stream()
    space_details(spaces()[1], stream, {"COLUMNS": str(width)})
    text = stream.getvalue()
    assert wide(text) <= width and "momentum" in text
    assert "dense_units 64" in text and "fertune search --space other_space" in text
    assert ("norm is yes" in text) is (width >= 60)
