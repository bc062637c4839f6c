"""Out-of-fold probabilities made elsewhere: what is refused, what is said, and what comes of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fertune as ft
from fertune.errors import ConfigError, DataError, RunError
from fertune.stacking.outside import read_outside
from tests.schema import check
from tests.stacking.meta_fakes import matrix

FIT, NEW = matrix(120, seed=1), matrix(60, seed=2)


def arrays(**changes: Any) -> dict[str, Any]:
    """A sound file; None takes an array out."""
    whole = {
        "row": FIT.rows,
        "labels": FIT.labels,
        "proba": FIT.proba,
        "names": np.array(FIT.names),
        "fold": FIT.groups % 3,
        "groups": FIT.groups,
        "class_names": np.array(["ant", "bee", "cat", "dog"]),
        "test_proba": NEW.proba,
        "test_labels": NEW.labels,
        "test_row": NEW.rows + 1000,
    }
    return {k: v for k, v in {**whole, **changes}.items() if v is not None}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.savez(tmp_path / "oof.npz", **arrays())
    return tmp_path / "oof.npz"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ft.StackRun:
    folder = tmp_path_factory.mktemp("outside")
    np.savez(folder / "oof.npz", **arrays())
    return ft.stack(from_oof=folder / "oof.npz", meta=["lda", "greedy"], meta_trials=2, out=folder / "s", verbose=False)


def put(array: np.ndarray, at: Any, value: Any) -> np.ndarray:
    changed = array.copy()
    changed[at] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": None}, "labels: missing"),
        ({"row": put(FIT.rows, 3, 4)}, "row: 1 row (4) more than once"),
        ({"row": FIT.rows.astype(float)}, "row: float64 (120,) where int (rows,) is needed"),
        ({"labels": put(FIT.labels, 5, 4)}, "labels: 1 row (5) with 4 where 0 to 3 is legal"),
        ({"labels": FIT.labels[:-1]}, "labels: 119 values for 120 rows of proba"),
        ({"labels": FIT.labels * 0}, "labels: one class only"),
        ({"proba": FIT.proba[:, 0]}, "proba: float32 (120, 4) where float (rows, models, classes) is needed"),
        ({"proba": put(FIT.proba, (2, 1, 0), np.nan)}, "proba of member 1: 1 row (2) with values that are not finite"),
        ({"proba": put(FIT.proba, (2, 1), 0.3)}, "proba of member 1: 1 row (2) not summing to 1"),
        ({"proba": put(FIT.proba, (2, 1), [-0.5, 1.5, 0, 0])}, "member 1: 1 row (2) with values outside 0 to 1"),
        ({"names": np.array(["a", "b", "a"])}, "names: 'a', 'b', 'a' where different names are needed"),
        ({"names": np.array(["a", "b"])}, "names: 2 values for 3 models"),
        ({"class_names": np.array(["a"])}, "class_names: 1 values for 4 classes"),
        ({"fold": FIT.rows + 100}, "fold: values from 100 to 219 where 0 to 127 is legal"),
        ({"test_proba": None}, "test_labels: there without test_proba"),
        ({"test_labels": None}, "test_labels: missing, while test_proba is there"),
        ({"test_proba": NEW.proba[:, :2]}, "test_proba: (60, 2, 4) where (60, 3, 4) is needed"),
        ({"test_labels": put(NEW.labels, 0, -1)}, "test_labels: 1 row (1000) with -1 where 0 to 3 is legal"),
        ({"test_row": NEW.rows + 119}, "test_row: 1 row (119) also among the out-of-fold rows"),
        ({"labels": np.array([print] * 120, dtype=object)}, "labels holds pickled objects"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays(**changes))
    with pytest.raises(DataError) as caught:
        ft.stack(from_oof=tmp_path / "x.npz", out=tmp_path / "s", verbose=False)
    assert says in "\n".join([caught.value.message, *caught.value.details])
    assert caught.value.exit_code == 2 and not (tmp_path / "s").exists()


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    changes = {"row": put(FIT.rows, 3, 4), "labels": put(FIT.labels, 5, 9), "proba": put(FIT.proba, (2, 1), 0.3)}
    np.savez(tmp_path / "x.npz", **arrays(**changes))
    with pytest.raises(DataError, match="3 faults") as caught:
        read_outside(tmp_path / "x.npz")
    assert len(caught.value.details) == 3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"row,label\n1,2\n"])
def test_something_else_than_npz(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "oof.npz").write_bytes(content)
    with pytest.raises(DataError, match="not an npz file"):
        read_outside(tmp_path / "oof.npz")
    with pytest.raises(DataError, match=r"did you mean 'oof.npz'"):
        read_outside(tmp_path / "oob.npz")


def test_what_should_be_known_is_said(tmp_path: Path) -> None:
    twice = FIT.proba[:, [0, 1, 0]]
    np.savez(tmp_path / "x.npz", **arrays(proba=twice, groups=None, folds=FIT.rows))
    said = "\n".join(read_outside(tmp_path / "x.npz").notes)
    assert "member 0 and member 2 have the same probabilities" in said
    assert "no groups were given" in said and "'folds' was not used; did you mean 'fold'" in said
    np.savez(tmp_path / "x.npz", **arrays(fold=FIT.rows % 3))
    assert "60 groups are held out by more than one fold" in "\n".join(read_outside(tmp_path / "x.npz").notes)


def test_a_model_that_is_called_like_a_meta_learner_gets_another_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays(names=np.array(["mean", "lda", "vit"])))
    run = ft.stack(from_oof=tmp_path / "x.npz", meta=["lda"], meta_trials=1, out=tmp_path / "s", verbose=False)
    names = {r["name"] for r in run.to_json()["comparison"]}
    assert names == {"mean (model)", "lda (model)", "vit", "mean", "lda"}
    again = ft.stack(from_oof=run, meta=["mean"], out=tmp_path / "t", verbose=False)
    assert {r["name"] for r in again.to_json()["comparison"]} == {"mean (model)", "lda (model)", "vit", "mean"}


def test_it_is_a_stack_like_any_other(run: ft.StackRun, tmp_path: Path) -> None:
    document = run.to_json()
    check(document, "stack")
    check((run.path / "run.json").read_text("utf-8"), "run")
    assert {r["name"] for r in document["comparison"]} == {*FIT.names, "mean", "greedy", "lda"}
    assert document["status"] == "finished" and run.record.info["options"]["meta"] == ["lda", "greedy"]
    chosen = next(r for r in document["comparison"] if r["name"] == document["chosen"])
    with np.load(run.path / "test.npz") as test:
        column = test["proba"][:, list(test["names"]).index(document["chosen"])]
    assert chosen["accuracy"] == pytest.approx((column.argmax(axis=1) == NEW.labels).mean())
    np.testing.assert_allclose(run.combine(NEW.proba), column, atol=1e-6)
    assert run.report(tmp_path / "r.html").stat().st_size > 10_000


def test_labels_of_test_rows_choose_nothing(run: ft.StackRun, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays(test_labels=(NEW.labels + 1) % 4))
    options = {"meta": ["lda", "greedy"], "meta_trials": 2, "verbose": False}
    other = ft.stack(from_oof=tmp_path / "x.npz", out=tmp_path / "s", **options)
    one, two = run.to_json(), other.to_json()
    assert (one["chosen"], one["best_single"]) == (two["chosen"], two["best_single"])
    assert [r["oof_accuracy"] for r in one["comparison"]] == [r["oof_accuracy"] for r in two["comparison"]]


def test_without_test_rows_there_is_no_verdict(tmp_path: Path) -> None:
    bare = arrays(test_proba=None, test_labels=None, test_row=None, fold=None, groups=None, class_names=None)
    np.savez(tmp_path / "x.npz", **bare)
    run = ft.stack(from_oof=tmp_path / "x.npz", meta=["mean"], out=tmp_path / "s", verbose=False)
    assert run.verdict == "No verdict: no labelled test rows"
    assert run.record.info["data"]["classes"] == ["class 0", "class 1", "class 2", "class 3"]
    assert run.report(tmp_path / "r.html").exists()


def test_pictures_cannot_be_predicted_and_one_message_says_so(run: ft.StackRun) -> None:
    for act in (lambda: ft.predict(run), lambda: run.load(), lambda: ft.bundle(run, run.path.parent / "x.fertune")):
        with pytest.raises(RunError, match="it has no models that could look at pictures"):
            act()


def test_a_stack_of_a_stack_names_the_run_with_the_models(
    run: ft.StackRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = ft.stack(from_oof=run, meta=["mean"], out=tmp_path / "s", verbose=False)
    source = run.path.resolve()
    monkeypatch.chdir(source.parent)
    with pytest.raises(RunError, match=f"the probabilities of {run.path.name}; it has no models") as caught:
        ft.bundle(again, tmp_path / "x.fertune")
    assert "combine" in (caught.value.help or "")
    (source / "bundle.json").touch()
    try:
        with pytest.raises(RunError) as caught:
            ft.bundle(again, tmp_path / "x.fertune")
    finally:
        (source / "bundle.json").unlink()
    assert (caught.value.help or "").startswith(f"fertune bundle {run.path.name} ")


def test_of_another_stack_with_other_meta_learners(run: ft.StackRun, tmp_path: Path) -> None:
    again = ft.stack(from_oof=run, meta=["logistic"], meta_trials=1, seed=3, out=tmp_path / "s", verbose=False)
    rows = {r["name"]: r for r in again.to_json()["comparison"]}
    before = {r["name"]: r for r in run.to_json()["comparison"]}
    assert set(rows) == {*FIT.names, "mean", "logistic"}
    for name in FIT.names:
        assert rows[name]["accuracy"] == before[name]["accuracy"]
        assert rows[name]["oof_accuracy"] == before[name]["oof_accuracy"]


def test_resumed_it_ends_the_same_and_knows_what_it_began_with(file: Path, tmp_path: Path) -> None:
    begun = ft.stack(from_oof=file, meta=["lda"], meta_trials=2, out=tmp_path / "s", verbose=False)
    before = json.loads((begun.path / "comparison.json").read_text())
    again = ft.stack(out=tmp_path / "s", resume=True, verbose=False)
    after = json.loads((again.path / "comparison.json").read_text())
    for row in (*before["rows"], *after["rows"]):
        row.pop("seconds")
    assert before == after
    np.savez(file, **arrays(class_names=None))
    with pytest.raises(RunError, match="has changed since this run began"):
        ft.stack(out=tmp_path / "s", resume=True, verbose=False)
    shutil.rmtree(tmp_path / "s")


def test_options_of_training_do_not_go_with_it(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        ft.stack(from_oof=file, folds=3, bagging=2, verbose=False)
    assert len(caught.value.details) == 2
    with pytest.raises(ConfigError, match="do not go together"):
        ft.stack(["runs/a"], from_oof=file, verbose=False)
    with pytest.raises(ConfigError, match="did you mean 'svm'"):
        ft.stack(from_oof=file, meta=["svn"], verbose=False)


def test_names_of_the_options_are_those_of_the_registry() -> None:
    from fertune.config import META_LEARNERS
    from fertune.stacking.meta import LEARNERS

    assert tuple(LEARNERS) == META_LEARNERS
