"""A stack as a person sees it: live, in lines, and its table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fertune.console import choose_console, show_summary
from fertune.console.live import LiveConsole
from fertune.console.plain import STILL_SECONDS
from fertune.console.screen import Screen
from fertune.console.stack_summary import comparison_table, stack_summary
from fertune.console.stack_view import StackState, stack_lines
from fertune.trial import Failure, FailureKind
from tests.console.factory import SENTENCES, Stream, comparison, fold, row, stack_info, stack_record, wide
from tests.schema import check

JOBS = [(m, i, "fold") for m in ("leaky_cnn 7", "relu_cnn 3") for i in range(5)]
BROKEN = Failure(FailureKind.OUT_OF_MEMORY, "the worker was killed")


def shown(lines: list) -> str:
    return "\n".join(line.plain for line in lines)


def state() -> StackState:
    stack = StackState(stack_info(), list(JOBS))
    for i in range(3):
        stack.take_end(fold(number=i))
    stack.take_start(("leaky_cnn 7", 3, "fold"))
    stack.running["leaky_cnn 7", 3, "fold"] = 6
    stack.take_end(fold("relu_cnn 3", 0, state="failed", failure=BROKEN))
    return stack


def test_one_row_a_member_and_one_column_a_fold() -> None:
    lines = shown(stack_lines(Screen(Stream(), {}, 100), state())).split("\n")
    assert lines[0].startswith("fertune stack  2 members · 10 models to train") and lines[0].endswith("runs/stack-01")
    assert lines[3].split() == ["member", "fold", "0", "1", "2", "3", "4", "mean"]
    assert re.split(r"  +", lines[4]) == ["leaky_cnn 7", "0.631", "0.631", "0.631", "▶ 6/9", "·"]
    assert re.split(r"  +", lines[5]) == ["relu_cnn 3", "failed", "·", "·", "·", "·"]


def test_variants_and_meta_learners_join_as_they_come() -> None:
    stack = state()
    stack.take_end(fold("bagging of 3", 0, "bag"))
    stack.meta.append({"name": "logistic", "trials": 12, "oof_accuracy": 0.648, "seconds": 3.0})
    text = shown(stack_lines(Screen(Stream(), {}, 100), stack))
    assert "bagging of 3" in text and "5/11 models" in text
    assert "meta logistic  12 trials  out-of-fold accuracy 0.6480  3 s" in text


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_of_the_region_is_over_the_width_or_the_height(width: int) -> None:
    stack = StackState(
        stack_info(), [(f"a_space_with_a_long_name {m}", i, "fold") for m in range(40) for i in range(10)]
    )
    stack.take_start(("a_space_with_a_long_name 35", 2, "fold"))
    screen = Screen(Stream(), {}, width)
    screen.console.height = 20
    text = shown(stack_lines(screen, stack))
    assert wide(text) <= width and len(text.split("\n")) <= 18
    if width == 100:
        assert "name 35" in text, "the member that runs is in sight"


def test_the_table_at_100_columns() -> None:
    assert shown(comparison_table(Screen(Stream(), {}, 100), comparison())).split("\n") == [
        "model                             accuracy %             points       p  time",
        "● leaky_cnn 7 (reference)  64.9 [63.3, 66.5]          reference          1.0x",
        "◆ logistic (chosen stack)  66.1 [64.5, 67.7]  +1.2 [+0.4, +2.0]   0.014  5.2x",
        "▲ square-root weights      64.3 [62.7, 65.9]  -0.6 [-1.4, +0.2]   0.280  1.0x",
        "■ mean                     65.9 [64.3, 67.5]  +1.0 [+0.2, +1.8]   0.043  5.2x",
        "◆ decision tree            63.0 [61.4, 64.6]  -1.9 [-2.7, -1.1]  <0.001  5.2x",
    ]


def test_the_table_gives_up_columns_but_not_the_difference() -> None:
    for width, heads in ((60, ["model", "accuracy %", "points", "p", "time"]), (40, ["model", "points"])):
        lines = shown(comparison_table(Screen(Stream(), {}, width), comparison())).split("\n")
        assert re.split(r"  +", lines[0]) == heads
        assert "+1.2 [+0.4, +2.0]" in lines[2]
        assert "reference: leaky_cnn 7; chosen stack:" in lines[6]


@pytest.mark.parametrize("kind", ["helped", "hurt", "none", "no_test"])
@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_verdict_comes_first_and_the_report_command_last(kind: str, width: int, tmp_path: Path) -> None:
    record = stack_record(Path("runs/stack-01").resolve(), comparison(kind), tuple(fold(number=i) for i in range(5)))
    text = shown(stack_summary(Screen(Stream(), {}, width), record))
    assert wide(text) <= width
    assert " ".join(text.split()).startswith(" ".join(SENTENCES[kind].split()))
    tail = " ".join(text[text.index("Next") :].replace("\\\n", "").split())
    assert "fertune report runs/stack-01 -o report.html" in tail
    assert ("accuracy on 3,589 test pictures" in " ".join(text.split())) is (kind != "no_test")
    assert ("out-of-fold" in text) is (kind == "no_test")
    assert "nan" not in text and "None" not in text


@pytest.mark.parametrize("kind", ["helped", "no_test"])
def test_members_that_were_chosen_on_the_out_of_fold_rows_are_told(kind: str) -> None:
    record = stack_record(Path("/r/s"), comparison(kind))
    assert record.note is None and "optimistic: members" not in shown(stack_summary(Screen(Stream(), {}, 200), record))
    members = [{"name": "leaky_cnn 7", "run": "folds", "cv": 3}, {"name": "relu_cnn 3", "run": "plain"}]
    record.info["members"] = members
    note = "out-of-fold scores are optimistic: members of folds are the best of many on the rows that chose them"
    assert note in shown(stack_summary(Screen(Stream(), {}, 200), record)).splitlines()
    document = record.to_json()
    check(document, "stack")
    assert document["note"] == note


def test_same_predictions_are_named() -> None:
    table = comparison("none")
    table["rows"][1] |= {"gained": 0, "lost": 0, "difference": 0.0}
    assert "same predictions" in shown(comparison_table(Screen(Stream(), {}, 100), table))


def test_twins_and_members_left_out_are_told() -> None:
    twins = {
        "n": 3309,
        "accuracy": 0.65,
        "difference": 0.002,
        "difference_low": -0.006,
        "difference_high": 0.01,
        "verdict": "none",
    }
    table = comparison(
        left_out=[{"name": "relu_cnn 3", "reason": "3 of 5 folds finished within the time budget"}], n_test_twins=280
    )
    table["rows"][1]["without_twins"] = twins
    text = shown(stack_summary(Screen(Stream(), {}, 200), stack_record(Path("/r/s"), table)))
    assert "280 test pictures" in text and "no difference is shown" in text
    assert "Left out: relu_cnn 3: 3 of 5 folds finished within the time budget" in text
    assert "Cost: 5.2 times the training time of the best single model" in text


def test_a_stack_without_a_table_says_how_far_it_came() -> None:
    record = stack_record(
        Path("/r/s"), None, (fold(), fold(number=1, state="failed", failure=BROKEN)), "interrupted", "interrupted"
    )
    text = shown(stack_summary(Screen(Stream(), {}, 100), record))
    assert text.startswith("Interrupted: 1 of 2 models trained in 10 min 40 s")
    assert "1 x out of memory: the worker was killed (leaky_cnn 7, fold 1)" in text
    assert "fertune stack --out runs/stack-01 --resume" in text and "fertune report" not in text


def test_one_row_alone_and_hostile_names() -> None:
    name = "[/x]\x1b[2J\u202e" + "m" * 200
    table = comparison()
    table["rows"] = [row(name, "single", 0.5, None), row("x" + name, "meta", 0.5, 0.0)]
    table |= {"best_single": name, "chosen": "x" + name}
    for width in (40, 60, 100):
        text = shown(stack_summary(Screen(Stream(), {}, width), stack_record(Path("/r/s"), table)))
        assert wide(text) <= width and "\x1b" not in text and "\u202e" not in text


def test_plain_lines(tmp_path: Path) -> None:
    out = Stream()
    console = choose_console(stdout=out, stderr=Stream(), env={})
    console.stack_started(stack_info(), JOBS[:2])
    console.fold_started(*JOBS[0])
    console.fold_epoch(*JOBS[0], {"epoch": 1.0})
    console.fold_ended(fold())
    console.fold_ended(fold(number=1, state="failed", failure=BROKEN))
    console.meta_ended(
        {"name": "decision tree", "trials": 10, "oof_accuracy": 0.61, "oof_log_loss": 1.01, "seconds": 2.2}
    )
    console.meta_ended({"name": "mean", "trials": None, "oof_accuracy": None, "seconds": None})
    console.stack_ended(stack_record(tmp_path / "stack-01", comparison()))
    lines = out.getvalue().split("\n")
    assert lines[1:5] == [
        'fold "leaky_cnn 7" fold=0 completed value=0.6310 epochs=9 seconds=62 done=1/2',
        'fold "leaky_cnn 7" fold=1 failed value=- epochs=9 seconds=62 failure="out of memory" '
        'message="the worker was killed" done=2/2',
        'meta "decision tree" trials=10 oof_accuracy=0.6100 oof_log_loss=1.0100 seconds=2',
        "meta mean",
    ]
    assert lines[5].startswith("Stacking helped")


def test_still_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("fertune.console.plain.time.monotonic", lambda: now[0])
    out = Stream()
    console = choose_console(stdout=out, stderr=Stream(), env={})
    console.stack_started(stack_info(), JOBS)
    console.fold_started(*JOBS[2])
    console.fold_epoch(*JOBS[2], {"epoch": 4.0})
    now[0] += STILL_SECONDS
    console.tick()
    assert out.getvalue().split("\n")[-2] == 'still fold "leaky_cnn 7" fold=2 epoch=4 seconds=60'


def test_live(tmp_path: Path) -> None:
    out = Stream(terminal=True)
    console = choose_console(stdout=out, stderr=Stream(), env={"TERM": "xterm", "COLUMNS": "90"})
    assert isinstance(console, LiveConsole)
    console.stack_started(stack_info(), JOBS)
    console.fold_started(*JOBS[0])
    console.fold_ended(fold())
    console.meta_ended({"name": "logistic", "trials": 10})
    console.stack_ended(stack_record(tmp_path / "s", comparison()))
    assert out.getvalue().count("Stacking helped") == 1
    assert "member" in out.getvalue() and wide(out.getvalue().replace("\r", "\n")) <= 90


def test_show_prints_the_folds_too(tmp_path: Path) -> None:
    out = Stream()
    show_summary(stack_record(tmp_path / "s", None, (fold(), fold(number=1, state="running")), "running"), out, {})
    text = out.getvalue()
    assert "▶ 9/9" in text and "Stack running: 1 of 2 models trained" in text and "fertune show" in text
