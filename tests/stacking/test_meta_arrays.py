"""Learners that become arrays answer as scikit-learn does; arrays that are none of theirs are refused."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.errors import RunError
from fertune.searching import Observer
from fertune.stacking.learners import TOO_LATE, learn_all, wanted
from fertune.stacking.meta import LEARNERS, load_fitted
from fertune.stacking.meta.arrays import FILE
from fertune.stacking.meta.features import dealt
from fertune.stacking.meta.forest import TREES, Trees
from fertune.stacking.meta.vectors import MOST_ROWS, Machine
from tests.stacking.meta_fakes import matrix

FIT, NEW = matrix(seed=1), matrix(300, seed=2)
TABLE, ASKED = FIT.proba.reshape(len(FIT), -1).astype(float), NEW.proba.reshape(len(NEW), -1).astype(float)
ARRAYS = ["lda", "knn", "mlp", "svm", "extra_trees", "random_forest"]


@pytest.mark.parametrize("kind", ["RandomForestClassifier", "ExtraTreesClassifier"])
def test_a_forest_answers_as_scikit_learn_does(kind: str) -> None:
    from sklearn import ensemble

    model = getattr(ensemble, kind)(TREES, min_samples_leaf=3, random_state=0).fit(TABLE, FIT.labels)
    np.testing.assert_allclose(Trees.of(model).predict_proba(ASKED), model.predict_proba(ASKED), atol=1e-6)


def test_a_discriminant_answers_as_scikit_learn_does() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(TABLE)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(scaler.transform(TABLE), FIT.labels)
    mine = LEARNERS["lda"].fit({"shrinkage": 0.1, "features": "proba"}, FIT.proba, FIT.labels)
    np.testing.assert_allclose(mine.predict_proba(NEW.proba), model.predict_proba(scaler.transform(ASKED)), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_machines_decide_as_scikit_learn_does(classes: int) -> None:
    from sklearn.svm import SVC

    labels = np.searchsorted(np.unique(FIT.labels % classes), FIT.labels % classes)
    model = SVC(C=2.0, gamma=0.5, decision_function_shape="ovo").fit(TABLE, labels)
    theirs = model.decision_function(ASKED).reshape(len(ASKED), -1)
    scores = Machine.fit(TABLE, labels, 2.0, 0.5, 0).scores(ASKED)
    if classes == 2:
        np.testing.assert_allclose(scores[:, 1], theirs[:, 0], atol=1e-9)
    else:  # pairs 0-1, 0-2, 0-3, ...: what the three machines of class 0 say for it
        np.testing.assert_allclose(scores[:, 0], theirs[:, :3].mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(scores.sum(axis=1), 0, atol=1e-9)


def test_support_vectors_of_many_rows_see_a_part_with_every_class_and_say_so() -> None:
    many = matrix(MOST_ROWS + 500, (1.0,), seed=3)
    labels = many.labels.copy()
    labels[labels == 3] = 0
    labels[7] = 3
    fitted = LEARNERS["svm"].fit({}, many.proba, labels)
    assert f"{MOST_ROWS:,} rows of {MOST_ROWS + 500:,}" in fitted.explain()["reason"]
    assert fitted.predict_proba(many.proba[:5]).shape == (5, 4)
    part = np.bincount(labels[dealt(labels, np.random.default_rng(0))[:1000]], minlength=4)
    np.testing.assert_allclose(part / 1000, np.bincount(labels) / len(labels), atol=0.002)
    assert part[3] == 1


def test_its_probabilities_are_calibrated_on_rows_it_did_not_see() -> None:
    """With labels that nobody can know, sure probabilities would be a lie that in-sample scores tell."""
    noise = matrix(400, (0.0, 0.0), seed=5)
    proba = LEARNERS["svm"].fit({"C": 30.0, "gamma": 1.0}, noise.proba, noise.labels).predict_proba(noise.proba)
    assert proba.max(axis=1).mean() < 0.5


def test_neighbours_never_say_never() -> None:
    fitted = LEARNERS["knn"].fit({"neighbours": 10}, FIT.proba, FIT.labels)
    assert fitted.predict_proba(NEW.proba).min() > 0


@pytest.mark.parametrize("name", ["extra_trees", "random_forest"])
def test_forests_name_the_best_member(name: str) -> None:
    found = LEARNERS[name].fit({}, FIT.proba, FIT.labels).explain(FIT.names)
    values = np.array(found["values"]).reshape(3, 4).sum(axis=1)
    assert found["kind"] == "importances" and values.sum() == pytest.approx(1)
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize("name", ["knn", "mlp", "svm"])
def test_what_cannot_be_drawn_is_said(name: str) -> None:
    found = LEARNERS[name].fit({}, FIT.proba, FIT.labels).explain()
    assert found["kind"] == "none" and found["reason"]


@pytest.mark.parametrize("name", ARRAYS)
def test_threads_change_nothing(name: str) -> None:
    one, four = (LEARNERS[name].fit({}, FIT.proba, FIT.labels, 1, threads=t).predict_proba(NEW.proba) for t in (1, 4))
    np.testing.assert_allclose(one, four, atol=1e-12)


def changed(folder: Path, **arrays: Any) -> None:
    with np.load(folder / FILE) as stored:
        whole = {**stored, **arrays}
    np.savez(folder / FILE, **{k: v for k, v in whole.items() if v is not None})


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("random_forest", {"left": np.zeros(5, np.int32)}),
        ("random_forest", {"root": np.array([0, 10**7])}),
        ("random_forest", {"importance": np.ones(3)}),
        ("lda", {"coef": np.ones((4, 5))}),
        ("lda", {"coef": np.full((4, 12), np.nan)}),
        ("lda", {"mean": None}),
        ("knn", {"neighbours": np.array(10**6)}),
        ("knn", {"at": np.full(600, 9)}),
        ("mlp", {"outer": np.ones((2, 2))}),
        ("svm", {"counts": np.array([1, 1, 1, 1])}),
        ("svm", {"vectors": np.array(["os.system"])}),
        ("svm", {"vectors": np.array([print], dtype=object)}),
    ],
)
def test_arrays_of_something_else_are_refused(tmp_path: Path, name: str, arrays: dict[str, Any]) -> None:
    LEARNERS[name].fit({}, FIT.proba, FIT.labels).save(tmp_path)
    changed(tmp_path, **arrays)
    with pytest.raises(RunError, match=f"is no {name}"):
        load_fitted(tmp_path)


def test_a_walk_in_a_circle_is_refused(tmp_path: Path) -> None:
    LEARNERS["extra_trees"].fit({}, FIT.proba, FIT.labels).save(tmp_path)
    with np.load(tmp_path / FILE) as stored:
        left = np.zeros_like(stored["left"])
    changed(tmp_path, left=left)
    with pytest.raises(RunError, match="a walk that does not end"):
        load_fitted(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x95"])
def test_files_that_are_no_npz(tmp_path: Path, content: bytes) -> None:
    LEARNERS["mlp"].fit({}, FIT.proba, FIT.labels).save(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(RunError, match="is no mlp"):
        load_fitted(tmp_path)
    (tmp_path / FILE).unlink()
    with pytest.raises(RunError, match="no model at"):
        load_fitted(tmp_path)


def test_what_is_wanted() -> None:
    assert [x.name for x in wanted(["all"])] == list(LEARNERS)
    assert [x.name for x in wanted(["lda"])] == ["mean", "lda"]


def learn(tmp_path: Path, seconds: float | None, names: list[str]) -> Any:
    small = matrix(200, seed=3)
    small.save(tmp_path / "oof.npz")
    return learn_all(
        small,
        tmp_path,
        class_names=list("abcd"),
        trials=3,
        seed=0,
        deadline=None if seconds is None else time.monotonic() + seconds,
        stop_requested=lambda: False,
        observer=Observer(),
        names=names,
    )


def test_only_what_is_wanted_is_learned(tmp_path: Path) -> None:
    learned, missing = learn(tmp_path, None, ["lda"])
    assert [x.name for x in learned] == ["mean", "lda"] and missing == []
    assert learned[1].trials == 3


@pytest.mark.slow
def test_all_are_learned_where_nothing_else_is_said(tmp_path: Path) -> None:
    learned, missing = learn(tmp_path, None, ["all"])
    assert [x.name for x in learned] == list(LEARNERS) and missing == []
    assert {x.trials for x in learned} == {0, 3}


def test_after_the_deadline_averages_stand_alone(tmp_path: Path) -> None:
    begun = time.monotonic()
    learned, missing = learn(tmp_path, -1.0, ["all"])
    assert [x.name for x in learned] == ["mean", "greedy"]
    assert {x["reason"] for x in missing} == {TOO_LATE} and len(missing) == len(LEARNERS) - 2
    assert time.monotonic() - begun < 5
