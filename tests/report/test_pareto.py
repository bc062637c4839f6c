"""Searches of two objectives: quality against cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fertune.report import Figures
from fertune.report.reading import score_of
from fertune.report.search import pareto
from fertune.report.sections import plan
from fertune.report.words import SPACE
from fertune.trial import Objective
from tests.report import fixtures

WEIGHTS = Objective("parameters", "min")


def two(n: int, second: Objective = WEIGHTS) -> fixtures.MemorySearch:
    base = fixtures.search(n)
    stored = {"name": second.name, "direction": second.direction}
    made = tuple(
        t.but(values={"val_accuracy": t.value, second.name: float(1000 * (t.id % 5 + 1))}) if t.value is not None else t
        for t in base.trials
    )
    return replace(base, info={**base.info, "second_objective": stored}, trials=made)


def test_the_front_is_drawn_and_told() -> None:
    record = two(30)
    section = pareto.section(record)
    assert section.state == "full"
    assert section.numbers is not None
    shown = [row.cells[0].sort for row in section.numbers.rows if row.cells[3].text == "no"]
    assert sorted(shown) == sorted(record.pareto or ())
    assert f"{len(shown)} of 27 trials" in section.finding
    assert section.finding.replace(SPACE, " ").count(" weights") == 2
    assert list(plan(record))[2] == "pareto"
    assert Figures(record)["pareto"].svg.count("trial ") >= 27


@pytest.mark.parametrize(("n", "wanted"), [(1, "nothing to compare it with"), (0, "No trial has both values yet")])
def test_few(n: int, wanted: str) -> None:
    section = pareto.section(two(n))
    assert wanted in section.finding
    assert section.state in ("thin", "empty")


def test_one_trial_may_be_best_and_cheapest() -> None:
    record = two(3)
    best = record.trials[0].but(values={"val_accuracy": 0.99, "parameters": 10.0})
    said = pareto.finding([best], 3, score_of(record), WEIGHTS)
    assert said.endswith("it is both the best and the cheapest.")
    assert [v for _, v in said.numbers] == [3.0, 0.0, 0.99, 10.0]


def test_latency_has_its_unit() -> None:
    assert pareto.cost_text(0.8213, Objective("latency", "min")).replace(SPACE, " ") == "0.82 ms a picture"


def test_a_search_of_one_objective_has_no_such_section() -> None:
    assert "pareto" not in plan(fixtures.search(2))
