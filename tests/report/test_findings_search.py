"""The sentences of a search report, above all in odd cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fertune.report.reading import Score, axes_of, rank_correlation, ranked
from fertune.report.search import curves, failures, leaderboard, parallel, progress, rungs, summary
from fertune.report.shared import confusion, data, gallery, per_class, reproduce
from fertune.report.shared.numbers import Predicted, f1_intervals, shares
from fertune.report.words import SPACE
from fertune.trial import OBJECTIVES, Failure, FailureKind, Rung, State, Trial
from tests.report import fixtures

ACCURACY = OBJECTIVES["val_accuracy"]
SCORE = Score(ACCURACY, 3589)


def made(
    id: int,
    value: float | None,
    *,
    budget: int = 9,
    best: int = 5,
    state: State = State.COMPLETED,
    params: dict[str, Any] | None = None,
    kind: FailureKind | None = None,
) -> Trial:
    return Trial(
        id, params or {}, state if kind is None else State.FAILED, (Rung(budget, {}, value, budget, 60.0),),
        value=value, best_epoch=best if value is not None else None, ended=float(id),
        failure=Failure(kind, "why") if kind else None,
    )  # fmt: skip


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def test_summary() -> None:
    said = plain(summary.finding(fixtures.search(30)))
    assert "the highest of 27, each at its best epoch, on the 3,589 validation rows used to choose." in said
    assert said.endswith("Expect less on new pictures.")
    assert "the only one, at its best epoch" in summary.finding(fixtures.search(1))
    assert summary.finding(fixtures.search(0)) == "No trial was started."
    assert summary.finding(fixtures.search(0, status="running")) == "Running: no trial has been started yet."
    assert "so far" in summary.finding(fixtures.running())
    assert summary.finding(fixtures.all_failed()).startswith("All 5 trials failed: 5 invalid shapes.")
    assert "the lowest of" in summary.finding(fixtures.by_loss())
    assert "Expect worse on new pictures." in summary.finding(fixtures.by_loss())


def test_leaderboard() -> None:
    one = [made(3, 0.5)]
    assert "nothing to compare it with" in leaderboard.finding(one, one[0], SCORE)
    order = ranked([made(0, 0.60), made(1, 0.601), made(2, 0.4)], ACCURACY)
    said = plain(leaderboard.finding(order, order[0], SCORE))
    assert said.startswith("Trial 1 leads with 60.1 %; 1 other lies within 0.8 points, the standard error of one score")
    assert "their order" not in said
    far = ranked([made(0, 0.7), made(1, 0.5)], ACCURACY)
    assert "no other lies within" in leaderboard.finding(far, far[0], SCORE)
    many = ranked([made(i, 0.6 + i / 10000) for i in range(9)], ACCURACY)
    assert "8 others lie within 0.8 points" in plain(leaderboard.finding(many, many[0], SCORE))


def test_budgets_are_not_one_list() -> None:
    order = ranked([made(0, 0.7, budget=3), made(1, 0.6), made(2, 0.65)], ACCURACY)
    assert [t.id for t in order] == [2, 1, 0]
    said = plain(leaderboard.finding(order, order[2], SCORE))
    assert said.startswith(
        "Trial 0 has the best score, 70.0 % after 3 epochs; among those given 9 epochs, trial 2 leads"
    )


def test_no_standard_error_where_rows_are_not_stored() -> None:
    order = ranked([made(0, 1.2), made(1, 1.3)], OBJECTIVES["val_loss"])
    score = Score(OBJECTIVES["val_loss"], 3589)
    assert [t.id for t in order] == [0, 1]
    assert "no standard error can be given" in leaderboard.finding(order, order[0], score)
    assert score.error(1.2) is None
    assert Score(ACCURACY, 0).error(0.6) is None
    assert Score(OBJECTIVES["val_macro_f1"], 100).error(0.5) is None


def test_progress() -> None:
    assert "Only 2 trials with a score" in progress.finding([made(0, 0.5), made(1, 0.6)], SCORE)
    rising = [made(i, 0.5 + i / 100) for i in range(4)]
    assert "the search was still improving" in progress.finding(rising, SCORE)
    flat = [made(0, 0.6), made(1, 0.5), made(2, 0.5), made(3, None, kind=FailureKind.CRASHED)]
    assert progress.finding(flat, SCORE).startswith("The best came at trial 0; the 3 trials that ended after it")
    one = [made(0, 0.5), made(1, 0.6), made(2, 0.5)]
    assert "the 1 trial that ended after it" in progress.finding(one, SCORE)
    mixed = [made(0, 0.9, budget=3), made(1, 0.6), made(2, 0.5)]
    assert progress.finding(mixed, SCORE).startswith("Among trials given 9 epochs, the best came at trial 1")
    assert [t.id for t in progress.leading(mixed, ACCURACY)] == [1]


def test_curves() -> None:
    assert "The only trial shown was trained for one epoch" in curves.finding([made(0, 0.5, budget=1, best=1)])
    assert "All 2 shown were trained for one epoch" in curves.finding([made(i, 0.5, budget=1, best=1) for i in (0, 1)])
    assert curves.finding([made(0, 0.5, best=9)]).startswith("The best trial was still improving")
    assert curves.finding([made(i, 0.5, best=9) for i in (0, 1)]).startswith("All of the best 2 were still improving")
    some = [made(i, 0.5, best=9 if i else 5) for i in range(3)]
    assert curves.finding(some).startswith("2 of the best 3 were still improving")
    half = [made(i, 0.5, best=9 if i else 5) for i in range(2)]
    assert curves.finding(half).startswith("1 of the best 2 was still improving")
    done = curves.finding([made(i, 0.5, best=8) for i in range(3)])
    assert (
        done == "All of the best 3 passed their best epoch, at most 1 epoch before the end: training was long enough."
    )
    assert curves.finding([made(0, 0.5, best=8)]).startswith("The best trial passed its best epoch, at most 1 epoch")
    short = made(1, 0.5, best=1).but(rungs=(Rung(9, {}, 0.5, 1),))
    assert curves.finding([made(0, 0.5, best=5), short, short]).startswith("1 of the best 3 passed its best epoch")
    pruned = made(1, 0.5, best=3).but(rungs=(Rung(9, {}, 0.5, 3),))
    assert curves.finding([pruned, pruned]).startswith("None of the best 2 was trained past its best epoch")
    rows = ({"epoch": 5, "accuracy": 0.9, "val_accuracy": 0.6},)
    assert "over 10 points better on training rows" in curves.finding([made(0, 0.6).but(history=rows)])


def test_rungs() -> None:
    assert rungs.finding({0: {3: 0.5}}) == "The only trial was not trained further than its first rung."
    assert "1 trial was promoted: fewer than 5" in rungs.finding({0: {3: 0.5, 9: 0.6}, 1: {3: 0.4}})
    paths = {i: {3: i / 10, 9: i / 10} for i in range(6)}
    assert rungs.finding(paths) == "Of 6 promoted trials the order at 3 and 9 epochs agrees at rank correlation 1.00."
    alike = {i: {3: i / 10, 9: 0.5} for i in range(6)}
    assert "6 trials were promoted" in rungs.finding(alike)


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 2, 4], [1, 3, 2, 4]) == pytest.approx(0.9486833)
    assert rank_correlation([1, 1], [1, 2]) is None


def test_failures() -> None:
    assert failures.finding([]) == "No trial was started, so none failed."
    assert failures.finding([made(0, 0.5)]) == "No trial failed."
    assert failures.finding([made(0, None, state=State.RUNNING)]) == "No trial failed so far."
    crash = made(0, None, kind=FailureKind.CRASHED)
    assert failures.finding([crash]).startswith("The only trial failed: 1 crashed.")
    good = [made(i, 0.5, params={"learning_rate": 0.001 * i}) for i in range(1, 12)]
    bad = [made(20 + i, None, kind=FailureKind.NAN_LOSS, params={"learning_rate": 0.03 + i / 100}) for i in range(2)]
    assert failures.finding([*good, *bad]).startswith(
        "2 of 13 failed: 2 NaN losses, both with learning_rate of 0.03 or more. To change: lower the upper end"
    )
    mixed = [*good, *bad, made(30, None, kind=FailureKind.INVALID_SHAPE, params={"learning_rate": 0.001})]
    assert "3 of 14 failed: 2 NaN losses and 1 invalid shape; the 2 NaN losses share" in failures.finding(mixed)
    assert failures.shared(bad[:1], good) == []
    assert failures.shared(bad, good[:2]) == []


def test_parallel() -> None:
    record = fixtures.search(30)
    order = ranked(record.trials, record.objective)
    axes = axes_of(record)
    assert [a.name for a in axes] == list(fixtures.SPACE["params"])
    assert parallel.finding(order[:5], axes).startswith(f"The best trial, {order[0].id}, has blocks")
    assert len(parallel.best_tenth(order)) == 3
    off = next(t for t in order if "filters_4" not in t.params)
    extra = next(a for a in axes if a.name == "filters_4")
    assert extra.conditional
    assert parallel.position(extra, off.params.get("filters_4")) == parallel.OFF
    assert [label for _, label in parallel.ticks(extra)] == ["64", "128", "192", "256"]
    rate = next(a for a in axes if a.name == "learning_rate")
    assert parallel.position(rate, 1e-4) == 0
    assert parallel.position(rate, 3e-2) == 1


def test_parallel_with_many() -> None:
    order = [made(i, 0.5) for i in range(500)]
    lines = parallel.chosen_lines(order)
    assert lines[:20] == order[:20]
    assert len(lines) == len({t.id for t in lines}) == 200
    axes = axes_of(fixtures.search(30)) * 2
    assert len(parallel.chosen_axes(axes)) == 8


def test_data() -> None:
    names = ("a", "b")
    assert data.finding(names, {"train": [90, 10]}, {}) == f"b has 10 of 100 training rows (10.0{SPACE}%)."
    assert data.finding(names, {"train": [90, 0]}, {}) == "b has no training rows."
    assert data.finding(names, {"train": [50, 50]}, {}).startswith("All 2 classes are about as frequent")
    assert data.finding(names, {}, {}) == "Counts of the training rows are not recorded."
    said = data.finding(names, {"train": [90, 10]}, {"test_in_train": 1})
    assert said.endswith("; 1 test row has a copy among the training rows.")


def test_confusion() -> None:
    names = ("fear", "sad")
    right = np.array([[10, 0], [0, 10]])
    assert confusion.finding(names, right) == "All 20 pictures were read right."
    wrong = np.array([[8, 2], [0, 10]])
    assert confusion.finding(names, wrong) == "fear is read as sad in 2 of 10 pictures, the most frequent confusion."
    assert confusion.finding(names, wrong, right).endswith("the stack makes it not once, 2 fewer.")
    assert confusion.finding(names, wrong, wrong).endswith("the stack makes it as often.")
    assert confusion.finding(names, wrong, np.array([[5, 5], [0, 10]])).endswith("the stack makes it 5 times, 3 more.")


def _predicted(labels: list[int], said: list[int], k: int = 3) -> Predicted:
    proba = np.eye(k)[said] * 0.7 + 0.1
    return Predicted(np.arange(len(labels)), np.array(labels), proba / proba.sum(axis=1, keepdims=True))


def test_per_class() -> None:
    names = ("a", "b", "c")
    one = _predicted([0] * 40 + [1] * 40, [0] * 40 + [1] * 30 + [0] * 10)
    c = per_class.classes_of(names, one, None)
    assert per_class.finding(c).startswith("b is read worst (F1 85.7")
    assert c.order == [1, 0, 2]
    assert np.isnan(c.single.f1[2])
    lone = per_class.classes_of(names, _predicted([1, 1], [1, 0]), None)
    assert per_class.finding(lone).startswith("Only b has rows")
    same = per_class.classes_of(names, one, one)
    assert per_class.finding(same) == "F1 is the same for both classes."
    better = _predicted([0] * 40 + [1] * 40, [0] * 40 + [1] * 40)
    said = per_class.finding(per_class.classes_of(names, one, better))
    assert said.startswith("b gains most (+14.3 points of F1 on 40 rows: interval +")
    assert said.endswith("the interval is above 0 for b and a.")
    worse = per_class.finding(per_class.classes_of(names, better, one))
    assert "b loses most (\u221214.3 points" in worse


def test_intervals_are_of_these_rows_and_seeded() -> None:
    one = _predicted([0] * 50 + [1] * 50, [0] * 40 + [1] * 60)
    a, none, change = f1_intervals(one, None, 3)
    again, _, _ = f1_intervals(one, None, 3)
    assert none is None
    assert change is None
    assert a.low[0] < 80 / 90 < a.high[0]
    assert np.array_equal(a.low, again.low, equal_nan=True)
    assert np.isnan(a.low[2])
    named, _, _ = f1_intervals(_predicted([0] * 9, [0] * 5 + [2] * 4), None, 3)
    assert np.isnan(named.low[2])


def test_shares_of_a_class_without_rows_are_no_zero() -> None:
    out = shares(np.array([[1, 1], [0, 0]]))
    assert out[0].tolist() == [0.5, 0.5]
    assert np.isnan(out[1]).all()


def test_gallery() -> None:
    assert plain(gallery.finding(16, 25, 0.661, 3589, "test pictures")) == (
        "16 of these 25 are right; of all 3,589 test pictures it is 66.1 %."
    )
    assert gallery.finding(1, 25, 0.5, 25, "rows").startswith("1 of these 25 is right")
    assert gallery.finding(0, 1, 0.5, 1, "rows").startswith("This one is wrong")
    assert gallery.finding(0, 0, 0.5, 9, "rows").startswith("None of the stored pictures has a prediction")


def test_reproduce() -> None:
    assert "Versions were not recorded" in reproduce.finding({})
    assert reproduce.finding({"versions": {"python": "3.11"}, "options": {"seed": 0}}).startswith("Seed 0.")
    assert reproduce.typed(["/usr/bin/fertune", "search", "--data", "/home/ann/my file.csv"]) == (
        "fertune search --data 'my file.csv'"
    )
