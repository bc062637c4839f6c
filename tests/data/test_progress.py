"""Reading tells how far it is; a terminal shows one bar, and nothing else does."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fertune.console import LiveConsole, PlainConsole, QuietConsole
from fertune.console.bar import Work, bar_line
from fertune.console.screen import Screen
from fertune.data.sources.csv import read_csv
from tests.console.factory import ESCAPE, Stream, info, wide

from .conftest import WriteCsv, rows

XTERM = {"TERM": "xterm-256color"}
Told = tuple[str, int, int | None, str]


class Clock:
    """Stands in for ``time.monotonic``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def told_by_reading(path: Path) -> list[Told]:
    told: list[Told] = []
    read_csv(path, progress=lambda what, done, total=None, unit="": told.append((what, done, total, unit)))
    return told


@pytest.mark.parametrize("packed", [False, True])
def test_reading_a_csv_counts_bytes_up_to_all_of_them(write_csv: WriteCsv, packed: bool) -> None:
    path = write_csv(rows(700, 40))
    if packed:
        content = path.read_bytes()
        path = path.with_name("fer2013.csv.gz")
        path.write_bytes(gzip.compress(content))
    told = told_by_reading(path)
    assert len(told) >= 3 and {t[0] for t in told} == {f"reading {path.name}"} and {t[3] for t in told} == {"bytes"}
    done = [t[1] for t in told]
    assert done == sorted(done) and done[-1] == told[-1][2] == path.stat().st_size


def console(terminal: bool = True) -> tuple[LiveConsole | PlainConsole, Stream]:
    stream = Stream(terminal)
    screen = Screen(stream, XTERM, 80)
    return (LiveConsole if terminal else PlainConsole)(screen, screen), stream


def test_a_terminal_shows_a_bar_after_half_a_second_and_takes_it_away(clock: Clock) -> None:
    live, stream = console()
    live.progress("reading fer2013.csv", 0, 271_000_000, "bytes")
    clock.now += 0.4
    live.progress("reading fer2013.csv", 20_000_000, 271_000_000, "bytes")
    assert stream.getvalue() == ""
    clock.now += 1.6
    live.progress("reading fer2013.csv", 100_000_000, 271_000_000, "bytes")
    shown = ESCAPE.sub("", stream.getvalue())
    assert "reading fer2013.csv" in shown and "100/271 MB" in shown and "50 MB/s" in shown and "3 s left" in shown
    live.progress("reading fer2013.csv", 271_000_000, 271_000_000, "bytes")
    live.said("read 32,298 rows in 14 s; cached")
    live.close()
    assert stream.getvalue().rstrip().endswith("read 32,298 rows in 14 s; cached")
    assert "\x1b[2K" in stream.getvalue()  # the bar's line was erased


def test_work_that_is_over_soon_is_not_shown(clock: Clock) -> None:
    live, stream = console()
    for done in range(11):
        clock.now += 0.04
        live.progress("reading a.csv", done, 10, "rows")
    live.close()
    assert stream.getvalue() == ""


def test_pieces_of_work_one_after_the_other_start_their_own_clock(clock: Clock) -> None:
    live, stream = console()
    live.progress("reading a", 0, 100, "pictures")
    clock.now += 10
    live.progress("reading b", 0, 100, "pictures")
    clock.now += 0.3
    live.progress("reading b", 50, 100, "pictures")
    assert stream.getvalue() == ""
    clock.now += 0.7
    live.progress("reading b", 60, 100, "pictures")
    assert "60/100 pictures" in ESCAPE.sub("", stream.getvalue())
    live.close()


def test_the_start_of_a_worker_is_explained_for_a_while(clock: Clock) -> None:
    live, stream = console()
    live.search_started(info(), 30, [])
    live.progress("starting a worker: importing TensorFlow takes 3 to 5 s", 0)
    clock.now += 2
    live.tick()
    assert "starting a worker: importing TensorFlow takes 3 to 5 s · 2 s" in ESCAPE.sub("", stream.getvalue())
    stream.truncate(0)
    clock.now += 30
    live.tick()
    assert "0/30 trials" in stream.getvalue() and "starting" not in stream.getvalue()
    live.close()


def test_at_most_four_frames_a_second(clock: Clock) -> None:
    live, stream = console()
    for done in range(1000):
        clock.now += 0.002
        live.progress("reading a.csv", done, 10_000, "rows")
    live.close()
    assert 2 <= stream.getvalue().count("reading a.csv") <= 8


def test_no_terminal_no_bar(clock: Clock) -> None:
    plain, stream = console(terminal=False)
    quiet = QuietConsole(Screen(stream, XTERM, 80))
    for done in range(0, 100, 10):
        clock.now += 1
        plain.progress("reading a.csv", done, 100, "rows")
        quiet.progress("reading a.csv", done, 100, "rows")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("width", [20, 40, 60, 100])
@pytest.mark.parametrize("total", [None, 0, 271_000_000])
def test_the_bar_is_never_wider_than_the_screen(clock: Clock, width: int, total: int | None) -> None:
    screen = Screen(Stream(True), XTERM, width)
    work = Work("reading \x1b[31m[/x] a_file_with_a_long_name.csv", 100_000_000, total, "bytes")
    clock.now += 3
    line = bar_line(screen, work).plain
    assert "\x1b" not in line and wide(line) <= width and "\n" not in line
    assert "s left" in line or not total


def test_an_ascii_terminal_gets_an_ascii_bar(clock: Clock) -> None:
    screen = Screen(Stream(True, "ascii"), XTERM, 80)
    work = Work("reading a.csv", 50, 100, "rows")
    clock.now += 2
    assert bar_line(screen, work).plain.isascii() and "====" in bar_line(screen, work).plain
