"""Every meta-learner keeps one contract; what each learns is held against a known truth."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fertune.errors import ConfigError, MissingPackage, RunError
from fertune.evaluation import accuracy, log_loss
from fertune.stacking.meta import LEARNERS, load_fitted, named
from fertune.stacking.meta.learner import STATE
from tests.stacking.meta_fakes import matrix

NAMES = [
    "mean", "greedy", "decision_tree", "logistic", "lda", "knn", "mlp", "svm", "extra_trees", "random_forest",
    "xgboost",
]  # fmt: skip
FIT, NEW = matrix(seed=1), matrix(seed=2)


@pytest.fixture(params=NAMES)
def learner(request: pytest.FixtureRequest) -> object:
    return LEARNERS[request.param]


def test_names_and_roles() -> None:
    assert list(LEARNERS) == NAMES
    assert [learner.role for learner in LEARNERS.values()] == ["average"] * 2 + ["meta"] * 9
    assert [name for name, learner in LEARNERS.items() if learner.space() is not None] == NAMES[2:]
    with pytest.raises(ConfigError, match="did you mean 'xgboost'"):
        named("xgbost")


def test_gives_probabilities_of_all_classes(learner) -> None:
    proba = learner.fit({}, FIT.proba, FIT.labels, 0).predict_proba(NEW.proba)
    assert proba.shape == (600, 4) and proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
    assert proba.min() >= 0
    assert accuracy(proba, NEW.labels) > 0.7


def test_is_deterministic_and_leaves_its_input_alone(learner) -> None:
    before = FIT.proba.copy()
    one, two = (learner.fit({}, FIT.proba, FIT.labels, 3).predict_proba(NEW.proba) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(FIT.proba, before)


def test_classes_absent_from_the_fit_keep_their_columns(learner) -> None:
    keep = FIT.labels != 1
    proba = learner.fit({}, FIT.proba[keep], FIT.labels[keep], 0).predict_proba(NEW.proba)
    assert proba.shape == (600, 4)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-9)
    rest = NEW.labels != 1
    assert accuracy(proba[rest], NEW.labels[rest]) > 0.7


def test_one_class_alone_and_one_row_alone(learner) -> None:
    only = FIT.labels == 2
    for rows in (np.flatnonzero(only), np.flatnonzero(only)[:1]):
        proba = learner.fit({}, FIT.proba[rows], FIT.labels[rows], 0).predict_proba(NEW.proba[:5])
        assert proba.shape == (5, 4) and np.all(np.isfinite(proba))


def test_two_classes_and_one_member(learner) -> None:
    small = matrix(200, (1.5,), classes=2, seed=4)
    fitted = learner.fit({}, small.proba, small.labels, 0)
    assert accuracy(fitted.predict_proba(small.proba), small.labels) > 0.8
    json.dumps(fitted.explain(), allow_nan=False)


def test_zeros_and_ones_are_no_trouble(learner) -> None:
    sure = np.eye(4, dtype=np.float32)[FIT.proba.argmax(axis=2)]
    proba = learner.fit({}, sure, FIT.labels, 0).predict_proba(sure)
    assert np.all(np.isfinite(proba)) and np.isfinite(log_loss(proba, FIT.labels))


def test_saved_and_loaded_it_predicts_the_same(learner, tmp_path: Path) -> None:
    fitted = learner.fit({}, FIT.proba, FIT.labels, 0)
    fitted.save(tmp_path / "deep" / "it")
    for again in (learner.load(tmp_path / "deep" / "it"), load_fitted(tmp_path / "deep" / "it")):
        np.testing.assert_allclose(again.predict_proba(NEW.proba), fitted.predict_proba(NEW.proba), atol=1e-6)
        assert again.explain(FIT.names) == fitted.explain(FIT.names)
    kinds = {path.suffix for path in (tmp_path / "deep" / "it").iterdir()}
    assert kinds <= {".json", ".skops", ".npz"}


def test_saved_and_loaded_without_some_classes(learner, tmp_path: Path) -> None:
    for keep in (FIT.labels != 1, FIT.labels == 2):
        fitted = learner.fit({}, FIT.proba[keep], FIT.labels[keep], 0)
        fitted.save(tmp_path / str(keep.sum()))
        again = load_fitted(tmp_path / str(keep.sum()))
        np.testing.assert_allclose(again.predict_proba(NEW.proba), fitted.predict_proba(NEW.proba), atol=1e-6)


def test_wrong_input_is_refused(learner) -> None:
    fitted = learner.fit({}, FIT.proba, FIT.labels, 0)
    with pytest.raises(ValueError, match="was fitted"):
        fitted.predict_proba(NEW.proba[:, :2])
    with pytest.raises(ValueError, match="shape"):
        learner.fit({}, FIT.proba[:, 0], FIT.labels, 0)
    with pytest.raises(ValueError, match="labels go from"):
        learner.fit({}, FIT.proba, FIT.labels + 1, 0)
    with pytest.raises(ConfigError, match="no parameter 'depht'"):
        learner.fit({"depht": 3}, FIT.proba, FIT.labels, 0)


def test_damaged_folders_are_told(learner, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=f"{STATE} is missing"):
        learner.load(tmp_path / "none")
    learner.fit({}, FIT.proba, FIT.labels, 0).save(tmp_path)
    state = json.loads((tmp_path / STATE).read_text(encoding="utf-8"))
    for change, message in (
        ({"protocol": 2}, "protocol 2"),
        ({"learner": "other"}, "holds 'other'"),
        ({"models": "3"}, "does not describe"),
    ):
        (tmp_path / STATE).write_text(json.dumps({**state, **change}), encoding="utf-8")
        with pytest.raises(RunError, match=message):
            learner.load(tmp_path)
    (tmp_path / STATE).write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        learner.load(tmp_path)


@pytest.mark.parametrize("name", NAMES[2:])
def test_any_point_of_its_space_can_be_fitted(name: str) -> None:
    space = LEARNERS[name].space()
    assert space is not None
    rng, small = np.random.default_rng(0), matrix(120, seed=5)
    assert set(space.names) == set(LEARNERS[name].defaults)
    assert space.contains(LEARNERS[name].defaults)
    for _ in range(4):
        fitted = LEARNERS[name].fit(space.sample(rng), small.proba, small.labels, 0, threads=1)
        assert fitted.predict_proba(small.proba).shape == (120, 4)


def test_mean_is_the_mean() -> None:
    fitted = LEARNERS["mean"].fit({}, FIT.proba, FIT.labels)
    np.testing.assert_allclose(fitted.predict_proba(NEW.proba), NEW.proba.mean(axis=1), atol=1e-6)
    assert fitted.explain(["a", "b", "c"]) == {"kind": "weights", "weights": {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}}


def test_logistic_explains_all_its_coefficients() -> None:
    found = LEARNERS["logistic"].fit({"C": 1.0}, FIT.proba, FIT.labels).explain(FIT.names, ["w", "x", "y", "z"])
    assert found["kind"] == "coefficients" and found["classes"] == ["w", "x", "y", "z"]
    assert found["features"][:5] == [*(f"member 0: {c}" for c in "wxyz"), "member 1: w"]
    values = np.array(found["values"])
    assert values.shape == (4, 12)
    own = np.array([[values[k, 4 * m + k] for k in range(4)] for m in range(3)]).mean(axis=1)
    assert own[0] > own[1] > abs(own[2])  # it trusts the members in the order of their skill


def test_logistic_of_two_classes_explains_both() -> None:
    small = matrix(200, (1.5, 1.0), classes=2, seed=4)
    fitted = LEARNERS["logistic"].fit({"C": 1.0}, small.proba, small.labels)
    values = np.array(fitted.explain()["values"])
    assert values.shape == (2, 4)
    np.testing.assert_allclose(values[0], -values[1])


def test_tree_explains_its_first_three_levels() -> None:
    params, hard = {"max_depth": 5, "min_samples_leaf": 5}, matrix(600, (0.5, 0.4, 0.0))
    found = LEARNERS["decision_tree"].fit(params, hard.proba, hard.labels).explain(FIT.names, ["w", "x", "y", "z"])
    nodes = found["nodes"]
    assert found["kind"] == "tree" and found["depth"] == 5 and found["leaves"] > 8
    assert nodes[0]["rows"] == 600 and nodes[0]["parent"] is None and nodes[0]["feature"].startswith("member")
    assert max(node["depth"] for node in nodes) == 3
    by_id = {node["id"]: node for node in nodes}
    for node in nodes[1:]:
        assert by_id[node["parent"]]["depth"] == node["depth"] - 1 and node["side"] in ("left", "right")
    for node in nodes:
        children = [c["rows"] for c in nodes if c["parent"] == node["id"]]
        assert not children or sum(children) == node["rows"]
    json.dumps(found, allow_nan=False)


def test_xgboost_importances_sum_to_1_and_name_the_best_member() -> None:
    found = LEARNERS["xgboost"].fit({}, FIT.proba, FIT.labels).explain(FIT.names)
    values = np.array(found["values"]).reshape(3, 4).sum(axis=1)
    assert found["kind"] == "importances" and values.sum() == pytest.approx(1)
    assert values[0] > values[1] > values[2]


def test_without_xgboost_the_install_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(MissingPackage) as caught:
        LEARNERS["xgboost"].fit({}, FIT.proba, FIT.labels)
    assert caught.value.help == 'pip install "fertune[cpu]"'
    LEARNERS["mean"].fit({}, FIT.proba, FIT.labels)


def test_importing_the_room_imports_no_heavy_library() -> None:
    import subprocess

    code = (
        "import sys, fertune.stacking.meta, fertune.stacking.bundle;"
        "print([m for m in ('keras', 'tensorflow', 'sklearn', 'xgboost', 'skops') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize("classes", [2, 4])
def test_a_logistic_predicts_as_scikit_learn_does(classes: int) -> None:
    from fertune.stacking.meta.features import columns

    oof = matrix(200, classes=classes)
    fitted = LEARNERS["logistic"].fit({}, oof.proba, oof.labels)
    theirs = fitted.model.predict_proba(columns(oof.proba, "log"))
    assert np.allclose(fitted.predict_proba(oof.proba), theirs, atol=1e-12)
