"""The sentences of a stack report, above all in odd cases."""

from __future__ import annotations

import numpy as np
import pytest

from fertune.evaluation import reliability
from fertune.report.stack import audit, calibration, cost, curves, failures, leaderboard, members, meta, summary
from fertune.report.stack.rows import Compared, read
from fertune.report.stack.weights import by_member
from fertune.report.words import SPACE
from fertune.store.records import FoldRun
from fertune.trial import Failure, FailureKind
from tests.report import fixtures


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def _compared(**changes: float | None) -> Compared:
    base = {"accuracy": 0.65, "accuracy_low": 0.63, "accuracy_high": 0.67, "difference": 0.012, "difference_low": 0.004,
            "difference_high": 0.02, "oof_accuracy": 0.64, "role": "single", "predict_seconds": None}  # fmt: skip
    rows = [{**base, "name": "one", "seconds": 100.0}, {**base, "name": "two", "seconds": 520.0, **changes}]
    return read({"rows": rows, "best_single": "one", "chosen": "two", "n_test": 100, "verdict": {"kind": "helped"}})


def test_cost() -> None:
    assert cost.finding(_compared()) == "+1.2 points for 5.2 times the training time of the best single model."
    assert cost.finding(_compared(seconds=101.0)).startswith("+1.2 points for the same training time")
    assert cost.finding(_compared(seconds=None)).endswith("is not recorded.")
    assert cost.finding(_compared(seconds=0.0)).endswith("is not recorded.")


def test_pareto() -> None:
    assert cost.pareto([(1, 5), (2, 4), (3, 6), (3, 6), (4, 6)]) == [0, 2]
    assert cost.pareto([]) == []


def test_summary_before_the_end() -> None:
    said = summary.finding(fixtures.stack(done=False), None)
    assert said == "Interrupted: 7 fold models of 4 members trained, nothing compared yet."


def test_summary_tells_of_copies_and_of_members_left_out() -> None:
    stored = fixtures.stack("helped")
    assert stored.comparison is not None
    told = summary.asides(read(stored.comparison))
    assert told[0].startswith("It holds without the")
    assert told[1] == "1 member left out (relu_cnn 14: 3 of 5 folds when time was up)."


def test_leaderboard() -> None:
    one = [({"name": "a"}, 0.61)]
    assert (
        plain(leaderboard.finding(one, 100)) == "a reads 61.0 % of 100 rows right out of fold; it is the only member."
    )
    assert "1.0 points more than the last of 2, b" in leaderboard.finding([*one, ({"name": "b"}, 0.60)], 100)
    assert leaderboard.finding([({"name": "a"}, None)], None) == "No member has an out-of-fold score yet."


def test_members() -> None:
    labels = np.array([0, 1, 2, 0])
    said = np.array([[0, 0], [0, 1], [0, 2], [1, 1]])
    assert plain(members.finding(said, labels, ["a", "b"])).startswith(
        "At least one of the two members is right on 75.0 % of 4 rows"
    )
    assert members.finding(said[:, :1], labels, ["a"]) == "There is one member, a: nothing to disagree with."
    three = np.column_stack([said, said[:, 0]])
    assert "a and b differ most, on 50.0 % of rows" in plain(members.finding(three, labels, ["a", "b", "c"]))
    assert members.similar_first(members.disagreement(three)) == [0, 2, 1]


@pytest.mark.parametrize(
    ("name", "explain", "wanted"),
    [
        ("mean", {"kind": "weights", "weights": {"a": 0.5, "b": 0.5}},
         "mean weighs all 2 members alike: nothing to learn."),
        ("mean", {"kind": "weights", "weights": {"a": 1.0}}, "mean weighs its one member: nothing to learn."),
        ("greedy", {"kind": "weights", "weights": {"a": 0.75, "b": 0.25}}, "greedy gives a most weight (0.75 of 1)."),
        ("greedy", {"kind": "weights", "weights": {"a": 1.0, "b": 0.0}},
         "greedy gives a most weight (1.00 of 1) and leaves 1 member of 2 out."),
        ("decision_tree", {"kind": "tree", "leaves": 1, "nodes": [{"parent": None, "feature": None, "class": "happy"}]},
         "decision_tree asks nothing: it always answers happy."),
        ("decision_tree", {"kind": "tree", "leaves": 9, "nodes": [{"parent": None, "feature": "leaky: 7: sad"}]},
         "Its first question is leaky: 7's probability of sad; it has 9 leaves."),
        ("xgboost", {"kind": "importances", "features": ["a: x", "b: y"], "values": [0.2, 0.8]},
         "xgboost leans most on b's probability of y (0.80 of its gain)."),
        ("logistic", {"kind": "none", "reason": "all rows were of class x"},
         "logistic has nothing that can be drawn: all rows were of class x."),
        ("other", {"kind": "something new"}, "other has nothing that can be drawn."),
    ],
)  # fmt: skip
def test_meta(name: str, explain: dict[str, object], wanted: str) -> None:
    assert meta.finding(name, explain) == wanted


def test_coefficients_by_member() -> None:
    explain = {
        "features": ["a: x", "a: y", "b: x", "b: y"],
        "classes": ["x", "y"],
        "values": [[1, 0, 3, 0], [0, 2, 0, 4]],
    }
    names, values = by_member(explain)
    assert names == ["a", "b"]
    assert values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("chosen", ["mean", "greedy", "xgboost", "decision_tree"])
def test_every_kind_of_meta_learner_is_drawn_or_said(chosen: str) -> None:
    record = fixtures.stack(chosen=chosen)
    assert record.comparison is not None
    section = meta.section(record, read(record.comparison))
    assert section.state == "full"
    assert any(block.kind == "figure" for block in section.blocks)


def test_calibration() -> None:
    proba = np.full((400, 2), 0.1)
    proba[:, 0] = 0.9
    labels = np.array([0] * 300 + [1] * 100)
    said = calibration.finding("mean", reliability(proba, labels, 15), None)
    assert said == "mean is overconfident by 15.0 points (ECE 0.150 with 1 bin)."
    fair = calibration.finding("mean", reliability(proba, np.array([0] * 360 + [1] * 40), 15), None)
    assert fair.startswith("mean's confidence is right on average, to 0.0 points")


def _audit(fold: list[int], groups: list[int], parts: dict[str, np.ndarray] | None = None) -> list[audit.Check]:
    n = len(fold)
    return audit.checks(np.array(fold), np.array(groups), np.full(n, 2), parts, 2)


def test_audit_finds_what_leaks() -> None:
    assert all(c.held for c in _audit([0, 0, 1, 1], [0, 0, 1, 2]))
    divided = _audit([0, 1, 1, 1], [0, 0, 1, 2])
    assert [c.law for c in divided if not c.held] == ["copies of one picture are in one fold"]
    assert not _audit([0, -1, 1, 1], [0, 1, 2, 3])[0].held
    rows = {"fold0_fit": [2], "fold0_stop": [0], "fold0_held_out": [0, 1]}
    rows |= {"fold1_fit": [0, 2], "fold1_stop": [1], "fold1_held_out": [2, 3]}
    parts = {name: np.array(positions) for name, positions in rows.items()}
    leaky = _audit([0, 0, 1, 1], [0, 1, 2, 3], parts)
    assert [c.shown for c in leaky if not c.held] == ["1 of 2 stop rows held out in the same fold", "1 such rows"]
    assert audit.finding(leaky, 4, 0).startswith("2 laws do not hold: early stopping watches stop rows")
    one = [c for c in divided if not c.held]
    assert audit.finding(one, 4, 0).startswith("1 law does not hold")
    clean = audit.finding(_audit([0, 1], [0, 1]), 2, 1)
    assert clean.endswith("; 1 test picture has a copy among the training rows.")


def test_folds() -> None:
    run = FoldRun("a", 0, "fold", "completed", 0.5, 9, 5)
    assert curves.finding([run]) == "1 fold model has its best epoch at epoch 5."
    assert curves.finding([run, FoldRun("a", 1, "fold", "completed", 0.5, 9, 7)]).endswith("between epochs 5 and 7.")
    assert "was still improving" in curves.finding([FoldRun("a", 0, "fold", "completed", 0.5, 9, 9)])
    assert curves.finding([]) == "No fold has finished."
    assert failures.finding([]) == "No fold was trained, so none failed."
    assert failures.finding([run]) == "The only fold model did not fail."
    assert failures.finding([run, run]) == "None of 2 fold models failed."
    bad = FoldRun("a", 1, "fold", "failed", failure=Failure(FailureKind.OUT_OF_MEMORY, "oom"))
    assert failures.finding([run, bad]) == "1 of 2 fold models failed (1 out of memory), of a."
