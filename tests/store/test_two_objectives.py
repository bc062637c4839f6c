"""What people and programs see of a search for two objectives: terminal, JSON, frame, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fertune as ft
from fertune.console.screen import Screen
from fertune.console.summary import search_summary
from fertune.report.search.leaderboard import table
from fertune.store.records import SearchRecord
from fertune.trial import State
from tests.console.factory import Stream, search_record, trial
from tests.schema import check

VALUES = [(0.50, 1000.0), (0.60, 2000.0), (0.55, 3000.0), (0.70, 12345.0)]


def record(second: str = "parameters", scale: float = 1.0) -> SearchRecord:
    trials = [
        trial(i, value=v, parameters=int(w), values={"val_accuracy": v, second: w * scale})
        for i, (v, w) in enumerate(VALUES)
    ]
    trials.append(trial(4, State.RUNNING, None, 0, 0))
    return search_record(
        Path("/runs/two"), tuple(trials), second_objective={"name": second, "direction": "min"}, engine="nsga2"
    )


def terminal(shown: SearchRecord) -> str:
    lines = search_summary(Screen(Stream(), {"COLUMNS": "400"}), shown)
    return "\n".join(line.plain for line in lines)


def test_the_document_follows_its_schema() -> None:
    document = record().to_json()
    check(document, "search")
    assert document["pareto"] == [3, 1, 0] and document["best"]["id"] == 3
    assert document["trials"][2]["values"] == {"val_accuracy": 0.55, "parameters": 3000.0}
    for spoil in (
        lambda d: d.update(pareto=["3"]),
        lambda d: d.update(second_objective={"name": "beauty", "direction": "max"}),
        lambda d: d["trials"][0].update(values={"parameters": "many"}),
    ):
        broken = record().to_json()
        spoil(broken)
        with pytest.raises(AssertionError):
            check(broken, "search")


@pytest.mark.parametrize("engine", ["bayesian", "grid", "gp", "cmaes", "qmc", "nsga2", "own:Mine"])
def test_every_engine_is_in_the_schema(engine: str) -> None:
    check(search_record(Path("/runs/x"), (), engine=engine).to_json(), "search")
    with pytest.raises(AssertionError):
        check(search_record(Path("/runs/x"), (), engine=f"my-{engine}").to_json(), "search")


def test_one_objective_has_none_of_it() -> None:
    document = search_record(Path("/runs/one"), (trial(0),)).to_json()
    assert not {"pareto", "second_objective"} & set(document) and "values" not in document["trials"][0]
    assert "no other beats" not in terminal(search_record(Path("/runs/one"), (trial(0),)))


def test_the_terminal_names_the_front() -> None:
    assert (
        "3 trials that no other beats in both val_accuracy and parameters: trial 3: 0.7000, 12,345 parameters · "
        "trial 1: 0.6000, 2,000 parameters · trial 0: 0.5000, 1,000 parameters"
    ) in terminal(record())
    assert "trial 3: 0.7000, 1.23 ms a picture" in terminal(record("latency", 1e-4))


def test_the_report_has_it_in_the_leaderboard() -> None:
    def columns(shown: SearchRecord) -> dict[str, list[str]]:
        made = table(shown)
        return {c.label: [row.cells[i].text for row in made.rows] for i, c in enumerate(made.columns)}

    one = columns(record())
    assert one["trial"] == ["3", "1", "2", "0"] and one["Pareto"] == ["yes", "yes", "", "yes"]
    assert "latency, ms" not in one
    assert columns(record("latency", 1e-4))["latency, ms"] == ["1.23", "0.2", "0.3", "0.1"]
    assert "Pareto" not in columns(search_record(Path("/runs/one"), (trial(0), trial(1))))


@pytest.mark.parametrize("second", ["parameters", "latency"])
def test_the_frame_has_it(second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ft.SearchRun, "record", property(lambda self: record(second)))
    frame: Any = ft.SearchRun("/runs/two").trials()
    assert list(frame["pareto"]) == [True, True, False, True, False]
    assert list(frame[second])[:4] == [1000.0, 2000.0, 3000.0, 12345.0]
    assert list(frame.columns).count("parameters") == 1
