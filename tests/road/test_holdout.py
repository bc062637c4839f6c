"""Searching with a held-out part and stacking on it, by the command line and with real training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.road import memoriser

pytestmark = pytest.mark.slow

DATA = ("--data", "builtin:digits", "--max-epochs", "4", "--workers", "2")
SEARCH = ("search", "--space", "tiny.yaml", *DATA)


def lines(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def held(road) -> Path:
    done = road.fertune(*SEARCH, "--holdout", "0.15", "--trials", "2", "--seed", "4", "--out", "runs/held")
    assert done.returncode == 0, done.stderr
    return road.root / "runs" / "held"


@pytest.fixture(scope="module")
def stacked(road, held: Path) -> Path:
    words = ("--top", "2", "--meta", "greedy", "--bagging", "2", "--out", "runs/held-stack")
    done = road.fertune("stack", "runs/held", *words)
    assert done.returncode == 0, done.stderr
    assert "one model, which the held-out rows were kept from" in done.stdout
    assert "optimistic" not in done.stdout, "these rows chose nothing before"
    return road.root / "runs" / "held-stack"


def test_no_trial_sees_the_held_out_rows(road, held: Path) -> None:
    with np.load(held / "folds.npz") as cut, np.load(held / "validation.npz") as watched:
        fit, stop, out = (cut[f"fold0_{part}"] for part in ("fit", "stop", "held_out"))
        assert len(fit) + len(stop) + len(out) == 1527 and abs(len(out) - 0.15 * 1527) <= 5
        assert watched["position"].tolist() == stop.tolist(), "scores are of the other validation rows"
    said = road.fertune("show", "runs/held").stdout
    assert f"of 2 on {len(stop)} rows" in said
    done = road.fertune("report", "runs/held", "-o", "held.md")
    assert done.returncode == 0 and f"{len(stop)} validation rows" in (road.root / "held.md").read_text()


def test_a_stack_over_it_trains_no_single_model_and_has_just_these_rows(held: Path, stacked: Path) -> None:
    journal = lines(stacked)
    began = {x["member"] for x in journal if x["event"] == "fold_started"}
    assert began == {"bagging of 2"}
    told = [x for x in journal if x["event"] == "fold_told" and "origin" in x]
    assert [x["origin"]["run"] for x in told] == ["held"] * 2 and all(x["seconds"] > 0 for x in told)
    options = json.loads((stacked / "run.json").read_text())["options"]
    assert (options["folds"], options["holdout"], options["seed"]) == (1, 0.15, 4), "those of the search"
    with np.load(stacked / "oof.npz") as oof, np.load(held / "folds.npz") as cut:
        assert oof["row"].tolist() == cut["fold0_held_out"].tolist()
        assert oof["proba"].shape == (len(cut["fold0_held_out"]), 2, 10)


def test_it_predicts_as_its_search_does(road, held: Path, stacked: Path) -> None:
    names = json.loads((stacked / "run.json").read_text())["members"]
    best = json.loads(road.fertune("show", "runs/held", "--json").stdout)["best"]["id"]
    done = road.fertune("predict", "runs/held", "--data", "builtin:digits", "--split", "test", "--out", "held.npz")
    assert done.returncode == 0, done.stderr
    with np.load(road.root / "held.npz") as alone, np.load(stacked / "test.npz") as test:
        name = next(m["name"] for m in names if m["trial"] == best)
        column = test["names"].tolist().index(name)
        np.testing.assert_allclose(alone["proba"], test["proba"][:, column], atol=1e-5)


def test_a_plain_search_is_stacked_with_one_model_a_member(road) -> None:
    done = road.fertune("search", "--space", "tiny_leaky.yaml", *DATA, "--trials", "1", "--out", "runs/unheld")
    assert done.returncode == 0, done.stderr
    done = road.fertune(
        "stack", "runs/unheld", "--top", "1", "--holdout", "0.2", "--meta", "mean", "--out", "runs/unheld-stack"
    )
    assert done.returncode == 0, done.stderr
    assert [x["fold"] for x in lines(road.root / "runs/unheld-stack") if x["event"] == "fold_started"] == [0]


def test_other_folds_are_trained_anew_and_both_kinds_are_refused(road, held: Path) -> None:
    done = road.fertune("stack", "runs/held", "--folds", "3", "--holdout", "0.1", "--out", "runs/both")
    assert done.returncode == 2 and "--folds and --holdout do not go together" in done.stderr
    for words in (("--cv", "3", "--holdout", "0.1"), ("--holdout", "0.7"), ("--holdout", "-1")):
        done = road.fertune(*SEARCH, *words, "--out", "runs/both")
        assert done.returncode == 2 and "--holdout" in done.stderr
    assert not (road.root / "runs" / "both").exists()
    done = road.fertune(
        "stack", "runs/held", "--top", "1", "--folds", "2", "--meta", "mean", "--out", "runs/held-folds"
    )
    assert done.returncode == 0, done.stderr
    assert "trained anew: its search cut the rows in another way" in done.stdout + done.stderr
    assert len([x for x in lines(road.root / "runs/held-folds") if x["event"] == "fold_started"]) == 2


def test_it_is_resumed_and_begins_another_with_the_same_part_only(road, held: Path) -> None:
    done = road.fertune("search", "--out", "runs/held", "--resume", "--trials", "3", "--holdout", "0.2")
    assert done.returncode == 2 and "--holdout: 0.2; the run has 0.15" in done.stderr
    words = (*SEARCH, "--trials", "1", "--seed", "4", "--warm-start", "runs/held")
    done = road.fertune(*words, "--out", "runs/warm-other")
    assert done.returncode == 2 and "--holdout 0.15, not 0.0" in done.stderr
    done = road.fertune(*words, "--holdout", "0.15", "--tuner", "tpe", "--out", "runs/warm-held")
    assert done.returncode == 0, done.stderr
    done = road.fertune("stack", "runs/warm-held", "--top", "3", "--meta", "mean", "--out", "runs/warm-stack")
    assert done.returncode == 0, done.stderr
    assert not [x for x in lines(road.root / "runs/warm-stack") if x["event"] == "fold_started"]


def test_law_4_a_memorising_model_scores_chance_on_the_held_out_rows(road) -> None:
    """Each picture has two twins; a cut that divided them would show here."""
    memoriser.write(road.root)
    done = road.fertune(
        "search", "--space", "memoriser.py", "--data", "twins.npz", "--holdout", "0.3", "--trials", "1",
        "--max-epochs", "30", "--out", "runs/memoriser-held",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = road.fertune(
        "stack", "runs/memoriser-held", "--space", "memoriser.py", "--meta", "mean", "--out", "runs/memoriser-stack"
    )
    assert done.returncode == 0, done.stderr
    with np.load(road.root / "runs/memoriser-stack/oof.npz") as oof:
        right = float((oof["proba"][:, 0].argmax(1) == oof["labels"]).mean())
    assert right < 0.4
    told = [x for x in lines(road.root / "runs/memoriser-held") if x["event"] == "epoch"]
    assert max(x["logs"]["accuracy"] for x in told) > 0.9, "it does memorise"
