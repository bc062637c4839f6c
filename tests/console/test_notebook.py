"""The console of a notebook: one output, at most one drawing a second, the summary last."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fertune.console import NotebookConsole, PlainConsole, choose_console, notebook, summary_text
from fertune.trial import State
from tests.console.factory import comparison, fold, search_record, stack_record, thirty, trial


class Output:
    """What a cell's output went through."""

    def __init__(self) -> None:
        self.states: list[Mapping[str, str]] = []

    def __call__(self, bundle: Mapping[str, str]) -> None:
        self.states.append(bundle)

    @property
    def last(self) -> str:
        return self.states[-1]["text/plain"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(notebook, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_it_draws_once_a_second_and_ends_with_the_summary(clock: list[float]) -> None:
    output = Output()
    console = NotebookConsole(output)
    record = search_record(Path("/runs/x"), thirty())
    console.said("opened 100 rows")
    console.search_started(record.info, 30, ())
    drawn = len(output.states)
    for one in thirty()[:5]:
        console.trial_started(one)
        console.epoch(one, {})
        console.trial_ended(one, one)
        console.tick()
    assert len(output.states) == drawn
    clock[0] += 1.1
    console.tick()
    console.tick()
    assert len(output.states) == drawn + 1
    assert "5/30 trials" in output.last
    console.search_ended(record)
    assert output.last == "opened 100 rows\n" + summary_text(record)
    console.tick()
    console.close()
    assert "Search finished" in output.last


def test_a_stack_and_work_before_it(clock: list[float]) -> None:
    output = Output()
    console = NotebookConsole(output)
    clock[0] += 2
    console.progress("reading", 1000, 35887, "rows")
    assert output.last == "reading: 1,000 of 35,887 rows"
    console.progress("reading", 2000, 35887, "rows")
    assert len(output.states) == 1
    record = stack_record(Path("/runs/s"), comparison(), (fold(),))
    console.stack_started(record.info, [("a", 0, "fold")])
    console.fold_started("a", 0, "fold")
    console.fold_epoch("a", 0, "fold", {"epoch": 2})
    console.fold_ended(fold())
    console.meta_ended({"name": "mean", "oof_accuracy": 0.6})
    clock[0] += 2
    console.tick()
    console.stack_ended(record)
    assert output.last == summary_text(record)


def test_outside_text_is_text(clock: list[float]) -> None:
    output = Output()
    NotebookConsole(output).warned("</pre><script>alert(1)</script>\x1b[31m")
    assert "<script>" not in output.states[-1]["text/html"]
    assert "\x1b" not in output.last
    assert output.last.startswith("warning: ")


def test_a_kernel_gets_it_and_a_terminal_session_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    shell = SimpleNamespace(kernel=object(), display_pub=SimpleNamespace(publish=lambda **given: sent.append(given)))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    console = choose_console()
    assert isinstance(console, NotebookConsole)
    console.said("one")
    console.said("two")
    assert [s["update"] for s in sent] == [False, True]
    assert sent[0]["transient"] == sent[1]["transient"]
    assert isinstance(choose_console(json=True), PlainConsole)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not isinstance(choose_console(), NotebookConsole)


def test_the_text_of_a_run_without_a_score() -> None:
    text = summary_text(search_record(Path("/runs/x"), (trial(0, State.RUNNING, None, 0, 0),), "running"))
    assert text
    assert "\x1b" not in text


@pytest.mark.slow
def test_in_a_real_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="notebooks are read with nbformat")
    client = pytest.importorskip("nbclient", reason="notebooks are run with nbclient")
    pytest.importorskip("ipykernel", reason="notebooks are run in an IPython kernel")
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "cache"))
    space = (
        "name: tiny\nmodel: conv\nfixed: {activation: relu, blocks: 2, dense_units: 8}\n"
        "recipe: {optimizer: adam, batch_size: 64}\n"
        "params:\n  filters_1: {type: choice, values: [4, 8]}\n"
    )
    (tmp_path / "tiny.yaml").write_text(space)
    cells = [
        "import fertune as ft\nrun = ft.search('tiny.yaml', data='builtin:digits', trials=1, max_epochs=1)",
        "run",
        "run.tables['leaderboard']",
        "run.figures['confusion']",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client.NotebookClient(book, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [[o for o in c.outputs if o.output_type != "stream"] for c in book.cells]
    assert [len(o) for o in outputs] == [1, 1, 1, 1]
    assert "Search finished: 1 trial" in outputs[0][0]["data"]["text/plain"]
    assert "optimistic" in outputs[1][0]["data"]["text/html"]
    assert outputs[2][0]["data"]["text/html"].startswith("<table")
    assert outputs[3][0]["data"]["image/svg+xml"].startswith("<svg")
