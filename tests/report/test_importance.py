"""What moved the score: only from enough trials at one budget, and conditional parameters with the rest."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from fertune.report import importance
from fertune.report.reading import axes_of
from fertune.trial import Rung, State, Trial
from tests.report import fixtures


def _trials(n: int, budget: int = 9) -> tuple[Trial, ...]:
    """x decides the score, noise does nothing, y is there for half of them."""
    out = []
    for i in range(n):
        x = (i * 7 % n) / n
        params: dict[str, object] = {"x": x, "noise": (i * 5 % n) / n, "kind": "ab"[i % 2]}
        if i % 2:
            params["y"] = i % 5
        value = 0.2 + 0.6 * x
        out.append(Trial(i, params, State.COMPLETED, (Rung(budget, {}, value, budget, 1.0),), value=value))
    return tuple(out)


def _record(trials: tuple[Trial, ...]) -> fixtures.MemorySearch:
    record = fixtures.search(1)
    info = {**record.info, "space": {"name": "toy", "params": {}}}
    return replace(record, trials=trials, info=info)


def test_what_decides_comes_first() -> None:
    record = _record(_trials(40))
    budget, pairs = importance.at_one_budget(record.trials)
    found = importance.importances(pairs, axes_of(record), record.objective)
    assert (budget, len(pairs)) == (9, 40)
    assert found[0].axis.name == "x"
    assert found[0].share > 0.6
    assert sum(f.share for f in found) == pytest.approx(1)
    assert all(0 <= f.low <= f.share <= f.high <= 1 for f in found)
    assert {f.axis.name: f.active for f in found} == {"x": 40, "noise": 40, "kind": 40, "y": 20}
    assert found == importance.importances(pairs, axes_of(record), record.objective)


@pytest.mark.parametrize(
    ("n", "words"), [(1, "19 more are needed"), (12, "8 more are needed"), (19, "1 more is needed")]
)
def test_too_few_says_how_many_more(n: int, words: str) -> None:
    section = importance.section(_record(_trials(n)))
    assert section.state == "empty"
    assert words in section.finding
    assert not any(block.kind == "figure" for block in section.blocks)


def test_none_at_all() -> None:
    assert importance.section(_record(())).finding.startswith("No trial has a score;")


def test_budgets_are_not_mixed() -> None:
    few = tuple(t.but(id=100 + t.id) for t in _trials(10, budget=27))
    budget, pairs = importance.at_one_budget((*_trials(15), *few))
    assert (budget, len(pairs)) == (9, 15)


def test_a_promoted_trial_counts_with_the_score_it_had_there() -> None:
    trials = tuple(t.but(rungs=(Rung(3, {}, 0.1 + t.id / 1000, 3), t.rungs[0])) for t in _trials(25))
    budget, pairs = importance.at_one_budget(trials)
    assert budget == 9
    budget, pairs = importance.at_one_budget((*trials[:5], *(t.but(rungs=t.rungs[:1]) for t in trials[5:])))
    assert budget == 3
    assert [v for _, v in pairs] == [0.1 + i / 1000 for i in range(25)]


def test_all_alike_is_said() -> None:
    same = tuple(t.but(value=0.5, rungs=(Rung(9, {}, 0.5, 9),)) for t in _trials(25))
    assert "nothing can have moved it" in importance.section(_record(same)).finding


def test_rarely_active_parameters_are_named_not_judged() -> None:
    trials = tuple(
        t if t.id < 16 else t.but(params={k: v for k, v in t.params.items() if k != "y"}) for t in _trials(40)
    )
    section = importance.section(_record(trials))
    assert "not judged: y." in section.how


def test_optuna_is_asked_only_when_it_is_needed() -> None:
    code = "import sys, fertune.report; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
