"""Runs side by side, and paired where the rows are the same."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import fertune as ft
from fertune.cli import main
from fertune.console.compare import show_compared
from fertune.errors import RunError
from fertune.evaluation import mcnemar
from tests.api.made_runs import LABELS, ROWS, make_search, make_stack, right
from tests.schema import check


def shown(compared: ft.Compared, width: int = 100) -> str:
    stream = io.StringIO()
    show_compared(compared.to_json(), stream, {"COLUMNS": str(width)})
    assert max(map(len, stream.getvalue().splitlines())) <= width
    return stream.getvalue()


def test_searches_differ_in_options_and_are_paired_on_the_rows_that_chose(tmp_path: Path) -> None:
    a = make_search(tmp_path, "a", proba=right(0.5))
    b = make_search(tmp_path, "b", (0.3, 0.8, None), proba=right(0.8), high=0.9)
    found = ft.compare(a, b)
    check(found.to_json(), "compare")
    assert [run["value"] for run in found.runs] == [0.6, 0.8] and [run["failed"] for run in found.runs] == [1, 1]
    assert found.differ == {"space.params.dropout.high": [0.5, 0.9]}
    (pair,) = found.pairs
    assert pair["on"] == "the rows used to choose" and pair["verdict"] == "better" and pair["n"] == ROWS
    assert pair["difference"] == pytest.approx(0.3) and pair["difference_low"] > 0
    guess = [right(share).argmax(1) == LABELS for share in (0.5, 0.8)]
    assert (pair["gained"], pair["lost"], pair["p_value"]) == mcnemar(*guess)
    text = shown(found)
    assert "200 pictures used to choose" in text and "optimistic" in text and "test" not in text
    assert "30.0 points more than a" in " ".join(text.split())
    shown(found, 40)


def test_the_other_way_round_is_worse_and_the_same_is_the_same(tmp_path: Path) -> None:
    a, b = make_search(tmp_path, "a", proba=right(0.8)), make_search(tmp_path, "b", proba=right(0.5))
    assert ft.compare(a, b).pairs[0]["verdict"] == "worse"
    c = make_search(tmp_path, "c", proba=right(0.8))
    (pair,) = ft.compare(a, c).pairs
    assert (
        pair["same_answers"] and pair["p_value"] == 1 and "give the same answer on all 200 pictures" in pair["sentence"]
    )
    assert ft.compare(a, c).differ == {} and "The same was asked for" in shown(ft.compare(a, c))


def test_a_small_difference_is_none_shown(tmp_path: Path) -> None:
    a, b = make_search(tmp_path, "a", proba=right(0.5)), make_search(tmp_path, "b", proba=right(0.51))
    (pair,) = ft.compare(a, b).pairs
    assert pair["verdict"] == "no difference shown" and "can show: +1.0 points" in pair["sentence"]


def test_stacks_are_paired_on_test_rows_by_clusters(tmp_path: Path) -> None:
    groups = np.arange(ROWS) // 20
    a = make_stack(tmp_path, "a", ("x",), right(0.5), groups=groups)
    b = make_stack(tmp_path, "b", ("x",), right(0.7), groups=groups)
    c = make_stack(tmp_path, "c", ("x",), right(0.5, seed=4), groups=groups)
    found = ft.compare(a, b, c)
    check(found.to_json(), "compare")
    assert [p["run"] for p in found.pairs] == ["b", "c"] and found.pairs[0]["on"] == "test rows"
    assert found.pairs[0]["difference"] == pytest.approx(0.2) and found.pairs[0]["p_holm"] >= found.pairs[0]["p_value"]
    alone = ft.compare(make_stack(tmp_path, "d", ("x",), right(0.5)), make_stack(tmp_path, "e", ("x",), right(0.7)))
    wide = found.pairs[0]["difference_high"] - found.pairs[0]["difference_low"]
    assert wide > alone.pairs[0]["difference_high"] - alone.pairs[0]["difference_low"]
    assert any("twin clusters" in note for note in alone.notes) and not found.notes
    assert "Holm" in shown(found) and "test pictures" in shown(found)
    frame = found.frame()
    assert list(frame["run"]) == ["a", "b", "c"] and frame["difference"].notna().tolist() == [False, True, True]


def test_other_data_other_rows_or_none_stored_are_said(tmp_path: Path) -> None:
    a = make_search(tmp_path, "a", proba=right(0.5))
    other = ft.compare(a, make_search(tmp_path, "b", data="faces", proba=right(0.8)))
    assert other.pairs == () and "different data" in other.notes[0]
    check(other.to_json(), "compare")
    nothing = ft.compare(a, make_search(tmp_path, "c"))
    assert nothing.pairs == () and "c has no stored predictions" in nothing.notes[0]
    moved = make_search(tmp_path, "d")
    np.savez(moved / "validation.npz", row=np.arange(ROWS) + 1, labels=LABELS, proba=right(0.5))
    assert "d predicted other rows than a" in ft.compare(a, moved).notes[0]
    unfinished = ft.compare(make_stack(tmp_path, "s", ("x",)), make_stack(tmp_path, "t", ("x",)))
    assert unfinished.pairs == () and "no stored predictions" in unfinished.notes[0]
    shown(unfinished)
    empty = ft.compare(make_search(tmp_path, "e", (None,)), a)
    assert empty.runs[0]["value"] is None
    shown(empty)


def test_what_cannot_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    a = make_search(tmp_path, "leaky-01")
    s = make_stack(tmp_path, "ss", ("leaky-01",), right(0.6))
    for runs, says in (((a,), "two or more"), ((a, a), "given twice"), ((a, s), "a search and a stack")):
        with pytest.raises(RunError, match=says):
            ft.compare(*runs)
    assert main(["compare", "leaky-01", "leaky-1"]) == 2
    assert "no run at leaky-1; did you mean 'leaky-01'?" in capsys.readouterr().err
    make_search(tmp_path, "bb")
    assert main(["compare", "leaky-01", "bb", "--json"]) == 0
    check(capsys.readouterr().out, "compare")
    assert repr(ft.compare(ft.open_run("leaky-01"), "bb")).startswith("search: leaky-01, bb")
