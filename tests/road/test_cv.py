"""Searching with folds, by the command line and with real training: nothing is trained twice, nothing leaks."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.road import memoriser

pytestmark = pytest.mark.slow

SEARCH = ("search", "--space", "tiny.yaml", "--data", "builtin:digits", "--max-epochs", "4", "--workers", "2")


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def folded(road) -> Path:
    done = road.fertune(*SEARCH, "--cv", "3", "--trials", "2", "--seed", "4", "--out", "runs/folded")
    assert done.returncode == 0, done.stderr
    return road.root / "runs" / "folded"


def test_a_search_with_folds_measures_rows_that_nobody_watched(road, folded: Path) -> None:
    document = json.loads(road.fertune("show", "runs/folded", "--json").stdout)
    best = document["best"]
    assert best["folds"]["done"] == best["folds"]["of"] == 3
    with np.load(folded / "validation.npz") as held:
        assert len(held["row"]) == len(set(held["row"].tolist())) == 1527, "each row of train and validation once"
        by_fold = []
        with np.load(folded / "folds.npz") as folds:
            for i in range(3):
                mine = np.isin(held["position"], folds[f"fold{i}_held_out"])
                by_fold.append(float((held["proba"][mine].argmax(1) == held["labels"][mine]).mean()))
                assert not np.isin(folds[f"fold{i}_held_out"], folds[f"fold{i}_stop"]).any()
    assert best["value"] == pytest.approx(np.mean(by_fold))
    assert [r["value"] for r in best["rungs"]] == pytest.approx(by_fold)
    for word in ("show", "report"):
        assert road.fertune(word, "runs/folded").returncode == 0
    done = road.fertune("report", "runs/folded", "-o", "folded.md")
    assert done.returncode == 0, done.stderr
    exported = road.fertune("export", "runs/folded", "--optuna", "sqlite:///folded.db", "--csv", "folded.csv")
    assert exported.returncode == 0, exported.stderr
    assert "folds,spread" in (road.root / "folded.csv").read_text().splitlines()[0]
    watched = json.loads(road.fertune("watch", "runs/folded", "--json").stdout)
    assert (watched["done"], watched["goal"], watched["best"]["trial"]) == (2, 2, best["id"])
    text = (road.root / "folded.md").read_text()
    assert "held-out rows of 3 folds" in text and "| 3 / 3 |" in text


def test_a_stack_over_it_trains_nothing_and_has_its_out_of_fold_rows(road, folded: Path) -> None:
    done = road.fertune("stack", "runs/folded", "--top", "1", "--meta", "greedy", "--out", "runs/folded-stack")
    assert done.returncode == 0, done.stderr
    note = "out-of-fold scores are optimistic: members of folded are the best of many"
    assert note in done.stdout
    again = road.fertune("stack", "--from-oof", "runs/folded-stack", "--meta", "mean", "--out", "runs/folded-again")
    assert note in again.stdout, "other meta-learners change nothing of it"
    run = road.root / "runs" / "folded-stack"
    journal = lines(run)
    assert not [x for x in journal if x["event"] == "fold_started"], "nothing was trained"
    told = [x for x in journal if x["event"] == "fold_told"]
    assert [x["origin"]["run"] for x in told] == ["folded"] * 3 and all(x["seconds"] > 0 for x in told)
    options = json.loads((run / "run.json").read_text())["options"]
    assert (options["folds"], options["seed"]) == (3, 4), "those of the search"
    with np.load(run / "oof.npz") as oof, np.load(folded / "validation.npz") as held:
        order, theirs = np.argsort(oof["rows"] if "rows" in oof else oof["row"]), np.argsort(held["row"])
        np.testing.assert_array_equal(oof["proba"][order, 0], held["proba"][theirs])


def test_it_predicts_and_is_bundled_by_the_mean_of_its_fold_models(road, folded: Path) -> None:
    done = road.fertune("bundle", "runs/folded", "-o", "folded.fertune")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(road.root / "folded.fertune") as bundle:
        names = [name for name in bundle.namelist() if name.endswith(".keras")]
        assert len(names) == 3
        assert json.loads(bundle.read("bundle.json"))["score"]["rows"] == "held out of 3 folds"
    done = road.fertune("predict", "runs/folded", "--data", "builtin:digits", "--split", "test", "--out", "folded.npz")
    assert done.returncode == 0, done.stderr
    with np.load(road.root / "folded.npz") as said:
        np.testing.assert_allclose(said["proba"].sum(1), 1, atol=1e-5)


def test_only_the_plain_member_of_a_mixed_stack_is_trained(road, folded: Path) -> None:
    done = road.fertune(*SEARCH, "--trials", "1", "--seed", "9", "--out", "runs/plain")
    assert done.returncode == 0, done.stderr
    done = road.fertune(
        "stack", "runs/folded", "runs/plain", "--top", "1", "--meta", "greedy", "--time-budget", "3m",
        "--out", "runs/mixed",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    journal = lines(road.root / "runs" / "mixed")
    trained = {(x["member"], x["fold"]) for x in journal if x["event"] == "fold_started"}
    members = json.loads((road.root / "runs/mixed/run.json").read_text())["members"]
    plain = next(m["name"] for m in members if m["run"] == "plain")
    assert trained == {(plain, i) for i in range(3)}


def test_a_search_begins_with_what_another_one_found_and_goes_on_without_it(road, folded: Path) -> None:
    words = (*SEARCH, "--cv", "3", "--trials", "1", "--seed", "4", "--tuner", "tpe", "--out", "runs/warm")
    done = road.fertune(*words, "--warm-start", "runs/folded")
    assert done.returncode == 0, done.stderr
    run = road.root / "runs" / "warm"
    known = json.loads(road.fertune("show", "runs/folded", "--json").stdout)["trials"]
    whole = [t for t in known if t["state"] == "completed"]
    trials = json.loads(road.fertune("show", "runs/warm", "--json").stdout)["trials"]
    assert [t["value"] for t in trials[: len(whole)]] == [t["value"] for t in whole]
    assert len(trials) == len(whole) + 1
    params = [json.dumps(t["params"], sort_keys=True) for t in trials]
    assert len(set(params)) == len(params)
    assert (run / "trials" / "0" / "fold-0" / "model.keras").exists()
    hidden = folded.rename(folded.with_name("away"))
    try:
        again = road.fertune("search", "--out", "runs/warm", "--resume", "--trials", "2")
        assert again.returncode == 0, again.stderr
    finally:
        hidden.rename(folded)
    trials = json.loads(road.fertune("show", "runs/warm", "--json").stdout)["trials"]
    assert len(trials) == len(whole) + 2


def test_another_space_or_objective_is_refused_before_anything_is_written(road, folded: Path) -> None:
    done = road.fertune(
        "search", "--space", "tiny_leaky.yaml", "--data", "builtin:digits", "--max-epochs", "3",
        "--objective", "val_loss",
        "--warm-start", "runs/folded", "--out", "runs/refused",
    )  # fmt: skip
    assert done.returncode == 2
    for fault in ("space tiny", "--max-epochs 4, not 3", "--objective 'val_accuracy', not 'val_loss'", "--cv 3, not 0"):
        assert fault in done.stderr, done.stderr
    assert not (road.root / "runs" / "refused").exists()


def test_a_memorising_model_scores_chance_in_a_search_with_folds(road) -> None:
    """Each picture has two twins; a fold that divided them, or a watched held-out row, would show here."""
    memoriser.write(road.root)
    done = road.fertune(
        "search", "--space", "memoriser.py", "--data", "twins.npz", "--cv", "3", "--trials", "1",
        "--max-epochs", "30", "--out", "runs/memoriser-cv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trial = json.loads(road.fertune("show", "runs/memoriser-cv", "--json").stdout)["trials"][0]
    assert trial["folds"]["done"] == 3 and trial["value"] < 0.4
    told = [x for x in lines(road.root / "runs/memoriser-cv") if x["event"] == "epoch"]
    assert max(x["logs"]["accuracy"] for x in told) > 0.9, "it does memorise"
