"""The table: its shape, its order, and that nothing in it is picked on test rows (Law 9)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fertune.evaluation import Contender, best_by_oof, compare, holm, out_of_fold

N, M, C = 400, 900, 3
ROW = {
    "name", "role", "accuracy", "accuracy_low", "accuracy_high", "difference", "difference_low", "difference_high", "n",
    "macro_f1", "log_loss", "p_value", "p_holm", "gained", "lost", "seconds", "oof_accuracy", "oof_rows",
    "predict_seconds", "without_twins",
}  # fmt: skip
TOP = {
    "rows", "best_single", "chosen", "n_test", "n_oof", "n_test_twins", "majority", "predictor", "verdict", "left_out"
}  # fmt: skip
rng = np.random.default_rng(0)
TEST, OOF = rng.integers(0, C, N), rng.choice(C, M, p=[0.2, 0.5, 0.3])


def proba(labels: np.ndarray, right: float, seed: int) -> np.ndarray:
    """Probabilities of which a share ``right`` is put on the label."""
    own = np.random.default_rng(seed)
    made = own.dirichlet(np.ones(C), len(labels)) * 0.4
    guess = np.where(own.random(len(labels)) < right, labels, (labels + 1) % C)
    made[np.arange(len(labels)), guess] += 0.6
    return made


def contender(name: str, role: str, test: float, oof: float, seed: int = 1) -> Contender:
    return Contender(name, role, proba(TEST, test, seed), proba(OOF, oof, seed + 100), M, 10.0, 0.5)


FIELD = [
    contender("xgboost", "meta", 0.70, 0.72, 1),
    contender("mean", "average", 0.69, 0.66, 2),
    contender("leaky 7", "single", 0.60, 0.61, 3),
    contender("relu 2", "single", 0.75, 0.55, 4),
    contender("logistic", "meta", 0.72, 0.75, 5),
    contender("balanced weights", "variant", 0.50, 0.58, 6),
    contender("decision_tree", "meta", 0.55, 0.60, 7),
    contender("greedy", "average", 0.60, 0.70, 8),
]
ORDER = ["leaky 7", "logistic", "relu 2", "balanced weights", "greedy", "mean", "xgboost", "decision_tree"]


def table(contenders: list[Contender] = FIELD, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "test_labels": TEST, "test_groups": np.arange(N), "test_twin": np.arange(N) < 40, "oof_labels": OOF,
        "reference": "leaky 7", "chosen": "logistic", "seed": 3, "resamples": 300, "predictor": "mean of 5 fold models",
        "left_out": [{"name": "relu 9", "reason": "fold 3 failed"}],
    }  # fmt: skip
    return compare(contenders, **(plain | changes))


def test_shape_and_plain_numbers() -> None:
    found = table()
    assert set(found) == TOP and all(set(row) == ROW for row in found["rows"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["n_test"], found["n_oof"], found["n_test_twins"]) == (N, M, 40)
    assert found["left_out"] == [{"name": "relu 9", "reason": "fold 3 failed"}]
    assert found["majority"] == pytest.approx(np.mean(TEST == 1))
    assert found["verdict"]["kind"] == "helped"


def test_order_is_reference_chosen_then_roles_by_out_of_fold_accuracy() -> None:
    assert [row["name"] for row in table()["rows"]] == ORDER


def test_the_order_and_the_choice_never_depend_on_test_numbers() -> None:
    """Law 9: the test rows are dealt anew to everybody; order, reference and choice stay."""
    shuffled = [replace(c, test_proba=d.test_proba) for c, d in zip(FIELD, FIELD[3:] + FIELD[:3], strict=True)]
    assert [row["name"] for row in table(shuffled)["rows"]] == ORDER
    assert [row["name"] for row in table(test_labels=(TEST + 1) % C)["rows"]] == ORDER
    for contenders in (FIELD, shuffled, FIELD[::-1]):
        assert best_by_oof(contenders, OOF, ["single"]).name == "leaky 7"  # "relu 2" is better on the test rows
        assert best_by_oof(contenders, OOF, ["average", "meta"]).name == "logistic"


def test_order_of_contenders_given_changes_nothing() -> None:
    assert table(FIELD[::-1]) == table()


def test_the_reference_has_no_difference_and_others_have() -> None:
    first, *others = table()["rows"]
    paired = ("difference", "difference_low", "difference_high", "p_value", "p_holm", "gained", "lost")
    assert all(first[key] is None for key in paired) and first["accuracy"] is not None
    for row in others:
        assert row["difference"] == pytest.approx(row["accuracy"] - first["accuracy"])
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        assert row["gained"] - row["lost"] == pytest.approx(N * row["difference"])
    assert [row["p_holm"] for row in others] == holm([row["p_value"] for row in others])
    assert any(row["p_holm"] > row["p_value"] for row in others)


def test_a_contender_identical_to_the_reference() -> None:
    twin = replace(FIELD[2], name="same", role="average")
    found = table([*FIELD, twin], chosen="same")
    row = found["rows"][1]
    assert [row[k] for k in ("difference", "difference_low", "difference_high", "gained", "lost")] == [0, 0, 0, 0, 0]
    assert row["p_value"] == row["p_holm"] == 1
    assert found["verdict"]["kind"] == "none" and found["verdict"]["detectable"] is None
    assert "the same answer on all 400 test pictures" in found["verdict"]["sentence"]


def test_without_test_labels_all_test_fields_are_null() -> None:
    bare = [replace(c, test_proba=None) for c in FIELD]
    for labels in (None, np.zeros(0, dtype=int)):
        found = table(bare, test_labels=labels, test_groups=None, test_twin=None)
        assert [row["name"] for row in found["rows"]] == ORDER
        filled = {key for row in found["rows"] for key, value in row.items() if value is not None}
        assert filled == {"name", "role", "n", "seconds", "oof_accuracy", "oof_rows", "predict_seconds"}
        assert found["n_test"] == 0 and found["majority"] is None
        assert found["verdict"] == {
            "kind": "no_test",
            "sentence": "No verdict: no labelled test rows",
            "detectable": None,
        }


def test_one_test_row() -> None:
    one = [replace(c, test_proba=c.test_proba[:1]) for c in FIELD]
    found = table(one, test_labels=TEST[:1], test_groups=np.zeros(1, dtype=int), test_twin=np.array([False]))
    assert found["verdict"]["kind"] == "none"
    json.dumps(found, allow_nan=False)


def test_without_twins() -> None:
    found = table()
    assert all(row["without_twins"]["n"] == N - 40 for row in found["rows"])
    reference, chosen = (row["without_twins"] for row in found["rows"][:2])
    keep = np.arange(N) >= 40
    assert reference["accuracy"] == pytest.approx(np.mean(FIELD[2].test_proba[keep].argmax(1) == TEST[keep]))
    assert reference["verdict"] is None and reference["difference"] is None
    assert chosen["verdict"] == "helped" and chosen["difference_low"] > 0


@pytest.mark.parametrize("twin", [None, np.zeros(N, dtype=bool), np.ones(N, dtype=bool)])
def test_no_twins_and_nothing_but_twins(twin: np.ndarray | None) -> None:
    assert all(row["without_twins"] is None for row in table(test_twin=twin)["rows"])


def test_a_verdict_that_twins_made_says_so() -> None:
    """The stack is right on the twins only."""
    twin = np.arange(N) < 60
    single = proba(TEST, 0.6, 3)
    stack = np.where(twin[:, None], np.eye(C)[TEST], single)
    found = table([replace(FIELD[2], test_proba=single), replace(FIELD[4], test_proba=stack)], test_twin=twin, seed=0)
    assert found["verdict"]["kind"] == "helped"
    assert "Without the 60 test pictures" in found["verdict"]["sentence"]
    assert "no difference is shown" in found["verdict"]["sentence"]


def test_twins_among_test_rows_widen_the_interval() -> None:
    """The same 100 pictures four times over."""
    many = [replace(c, test_proba=np.tile(c.test_proba[:100], (4, 1))) for c in FIELD]
    labels, twin = np.tile(TEST[:100], 4), np.zeros(N, dtype=bool)

    def width(groups: np.ndarray | None) -> float:
        row = table(many, test_labels=labels, test_groups=groups, test_twin=twin)["rows"][1]
        return float(row["difference_high"] - row["difference_low"])

    assert width(np.tile(np.arange(100), 4)) > 1.6 * width(None)


def test_out_of_fold_accuracy_of_a_bag_is_that_of_its_rows() -> None:
    part = FIELD[5].oof_proba.copy()
    part[::3] = np.nan
    bag = replace(FIELD[5], name="bagging of 5", oof_proba=part, oof_rows=M - M // 3)
    found = out_of_fold(bag, OOF)
    keep = np.arange(M) % 3 != 0
    assert found.rows == keep.sum()
    assert found.accuracy == pytest.approx(np.mean(part[keep].argmax(1) == OOF[keep]))
    row = next(row for row in table([*FIELD, bag])["rows"] if row["name"] == "bagging of 5")
    assert row["oof_rows"] == keep.sum() and row["oof_accuracy"] == found.accuracy
    with pytest.raises(ValueError, match="oof_rows is 900"):
        out_of_fold(replace(bag, oof_rows=M), OOF)


def test_nothing_out_of_fold_stands_last_in_its_role() -> None:
    none = replace(FIELD[3], name="a new one", oof_proba=None, oof_rows=None)
    rows = table([none, *FIELD])["rows"]
    assert [row["name"] for row in rows if row["role"] == "single"] == ["leaky 7", "relu 2", "a new one"]
    assert next(row for row in rows if row["name"] == "a new one")["oof_accuracy"] is None
    with pytest.raises(ValueError, match="out-of-fold rows"):
        best_by_oof([none], OOF)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": "nobody"}, "no contender named 'nobody'"),
        ({"chosen": "leaky 7"}, "both the reference and the chosen"),
        ({"contenders": [*FIELD, FIELD[0]]}, "one name"),
        ({"contenders": [*FIELD, replace(FIELD[0], name="x", role="champion")]}, "champion"),
        ({"contenders": [*FIELD[:4], replace(FIELD[4], test_proba=None)]}, "need test probabilities"),
        ({"contenders": [*FIELD[:4], replace(FIELD[4], test_proba=FIELD[4].test_proba[1:])]}, "400 finite rows"),
        ({"contenders": [*FIELD[:4], replace(FIELD[4], oof_proba=FIELD[4].oof_proba[1:])]}, "899 out-of-fold rows"),
    ],
)
def test_what_cannot_be_compared(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table(**changes)


def test_evaluation_imports_no_heavy_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, fertune.evaluation, fertune.predictions;"
        "print([m for m in ('keras', 'tensorflow', 'sklearn', 'scipy', 'pandas') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
