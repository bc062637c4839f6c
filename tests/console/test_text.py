"""Outside text is safe, numbers are short."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.console.text import (
    age_text,
    bytes_text,
    count,
    duration,
    field,
    p_text,
    plain,
    points,
    score,
    shell_word,
    short_duration,
    value_text,
)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("[/x]", "[/x]"),
        ("\u202etxt", "\\u202etxt"),
        ("\x9b31m", "\\x9b31m"),
        ("\udcff", "\\xff"),
        ("😀 é", "😀 é"),
        ("\u2028", "\\u2028"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_an_escape(given_text: str, shown: str) -> None:
    assert plain(given_text) == shown


def test_glyphs_have_ascii_stand_ins_and_the_rest_escapes() -> None:
    assert plain("★ ▶ ━─ · … − é 中", "ascii") == "* > =- - ~ - \\xe9 \\u4e2d"
    assert plain("★ é", "latin-1") == "* é"


@given(st.text(), st.sampled_from(["utf-8", "ascii", "latin-1", "cp1252"]))
def test_any_text_becomes_one_printable_line_that_the_stream_can_carry(text: str, encoding: str) -> None:
    out = plain(text, encoding)
    out.encode(encoding)
    assert len(out.splitlines()) <= 1
    assert "\x1b" not in out


@given(st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), min_size=1, max_size=12))
def test_a_shell_reads_a_word_as_it_was(word: str) -> None:
    typed = plain(shell_word(word))
    out = subprocess.run(
        ["bash", "-c", f"printf %s {typed}"],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert out.stdout.decode("utf-8") == word


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [
        (0.4, "0.4 s", "0 s"),
        (0.97, "1 s", "1 s"),
        (62, "62 s", "62 s"),
        (99.6, "1 min 40 s", "1m40s"),
        (492, "8 min 12 s", "8m12s"),
        (480, "8 min", "8m00s"),
        (3599.9, "1 h", "1h00m"),
        (11100, "3 h 5 min", "3h05m"),
        (183600, "2 d 3 h", "2d03h"),
        (172800, "2 d", "2d00h"),
    ],
)
def test_durations(seconds: float, long: str, short: str) -> None:
    assert duration(seconds) == long
    assert short_duration(seconds) == short
    assert len(short_duration(seconds)) <= 6


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0006, "0.0006"),
        (0.00123456, "0.001235"),
        (1e-7, "1.00e-07"),
        (0.22, "0.22"),
        (64, "64"),
        (True, "yes"),
        (0.0, "0.0"),
        (1234.56, "1235"),
        (2e7, "2.00e+07"),
        ("adam", "adam"),
        (float("nan"), "nan"),
        (100.0, "100"),
    ],
)
def test_hyperparameters(value: object, shown: str) -> None:
    assert value_text(value) == shown


def test_scores_points_and_p_values() -> None:
    assert [score(v) for v in (0.63124, None, float("nan"))] == ["0.6312", "-", "-"]
    assert [points(v) for v in (0.012, -0.006, -0.0001, 0.0)] == ["+1.2", "-0.6", "0.0", "0.0"]
    assert [p_text(v) for v in (0.0004, 0.0432, 1.0, None)] == ["<0.001", "0.043", "1.000", "-"]
    assert [count(n, "trial") for n in (0, 1, 1200)] == ["0 trials", "1 trial", "1,200 trials"]
    assert [field(v) for v in ("NaN", "NaN loss", 'a"b')] == ["NaN", '"NaN loss"', '"a\\"b"']


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (812, "812 B"), (1500, "1.5 kB"), (61_200_000, "61 MB"), (999_600, "1.0 MB")]
)
def test_bytes(size: int, text: str) -> None:
    assert bytes_text(size) == text


def test_ages() -> None:
    assert [age_text(s) for s in (3, 301, 7300, 47 * 3600, 172_900)] == ["now", "5 m", "2 h", "47 h", "2 d"]
