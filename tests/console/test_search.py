"""A search as a person sees it: live, in lines, and when it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from fertune.console import LiveConsole, PlainConsole, show_summary
from fertune.console.choose import QuietConsole, choose_console
from fertune.console.plain import STILL_SECONDS
from fertune.console.screen import Screen
from fertune.console.search_view import SearchState, search_lines
from fertune.console.summary import opening, search_details, search_summary
from fertune.trial import Failure, FailureKind, Rung, State, Trial
from tests.console.factory import ESCAPE, Stream, info, search_record, thirty, trial, wide

NASTY = "[/x]\x1b[31m\u202eevil\n😀" + "w" * 200


def shown(lines: list) -> str:
    return "\n".join(line.plain for line in lines)


def region(
    width: int, trials: tuple[Trial, ...], goal: int | None = 30, height: int = 24, encoding: str = "utf-8"
) -> str:
    screen = Screen(Stream(encoding=encoding), {}, width)
    screen.console.height = height
    state = SearchState.of(info(), goal, trials)
    for one in trials:
        if one.state is State.RUNNING:
            state.take_start(one)
    return shown(search_lines(screen, state))


def mockup() -> tuple[Trial, ...]:
    """The trials of the guide's picture."""

    def params(rate: float, blocks: int, filters: int, dropout: float) -> dict[str, float]:
        return {"learning_rate": rate, "blocks": blocks, "filters": filters, "dropout": dropout}

    reported = (0.41, 0.46, 0.51, 0.548)
    history = tuple({"epoch": e, "value": v, "val_accuracy": v} for e, v in enumerate(reported, 1))
    return (
        trial(3, State.PRUNED, 0.4120, 3, 19, params=params(0.0093, 2, 32, 0.10)),
        trial(7, State.COMPLETED, 0.6312, 9, 62, params=params(0.0006, 4, 64, 0.22)),
        trial(11, State.FAILED, None, 1, 6, Failure(FailureKind.NAN_LOSS, "nan"), params(0.0440, 5, 96, 0.48)),
        trial(12, State.RUNNING, None, 4, 38, params=params(0.0010, 3, 48, 0.31), history=history),
    )


def test_the_picture_at_100_columns() -> None:
    lines = region(100, mockup()).split("\n")
    assert lines[0] == (
        "fertune search  leaky_cnn · hyperband · val_accuracy, higher is better                 runs/leaky-01"
    )
    assert lines[1] == (
        "fer2013: 28,709 train, 3,589 validation · test rows untouched              1 worker x 4 threads, CPU"
    )
    assert lines[2].startswith("━━━━━─") and "3/30 trials · 0.0 s" in lines[2]
    assert lines[3:8] == [
        " trial  state       score  epochs    time  learning_rate  blocks  filters  dropout  note",
        "    12  ▶ running  0.5480     4/9    38 s          0.001       3       48     0.31  ▁▃▆█",
        "★    7  completed  0.6312     9/9    62 s         0.0006       4       64     0.22  best so far",
        "     3  pruned     0.4120     3/9    19 s         0.0093       2       32      0.1  rung 1",
        "    11  failed          -     1/9     6 s          0.044       5       96     0.48  NaN loss",
    ]
    assert lines[8] == "search scores are optimistic · Ctrl-C keeps every finished trial"


def test_the_picture_at_60_columns() -> None:
    lines = region(60, mockup()).split("\n")
    assert lines[0] == "leaky_cnn · hyperband · val_accuracy           runs/leaky-01"
    assert lines[2] == " trial  state       score  epochs    time"
    assert lines[4] == "★    7  completed  0.6312     9/9    62 s"


def test_the_picture_at_40_columns_keeps_trial_state_and_score() -> None:
    lines = region(40, mockup()).split("\n")
    assert lines[2] == " trial  state       score  epochs"
    assert lines[3] == "    12  ▶ running  0.5480     4/9"


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 100, 180])
@pytest.mark.parametrize("trials", [(), thirty()[:1], thirty(), mockup()], ids=["0", "1", "30", "mixed"])
def test_no_line_is_over_the_width(width: int, trials: tuple[Trial, ...], tmp_path: Path) -> None:
    assert wide(region(width, trials)) <= width
    if width >= 40:
        text = shown(
            search_summary(Screen(Stream(), {}, width), search_record(Path("runs/leaky-01").resolve(), trials))
        )
        assert wide(text) <= width


def test_the_region_is_lower_than_the_screen_and_keeps_a_failure_in_sight() -> None:
    lines = region(100, thirty(), height=16).split("\n")
    assert len(lines) <= 14
    assert "★    7" in "\n".join(lines)
    assert "NaN loss" in lines[-2]


def test_a_promoted_trial_stands_once_and_keeps_its_star() -> None:
    promoted = trial(7, State.RUNNING, 0.6312, 5)
    text = region(100, (trial(1, value=0.5), promoted))
    assert text.count("    7  ") == 1 and "★    7  ▶ running" in text
    record = search_record(Path("/r/x"), (trial(1, value=0.5), promoted), "running")
    assert shown(search_details(Screen(Stream(), {}, 100), record)).count("    7  ") == 1


def test_columns_leave_from_the_right() -> None:
    many = tuple(trial(i, params={f"parameter_{j}": i * j for j in range(9)}) for i in range(3))
    heads = {width: region(width, many).split("\n")[3 if width >= 80 else 2] for width in (180, 130, 100, 80, 60)}
    assert heads[180].endswith("parameter_8  note")
    assert "+1 more  note" in heads[130] or "more  note" in heads[130]
    assert "more" in heads[100] and "parameter_1" in heads[100]
    assert heads[60].split() == ["trial", "state", "score", "epochs", "time"]
    assert all(head.startswith(" trial  state       score") for head in heads.values())


def test_ascii_streams_get_stand_ins() -> None:
    text = region(100, mockup(), encoding="ascii")
    text.encode("ascii")
    assert "> running" in text and "*    7" in text and wide(text) <= 100


def test_hostile_names_are_text() -> None:
    params = {NASTY: NASTY, "ok": 1}
    state = SearchState.of(
        info(name=NASTY, resume="x", options={"out": NASTY}, engine=NASTY, devices=[NASTY]),
        2,
        [trial(0, params=params), trial(1, params={**params, "ok": 2}, note=NASTY)],
    )
    for width in (40, 60, 100, 300):
        text = shown(search_lines(Screen(Stream(), {}, width), state))
        assert "\x1b" not in text and "\u202e" not in text and wide(text) <= width


def test_a_long_path_or_command_never_breaks_a_word(tmp_path: Path) -> None:
    record = search_record(Path("/data/" + "long-folder-name/" * 3 + "run"), thirty(), options={"trials": 30})
    text = shown(search_summary(Screen(Stream(), {}, 60), record))
    joined = text.replace(" \\\n    ", " ")
    assert f"  fertune report {record.folder} -o report.html" in joined.split("\n")


# ---- what stands there when it ended


def test_summary_of_a_finished_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    record = search_record(tmp_path / "runs" / "leaky-01", thirty())
    assert shown(search_summary(Screen(Stream(), {}, 100), record)).split("\n") == [
        "Search finished: 30 trials in 19 min 40 s (27 completed, 2 pruned, 1 failed: NaN loss)",
        "Best search score 0.6312 val_accuracy, trial 7; optimistic: the highest of 29 on 3,589 rows",
        "  learning_rate 0.008 · blocks 5 · filters 39 · dropout 0.22",
        "Next",
        "  fertune report runs/leaky-01 -o report.html                # look at every trial",
        "  fertune stack runs/leaky-01                                # an honest estimate, and a stack",
        "  fertune search --out runs/leaky-01 --resume --trials 60    # go on",
    ]


def test_an_interrupted_search_gives_the_resume_command_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    record = search_record(tmp_path / "leaky-01", thirty()[:12], "interrupted", "interrupted")
    lines = shown(search_summary(Screen(Stream(), {}, 100), record)).split("\n")
    assert lines[0].startswith("Interrupted after 12 trials in 19 min 40 s")
    assert lines[lines.index("Next") + 1].split("#")[0].strip() == "fertune search --out runs/leaky-01 --resume"
    assert not any(line.startswith("Ended") for line in lines)


def test_summary_says_why_it_ended_and_what_failed() -> None:
    failed = tuple(
        trial(i, State.FAILED, None, 0, 1, Failure(FailureKind.INVALID_SHAPE, "a 1x1 map")) for i in range(5)
    )
    record = search_record(Path("/r/x"), failed, reason="the time budget is spent")
    text = shown(search_summary(Screen(Stream(), {}, 100), record))
    assert "(5 failed: invalid shape)" in text and "Ended: the time budget is spent" in text
    assert "  5 x invalid shape: a 1x1 map (first in trial 0)" in text
    assert "fertune stack" not in text and "Best" not in text


def test_no_trial_one_trial_and_the_other_direction() -> None:
    assert opening(search_record(Path("/r/x"), (), seconds=3)) == "Search finished: 0 trials in 3 s"
    one = search_record(Path("/r/x"), (trial(0, value=1.2),), objective={"name": "val_loss", "direction": "min"})
    text = shown(search_summary(Screen(Stream(), {}, 100), one))
    assert "1 trial in" in text and "the only one on 3,589 rows" in text
    two = search_record(
        Path("/r/x"), (trial(0, value=1.2), trial(1, value=0.9)), objective={"name": "val_loss", "direction": "min"}
    )
    assert "0.9000 val_loss, trial 1; optimistic: the lowest of 2" in shown(
        search_summary(Screen(Stream(), {}, 100), two)
    )


def test_show_prints_ten_rows_and_failures(tmp_path: Path) -> None:
    stream = Stream()
    show_summary(search_record(tmp_path / "x", thirty()), stream, {})
    text = stream.getvalue()
    assert text.count("completed  0.") == 10
    assert "19 more: --json has them all" in text and "1 x NaN loss" in text and "\x1b" not in text
    assert text.rstrip().split("\n")[-1].startswith("  fertune search --out")


# ---- consoles


def drive(console: LiveConsole | PlainConsole, record_folder: Path) -> None:
    """A small search: one trial ends well, one fails."""
    console.said("read 3,000 rows in 0.2 s; cached")
    console.warned("class 'disgust' has no rows")
    console.search_started(info(), 2, ())
    first = trial(0, State.RUNNING, None, 0, 0)
    console.trial_started(first)
    console.epoch(trial(0, State.RUNNING, 0.4, 1, 0), {"epoch": 1})
    console.tick()
    done = trial(0, value=0.6)
    console.trial_ended(done, done)
    broken = trial(1, State.FAILED, None, 1, 6, Failure(FailureKind.NAN_LOSS, "loss is \x1b[31mnan"))
    console.trial_started(trial(1, State.RUNNING, None, 0, 0))
    console.trial_ended(broken, done)
    console.search_ended(search_record(record_folder, (done, broken)))
    console.close()
    console.close()


def test_plain_lines(tmp_path: Path) -> None:
    out, err = Stream(), Stream()
    console = choose_console(stdout=out, stderr=err, env={})
    assert isinstance(console, PlainConsole)
    drive(console, tmp_path / "x")
    lines = out.getvalue().split("\n")
    assert lines[:4] == [
        "data read 3,000 rows in 0.2 s; cached",
        "data fer2013 train=28709 validation=3589 test=3589 classes=2 shape=48x48x1",
        "trial 0 completed val_accuracy=0.6000 epochs=9/9 seconds=62 best=0.6000 best_trial=0 done=1/2 "
        "learning_rate=0.001 blocks=2 filters=32 dropout=0.22",
        'trial 1 failed val_accuracy=- epochs=1/9 seconds=6 failure="NaN loss" message="loss is \\x1b[31mnan" '
        "best=0.6000 best_trial=0 done=2/2 learning_rate=0.002 blocks=3 filters=33 dropout=0.22",
    ]
    assert lines[4].startswith("Search finished: 2 trials")
    assert "\x1b" not in out.getvalue()
    assert err.getvalue() == "warning: class 'disgust' has no rows\n"


def test_forced_colour_in_a_pipe_brings_no_animation(tmp_path: Path) -> None:
    out, err = Stream(), Stream()
    console = choose_console(stdout=out, stderr=err, env={"FORCE_COLOR": "1"})
    assert isinstance(console, PlainConsole)
    drive(console, tmp_path / "x")
    codes = set(ESCAPE.findall(out.getvalue()))
    assert codes and all(code.endswith("m") for code in codes)


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "xterm", "CI": "1", "NO_COLOR": "1"}])
def test_dumb_terminals_and_ci_get_plain_lines(env: dict[str, str], tmp_path: Path) -> None:
    out = Stream(terminal=True)
    console = choose_console(stdout=out, stderr=Stream(), env=env)
    drive(console, tmp_path / "x")
    assert isinstance(console, PlainConsole) and "\x1b" not in out.getvalue()


def test_a_still_line_after_a_minute_of_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("fertune.console.plain.time.monotonic", lambda: now[0])
    out = Stream()
    console = choose_console(stdout=out, stderr=Stream(), env={})
    console.search_started(info(), None, (trial(7, value=0.6312),))
    console.trial_started(trial(12, State.RUNNING, 0.5, 4, 0))
    before = out.getvalue()
    now[0] += STILL_SECONDS - 1
    console.tick()
    assert out.getvalue() == before
    now[0] += 61
    console.tick()
    console.tick()
    assert out.getvalue()[len(before) :] == "still trial 12 epoch=4/9 seconds=120 best=0.6312 best_trial=7\n"


def test_live_region_moves_and_leaves_one_copy_of_the_summary(tmp_path: Path) -> None:
    out, err = Stream(terminal=True), Stream(terminal=True)
    console = choose_console(stdout=out, stderr=err, env={"TERM": "xterm", "COLUMNS": "100", "LINES": "30"})
    assert isinstance(console, LiveConsole)
    drive(console, tmp_path / "x")
    text = out.getvalue()
    assert "\x1b[?25l" in text and text.rstrip().count("\x1b[?25h") >= 1, "the cursor comes back"
    assert text.count("Search finished") == 1
    assert "warning: " in text and err.getvalue() == ""
    assert wide(text.replace("\r", "\n")) <= 100
    assert "\x1b[31mnan" not in text


def test_no_color_keeps_the_live_region_without_colours(tmp_path: Path) -> None:
    out = Stream(terminal=True)
    console = choose_console(stdout=out, stderr=Stream(), env={"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "80"})
    drive(console, tmp_path / "x")
    codes = {code for code in ESCAPE.findall(out.getvalue()) if code.endswith("m")}
    assert not any(part in code for code in codes for part in ("31", "32", "33", "36"))


def test_frames_are_at_most_four_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("fertune.console.live.time.monotonic", lambda: now[0])
    out = Stream(terminal=True)
    console = LiveConsole(Screen(out, {"TERM": "xterm", "COLUMNS": "80"}), Screen(Stream(), {}))
    frames = []
    monkeypatch.setattr("fertune.console.live.search_lines", lambda screen, state: frames.append(now[0]) or [])
    console.search_started(info(), 2, ())
    for step in range(100):
        now[0] = step / 50
        console.epoch(trial(0, State.RUNNING), {})
    assert 7 <= len(frames) <= 9
    console.close()


def test_json_moves_all_chatter_to_stderr_and_quiet_leaves_warnings(tmp_path: Path) -> None:
    out, err = Stream(), Stream()
    drive(choose_console(json=True, stdout=out, stderr=err, env={}), tmp_path / "x")
    assert out.getvalue() == "" and "trial 0 completed" in err.getvalue()
    out, err = Stream(), Stream()
    quiet = choose_console(quiet=True, stdout=out, stderr=err, env={})
    assert isinstance(quiet, QuietConsole)
    drive(quiet, tmp_path / "x")
    assert out.getvalue() == "" and err.getvalue() == "warning: class 'disgust' has no rows\n"


def test_the_fold_that_ended_a_trial_counts_among_its_folds() -> None:
    folds = (
        Rung(9, {"fold": 0, "of": 3}, 0.4, 9, 1.0, "completed"),
        Rung(9, {"fold": 1, "of": 3}, 0.2, 9, 1.0, "pruned"),
    )
    behind = trial(1, State.PRUNED, 0.3).but(rungs=folds)
    out = Stream()
    console = choose_console(stdout=out, stderr=Stream(), env={})
    console.search_started(info(options={"trials": 2, "cv": 3}), 2, ())
    console.trial_ended(behind, None)
    assert " folds=2/3 " in out.getvalue()
    assert behind.to_json()["folds"] == {"done": 2, "of": 3, "spread": pytest.approx(0.1414, abs=1e-4)}
