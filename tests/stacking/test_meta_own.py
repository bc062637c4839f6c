"""Meta-learners that users bring: what is taken, what is refused, and the whole road with one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fertune as ft
from fertune.errors import ConfigError, RunError
from fertune.stacking.meta import OWN, load_fitted
from tests.stacking.meta_fakes import matrix

FIT, NEW = matrix(240, seed=1), matrix(90, seed=2)


class Weighted(ft.OwnMetaLearner):
    name = "weighted"
    defaults = {"power": 1.0}

    def space(self) -> ft.Space:
        return ft.Space("weighted", [ft.Float("power", 0.0, 8.0)])

    def learn(self, params: Any, proba: Any, labels: Any, seed: int) -> dict[str, Any]:
        right = (proba.argmax(axis=2) == labels[:, None]).mean(axis=0)
        return {"weights": right ** params["power"]}

    def apply(self, arrays: Any, proba: Any) -> Any:
        return np.einsum("nmc,m->nc", proba, arrays["weights"])

    def told(self, arrays: Any) -> str:
        return f"{len(arrays['weights'])} weights"


def made(**verbs: Any) -> ft.OwnMetaLearner:
    return type("Made", (Weighted,), {"name": "made", **verbs})()


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    OWN.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.savez(
        tmp_path / "oof.npz",
        row=FIT.rows,
        labels=FIT.labels,
        proba=FIT.proba,
        names=np.array(FIT.names),
        groups=FIT.groups,
        test_proba=NEW.proba,
        test_labels=NEW.labels,
        test_row=NEW.rows + 1000,
    )
    return tmp_path / "oof.npz"


def test_it_is_tuned_compared_stored_and_loaded(file: Path, tmp_path: Path) -> None:
    run = ft.stack(from_oof=file, meta=["logistic", Weighted()], meta_trials=3, out=tmp_path / "s", verbose=False)
    names = list(run.comparison()["name"])
    assert {"weighted", "logistic", "mean"} <= set(names)
    told = next(m for m in run.record.meta["learners"] if m["name"] == "weighted")
    assert told["trials"] == 3 and 0 <= told["params"]["power"] <= 8 and told["explain"]["reason"] == "3 weights"
    fitted = load_fitted(tmp_path / "s" / "meta" / "weighted")
    proba = fitted.predict_proba(NEW.proba)
    assert proba.shape == (90, 4) and np.allclose(proba.sum(axis=1), 1)
    with np.load(tmp_path / "s" / "test.npz") as stored:
        at = [str(n) for n in stored["names"]].index("weighted")
        assert np.allclose(stored["proba"][:, at] if stored["proba"].ndim == 3 else stored["proba"], proba, atol=1e-6)
    with np.load(tmp_path / "s" / "chosen_oof.npz") as stored:
        chosen = next(m for m in run.record.meta["learners"] if m["name"] == run.record.comparison["chosen"])
        assert np.mean(stored["proba"].argmax(1) == stored["labels"]) == pytest.approx(chosen["oof_accuracy"])
    page = run.report(tmp_path / "r.html").read_text("utf-8")
    assert "weighted" in page and "--from-oof" in page and "predicted elsewhere" in page
    assert "proba.npz" not in page, "it holds no models that could predict"


def test_where_it_is_not_registered_loading_says_what_to_do(file: Path, tmp_path: Path) -> None:
    ft.stack(from_oof=file, meta=[Weighted], meta_trials=1, out=tmp_path / "s", verbose=False)
    OWN.clear()
    with pytest.raises(RunError, match="'weighted'") as error:
        load_fitted(tmp_path / "s" / "meta" / "weighted")
    assert "register_meta_learner" in str(error.value.help)
    with pytest.raises(ConfigError, match="--meta: 'weighted'"):
        ft.stack(out=tmp_path / "s", resume=True, verbose=False)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"learn": lambda *a: 1 / 0}, "ZeroDivisionError"),
        ({"learn": lambda *a: [1]}, "a dict of arrays"),
        ({"learn": lambda *a: {"w": np.array([np.nan])}}, "finite"),
        ({"learn": lambda *a: {"w": np.array(["x"])}}, "finite"),
        ({"apply": lambda self, arrays, proba: proba[:, 0, :2]}, "no probabilities"),
        ({"apply": lambda self, arrays, proba: -proba[:, 0]}, "no probabilities"),
        ({"apply": lambda self, arrays, proba: 0 * proba[:, 0]}, "no probabilities"),
        ({"apply": lambda self, arrays, proba: "x"}, "ValueError"),
    ],
)
@pytest.mark.parametrize("tuned", [True, False])
def test_a_broken_one_is_left_out_by_name(
    broken: dict[str, Any], says: str, tuned: bool, file: Path, tmp_path: Path
) -> None:
    learner = made(**broken, **({} if tuned else {"space": lambda self: None}))
    run = ft.stack(from_oof=file, meta=["greedy", learner], meta_trials=1, out=tmp_path / "s", verbose=False)
    assert "made" not in set(run.comparison()["name"])
    (left,) = [one for one in run.record.comparison["left_out"] if one["name"] == "made"]
    assert says in left["reason"]


@pytest.mark.parametrize(
    ("learner", "says"),
    [
        (42, "no meta-learner"),
        (type("Odd", (), {})(), "no meta-learner"),
        (made(name="logistic"), "already"),
        (made(name="all"), "already"),
        (made(name="Not Legal"), "small letters"),
        (made(defaults={}), "defaults lack"),
        (type("Bare", (ft.OwnMetaLearner,), {"name": "bare"})(), "no learn.. and no apply"),
    ],
)
def test_what_is_no_meta_learner_is_refused(learner: Any, says: str, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        ft.stack(from_oof=file, meta=[learner], out=tmp_path / "s", verbose=False)
    assert not (tmp_path / "s").exists()


def test_all_means_those_of_fertune() -> None:
    from fertune.stacking.learners import wanted

    ft.register_meta_learner(Weighted())
    assert "weighted" not in {learner.name for learner in wanted(("all",))}
    assert "weighted" in {learner.name for learner in wanted(("all", "weighted"))}


def test_it_cannot_change_what_others_see(file: Path, tmp_path: Path) -> None:
    def spoil(self: Any, params: Any, proba: Any, labels: Any, seed: int) -> dict[str, Any]:
        labels[:] = 0
        proba[:] = 0.25
        return {"weights": np.ones(3)}

    before = FIT.proba.copy()
    learner = made(learn=spoil)
    learner.fit({}, FIT.proba, FIT.labels)
    assert np.array_equal(before, FIT.proba) and len(set(FIT.labels.tolist())) == 4
