"""A run in the formats of others."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import optuna
import pytest

import fertune as ft
from fertune.cli import main
from fertune.errors import ConfigError, MissingPackage, RunError
from fertune.exports.optuna import _safe
from fertune.store import RunFolder
from tests.api.made_runs import make_search, make_stack
from tests.schema import check

SPACE = {
    "name": "tiny", "summary": "", "model": "conv", "tuner": "random", "fixed": {}, "recipe": {},
    "params": {
        "blocks": {"type": "int", "low": 2, "high": 4},
        "rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
        "dropout": {"type": "float", "low": 0.0, "high": 0.6, "step": 0.1},
        "filters": {"type": "choice", "values": [8, 16]},
        "flip": {"type": "bool", "when": {"blocks": [3]}},
    },
}  # fmt: skip
DATA = {"name": "digits", "fingerprint": "d" * 64, "classes": ["a", "b"], "counts": {"validation": [9, 9]}}


def run(path: Path, trials: list[dict[str, Any]], second: bool = False, ended: bool = True) -> Path:
    """A search; of each trial ``params`` and what was told."""
    info: dict[str, Any] = {
        "kind": "search", "name": path.name, "created": 1.0, "engine": "random", "space": SPACE, "data": DATA,
        "resume": "", "options": {"trials": len(trials)}, "objective": {"name": "val_accuracy", "direction": "max"},
        "versions": {}, "backend": "tensorflow", "cores": 1, "command": [],
    }  # fmt: skip
    if second:
        info["second_objective"] = {"name": "parameters", "direction": "min"}
    folder = RunFolder.create(path, info)
    write = folder.journal.write
    write("session", trials=len(trials), workers=1)
    for n, one in enumerate(trials):
        write("asked", trial=n, ticket=n, params=one.pop("params"), budget=3, continues=None,
              tags={"bracket": 1, "rung": 0})  # fmt: skip
        for step, value in enumerate(one.pop("curve", ()), start=1):
            write("epoch", trial=n, ticket=n, step=step, value=value, logs={"loss": 1.0, "epoch": step})
        if one:
            write("told", trial=n, ticket=n, seconds=2.0, **one)
    if ended:
        write("ended", status="finished", reason="enough")
    folder.close()
    return path


def params(**more: Any) -> dict[str, Any]:
    return {"blocks": 2, "rate": 0.001, "dropout": 0.3, "filters": 8, **more}


def five(path: Path) -> Path:
    failure = {"kind": "NaN loss", "message": "loss is NaN", "trace": ""}
    return run(path, [
        {"params": params(), "curve": (0.2, 0.5, float("nan")), "outcome": "completed", "value": 0.5, "best_epoch": 2,
         "epochs": 3, "parameters": 1000},
        {"params": params(blocks=3, flip=True), "curve": (0.1,), "outcome": "pruned", "value": 0.1, "best_epoch": 1,
         "epochs": 1},
        {"params": params(), "outcome": "failed", "failure": failure},
        {"params": params(), "outcome": "stopped"},
        {"params": params()},
    ], ended=False)  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage without a study; making its tables is what takes time."""
    path = tmp_path_factory.mktemp("optuna") / "study.db"
    optuna.storages.RDBStorage(f"sqlite:///{path}")
    return path


@pytest.fixture
def storage(tmp_path: Path, empty: Path) -> str:
    shutil.copy(empty, tmp_path / "study.db")
    return f"sqlite:///{tmp_path}/study.db"


def load(tmp_path: Path, name: str) -> Any:
    return optuna.load_study(study_name=name, storage=f"sqlite:///{tmp_path}/study.db")


def test_a_study_has_every_trial(tmp_path: Path, storage: str) -> None:
    name = ft.export_optuna(five(tmp_path / "five"), storage)
    study = load(tmp_path, name)
    assert name == "five" and study.best_trial.number == 0 and study.best_value == 0.5
    states = [t.state.name for t in study.trials]
    assert states == ["COMPLETE", "PRUNED", "FAIL", "FAIL", "RUNNING"]
    done, pruned, failed, stopped, _ = study.trials
    assert done.params == params() and pruned.params == params(blocks=3, flip=True)
    assert done.intermediate_values == {1: 0.2, 2: 0.5}
    assert pruned.value == 0.1
    assert done.user_attrs | {"epochs": 3} == {
        "trial": 0, "state": "completed", "epochs": 3, "best_epoch": 2, "budget": 3, "seconds": 2.0,
        "parameters": 1000, "bracket": 1, "rung": 0,
    }  # fmt: skip
    assert failed.user_attrs["failure"] == "NaN loss" and stopped.user_attrs["state"] == "stopped"
    kinds = optuna.distributions
    assert pruned.distributions == {
        "blocks": kinds.IntDistribution(2, 4), "rate": kinds.FloatDistribution(1e-4, 1e-2, log=True),
        "dropout": kinds.FloatDistribution(0.0, 0.6, step=0.1), "filters": kinds.CategoricalDistribution((8, 16)),
        "flip": kinds.CategoricalDistribution((False, True)),
    }  # fmt: skip
    assert "optimistic" in study.user_attrs["note"]
    assert (done.datetime_complete - done.datetime_start).total_seconds() >= 0


def test_two_objectives(tmp_path: Path, storage: str) -> None:
    told = {"outcome": "completed", "value": 0.5, "best_epoch": 1, "epochs": 1}
    path = run(tmp_path / "two", [
        {"params": params(), **told, "values": {"val_accuracy": 0.5, "parameters": 100.0}},
        {"params": params(), **told, "values": {"val_accuracy": 0.5}},
        {"params": params(), **told, "outcome": "pruned"},
    ], second=True)  # fmt: skip
    ft.export_optuna(path, storage, study="s")
    study = load(tmp_path, "s")
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["val_accuracy", "parameters"]
    assert study.trials[0].values == [0.5, 100.0] and study.trials[1].state.name == "FAIL"
    assert [t.number for t in study.best_trials] == [0]


def test_a_value_outside_the_space_widens_it(tmp_path: Path, storage: str) -> None:
    told = {"outcome": "completed", "value": 0.5, "best_epoch": 1, "epochs": 1}
    odd = params(blocks=9, filters=64, rate=0.5)
    path = run(tmp_path / "odd", [{"params": odd, **told}, {"params": params(), **told}])
    ft.export_optuna(path, storage)
    assert [t.params for t in load(tmp_path, "odd").trials] == [odd, params()]


def test_a_study_is_not_written_over_unless_asked(tmp_path: Path, storage: str) -> None:
    path = five(tmp_path / "five")
    ft.export_optuna(path, storage)
    with pytest.raises(ConfigError, match="already") as caught:
        ft.export_optuna(path, storage)
    assert "--overwrite" in (caught.value.help or "")
    ft.export_optuna(path, storage, overwrite=True)
    ft.export_optuna(path, storage, study="other")
    assert sorted(optuna.get_all_study_names(storage)) == ["five", "other"]
    assert len(load(tmp_path, "five").trials) == 5


def test_what_cannot_be_written_leaves_no_half_study(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna.Study, "add_trial", lambda self, trial: (_ for _ in ()).throw(RuntimeError("full")))
    with pytest.raises(ConfigError, match="cannot be written: full"):
        ft.export_optuna(five(tmp_path / "five"), storage)
    assert optuna.get_all_study_names(storage) == []


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("study.db", ConfigError, "not the URL of a database"),
        ("sqlite:////nowhere/at/all/study.db", ConfigError, "cannot be written"),
        ("nosuch://x/y", ConfigError, "cannot be written"),
        ("postgresql+pg8000://me:secret@host/db", MissingPackage, "driver"),
    ],
)
def test_storages_that_cannot_be(tmp_path: Path, url: str, error: type, says: str) -> None:
    path = five(tmp_path / "five")
    with pytest.raises(error, match=says) as caught:
        ft.export_optuna(path, url)
    assert "secret" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    assert _safe("mysql://me:secret@host:1/db") == "mysql://me@host:1/db"
    assert _safe("sqlite:///a.db") == "sqlite:///a.db"


def test_a_stack_is_no_study(tmp_path: Path) -> None:
    make_search(tmp_path, "a")
    path = make_stack(tmp_path, "stack", ("a",))
    with pytest.raises(RunError, match="is a stack") as caught:
        ft.export_optuna(path, "sqlite:///x.db")
    assert "a" in (caught.value.help or "")


def test_a_table_of_trials(tmp_path: Path) -> None:
    path = ft.export_csv(five(tmp_path / "five"), tmp_path / "five.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["state"] for r in rows] == ["completed", "pruned", "failed", "stopped", "running"]
    assert (rows[0]["value"], rows[0]["rate"], rows[0]["flip"], rows[1]["flip"]) == ("0.5", "0.001", "", "True")
    assert rows[2]["message"] == "loss is NaN" and rows[0]["started"].endswith("+00:00")


def test_a_table_of_models(tmp_path: Path) -> None:
    folder = RunFolder.reopen(make_stack(tmp_path, "stack", ("a",)))
    folder.journal.write("fold", member="tiny 1", fold=0, kind="fold")
    folder.journal.write("fold_told", member="tiny 1", fold=0, outcome="completed", value=0.5, epochs=2, seconds=1.0)
    folder.close()
    with ft.export_csv(folder.path, tmp_path / "s.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["member"], row["state"], row["value"]) == ("tiny 1", "completed", "0.5")


def folded(path: Path) -> Path:
    """A search with 3 folds: one trial has all, one was behind after its first."""
    folder = RunFolder.reopen(run(path, [], ended=False))
    folder.update_info(options={"trials": 2, "cv": 3})
    write = folder.journal.write
    told = [(0, 0, "completed", 0.5), (0, 1, "completed", 0.7), (0, 2, "completed", 0.6), (1, 0, "pruned", 0.65)]
    for ticket, (number, fold, outcome, value) in enumerate(told):
        write(
            "asked",
            trial=number,
            ticket=ticket,
            params=params(),
            budget=2,
            continues=None,
            fold=fold,
            tags={"fold": fold, "of": 3},
        )
        for step in (1, 2):
            logs = {"loss": 1.0, "val_accuracy": value}
            write("epoch", trial=number, ticket=ticket, step=step, value=0.9, logs=logs)
        write("told", trial=number, ticket=ticket, outcome=outcome, value=value, best_epoch=2, epochs=2, seconds=2.0)
    folder.close()
    return path


def test_a_study_of_folds_has_their_values_in_place_of_epochs(tmp_path: Path, storage: str) -> None:
    whole, behind = load(tmp_path, ft.export_optuna(folded(tmp_path / "folds"), storage)).trials
    assert (whole.value, whole.intermediate_values) == (pytest.approx(0.6), {0: 0.5, 1: 0.7, 2: 0.6})
    assert (behind.state.name, behind.value, behind.intermediate_values) == ("PRUNED", 0.65, {0: 0.65})
    assert whole.user_attrs["folds"] == 3 and whole.user_attrs["spread"] == pytest.approx(0.1)
    assert behind.user_attrs["folds"] == 1 and "fold" not in behind.user_attrs


def test_a_table_and_curves_of_folds(tmp_path: Path) -> None:
    with ft.export_csv(folded(tmp_path / "folds"), tmp_path / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["folds"], r["spread"][:3], r["blocks"]) for r in rows] == [("3", "0.0", "2"), ("1", "", "2")]
    pytest.importorskip("tensorboard", reason="curves need fertune[tensorboard]")
    logs = ft.export_curves(tmp_path / "folds", tmp_path / "logs")
    found = sorted(str(p.parent.relative_to(logs)) for p in logs.rglob("events*"))
    assert found == ["trial-0000/fold-0", "trial-0000/fold-1", "trial-0000/fold-2", "trial-0001/fold-0"]


def test_a_table_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        ft.export_csv(five(tmp_path / "five"), tmp_path / "file" / "x.csv")


def test_curves_of_a_run_that_is_over(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="curves need fertune[tensorboard]")
    folder = ft.export_curves(five(tmp_path / "five"), tmp_path / "logs")
    assert sorted(p.name for p in folder.iterdir()) == [f"trial-000{n}" for n in range(5)]
    sizes = [p.stat().st_size for p in folder.rglob("events*")]
    ft.export_curves(tmp_path / "five", tmp_path / "logs")
    assert [p.stat().st_size for p in folder.rglob("events*")] == sizes


def test_the_command(tmp_path: Path, storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(five(tmp_path / "five"))
    assert main(["export", path, "--optuna", storage, "--csv", str(tmp_path / "t.csv"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, "export")
    assert document["study"] == "five"
    assert main(["export", path, "--optuna", storage, "--overwrite"]) == 0
    assert "optuna-dashboard" in capsys.readouterr().out
    assert main(["export", path]) == 2
    assert main(["export", path, "--csv", str(tmp_path / "t.csv"), "--overwrite"]) == 2
    assert "go with --optuna" in capsys.readouterr().err
