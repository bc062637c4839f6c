"""The forest plot shows the numbers of the JSON, in the order and with the marks that they have earned."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fertune.report.canvas import style
from fertune.report.stack import comparison, forest
from fertune.report.stack.rows import Compared, ordered, read, state_of, states
from fertune.report.theme import HEX
from fertune.report.words import points
from tests.report import fixtures
from tests.report.conftest import html, record


def _compared(name: str) -> Compared:
    stored = record(name)
    assert isinstance(stored, fixtures.MemoryStack)
    assert stored.comparison is not None
    return read(stored.comparison)


def _row(name: str, role: str = "meta", **changes: Any) -> dict[str, Any]:
    row = {"name": name, "role": role, "accuracy": 0.65, "accuracy_low": 0.634, "accuracy_high": 0.666,
           "difference": 0.003, "difference_low": -0.005, "difference_high": 0.011, "n": 3589, "macro_f1": 0.6,
           "log_loss": 1.0, "p_value": 0.4, "p_holm": 0.4, "gained": 90, "lost": 80, "seconds": 100.0,
           "oof_accuracy": 0.64, "oof_rows": 32298, "predict_seconds": None, "without_twins": None}  # fmt: skip
    return row | changes


def _table(*rows: dict[str, Any], kind: str = "none", **more: Any) -> dict[str, Any]:
    return {"rows": list(rows), "best_single": "single", "chosen": "chosen", "n_test": 3589, "majority": 0.245,
            "verdict": {"kind": kind, "sentence": "", "detectable": 0.011}, **more}  # fmt: skip


SINGLE = _row("single", "single", difference=0.0, difference_low=0.0, difference_high=0.0, p_value=None, p_holm=None,
              gained=None, lost=None)  # fmt: skip


@pytest.mark.parametrize("name", ["stack-helped", "stack-tie", "stack-hurt", "stack-one-member"])
def test_marks_stand_where_the_numbers_are(name: str) -> None:
    c = _compared(name)
    with style():
        left, right = forest.wide(c, 900).drawing.axes[:2]
    rows = list(c.rows)
    for i, row in enumerate(rows):
        y = len(rows) - 1 - i
        spans = [line.get_xydata() for line in left.lines if set(line.get_ydata()) == {y}]
        assert [100 * row["accuracy_low"], 100 * row["accuracy_high"]] == pytest.approx(list(spans[0][:, 0]))
        assert 100 * row["accuracy"] == pytest.approx(spans[1][0, 0])
        drawn = [line.get_xydata() for line in right.lines if set(line.get_ydata()) == {y}]
        if row["name"] == c.raw["best_single"]:
            assert drawn == []
        else:
            ends = [100 * row["difference_low"], 100 * row["difference_high"]]
            assert ends == pytest.approx(list(drawn[0][:, 0]))
            assert 100 * row["difference"] == pytest.approx(drawn[1][0, 0])


@pytest.mark.parametrize("name", ["stack-helped", "stack-tie", "stack-hurt", "stack-40-classes"])
def test_zero_is_in_view_and_spans_are_not_blown_up(name: str) -> None:
    c = _compared(name)
    with style():
        left, right = forest.wide(c, 900).drawing.axes[:2]
    low, high = right.get_xlim()
    assert low <= -2 < 0 < 2 <= high
    assert left.get_xlim()[1] - left.get_xlim()[0] >= 4
    others = [r for r in c.rows if r["difference_low"] is not None]
    assert others
    assert all(low <= 100 * r["difference_low"] and 100 * r["difference_high"] <= high for r in others)


def test_reference_first_chosen_second_then_roles_by_out_of_fold() -> None:
    rows = [_row("b", "meta", oof_accuracy=0.62, accuracy=0.9), _row("chosen", "average"), SINGLE,
            _row("a", "meta", oof_accuracy=0.63, accuracy=0.1), _row("v", "variant"), _row("s", "single")]  # fmt: skip
    assert [r["name"] for r in ordered(_table(*rows))] == ["single", "chosen", "s", "v", "a", "b"]


def test_hollow_where_no_difference_is_shown() -> None:
    c = _compared("stack-helped")
    with style():
        right = forest.wide(c, 900).drawing.axes[1]
    for i, row in enumerate(c.rows):
        state = state_of(row, c)
        marks = [
            x for x in right.lines if set(x.get_ydata()) == {len(c.rows) - 1 - i} and x.get_marker() not in ("None", "")
        ]
        if state in ("tie", "same"):
            assert marks[0].get_markerfacecolor() == HEX["page"]
        elif state in ("better", "worse"):
            assert marks[0].get_markerfacecolor() != HEX["page"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"difference": 0.02, "difference_low": 0.01, "difference_high": 0.03, "p_holm": 0.01}, "better"),
        ({"difference": -0.02, "difference_low": -0.03, "difference_high": -0.01, "p_holm": 0.01}, "worse"),
        ({"difference": 0.02, "difference_low": 0.001, "difference_high": 0.03, "p_holm": 0.2}, "tie"),
        ({"difference": 0.02, "difference_low": 0.0, "difference_high": 0.03, "p_holm": 0.04}, "tie"),
        (
            {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0, "gained": 0, "lost": 0, "p_holm": 1.0},
            "same",
        ),
        ({"difference": None}, "unknown"),
    ],
)
def test_states(changes: dict[str, Any], state: str) -> None:
    c = read(_table(SINGLE, _row("chosen"), _row("other", **changes)))
    assert state_of(c.named("other") or {}, c) == state


def test_the_chosen_row_follows_the_verdict() -> None:
    row = _row("chosen", difference=0.02, difference_low=0.01, difference_high=0.03, p_holm=0.2)
    assert states(read(_table(SINGLE, row, kind="helped"))) == ["reference", "better"]
    assert states(read(_table(SINGLE, row, kind="none"))) == ["reference", "tie"]


def test_same_predictions_are_a_dot_without_a_line() -> None:
    row = _row(
        "chosen", difference=0.0, difference_low=0.0, difference_high=0.0, gained=0, lost=0, p_value=1.0, p_holm=1.0
    )
    c = read(_table(SINGLE, row))
    with style():
        sheet = forest.wide(c, 900)
    lines = [x for x in sheet.drawing.axes[1].lines if set(x.get_ydata()) == {0}]
    assert len(lines) == 1
    assert "same predictions" in str(sheet.markup("a", "b", "c"))


GOOD = {"difference": 0.02, "difference_low": 0.01, "difference_high": 0.03, "p_holm": 0.01}
BAD = {"difference": -0.02, "difference_low": -0.03, "difference_high": -0.01, "p_holm": 0.01}


@pytest.mark.parametrize(
    ("rows", "kind", "wanted"),
    [
        ([SINGLE], "none", "There is one row only, so there is nothing to compare it with"),
        ([SINGLE, _row("chosen", **GOOD)], "helped", "The other row beats the best single model beyond chance"),
        ([SINGLE, _row("chosen", **BAD)], "hurt", "The other row is worse than the best single model beyond chance"),
        ([SINGLE, _row("chosen")], "none", "The other row shows no difference to the best single model that these 3"),
        ([SINGLE, _row("chosen", **GOOD), _row("x", **BAD), _row("y")], "helped",
         "1 of 3 rows beats the best single model beyond chance, 1 is worse, 1 shows no difference"),
        ([SINGLE, _row("chosen"), _row("x"), _row("y")], "none", "None of 3 rows shows a difference"),
        ([SINGLE, _row("chosen"), _row("x", **BAD), _row("y", **BAD)], "none",
         "2 of 3 rows are worse than the best single model beyond chance, 1 shows no difference"),
    ],
)  # fmt: skip
def test_finding(rows: list[dict[str, Any]], kind: str, wanted: str) -> None:
    said = comparison.finding(read(_table(*rows, kind=kind)))
    assert said.startswith(wanted)
    assert said.endswith(("24.5\u00a0%.", "beyond chance."))


def test_no_test_labels_no_forest() -> None:
    assert "No verdict" in html("stack-no-test")
    section = re.search(r'<section id="comparison".*?</section>', html("stack-no-test"), re.S)
    assert section is not None
    assert "<figure" not in section.group()
    assert "out of fold" in section.group()


@pytest.mark.parametrize("name", ["stack-helped", "stack-tie", pytest.param("stack-hurt", marks=pytest.mark.slow)])
def test_the_verdict_is_the_stored_sentence(name: str) -> None:
    c = _compared(name)
    summary = re.search(r'<section id="summary".*?</section>', html(name), re.S)
    assert summary is not None
    assert c.raw["verdict"]["sentence"] in summary.group()
    assert c.chosen is not None
    assert points(c.chosen["difference"]) in summary.group()
    kind = {"stack-helped": "helped", "stack-tie": "none", "stack-hurt": "hurt"}[name]
    assert c.raw["verdict"]["kind"] == kind
