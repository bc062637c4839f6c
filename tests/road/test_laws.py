"""Laws 3 and 4 over the whole road: nothing that a model has seen may come back as an out-of-fold answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.road import memoriser


@pytest.fixture(scope="module")
def twins(road) -> None:
    memoriser.write(road.root)


def test_a_memorising_model_scores_chance_out_of_fold(road, twins: None) -> None:
    """Each picture has two twins: were they dealt to different folds, the memoriser would be right on nearly all."""
    done = road.fertune(
        "search",
        "--space",
        "memoriser.py",
        "--data",
        "twins.npz",
        "--trials",
        "1",
        "--max-epochs",
        "30",
        "--out",
        "runs/memoriser",
    )
    assert done.returncode == 0, done.stderr
    history = json.loads(road.fertune("show", "runs/memoriser", "--json").stdout)["trials"][0]
    assert history["value"] < 0.6, "validation rows have no twin among the training rows either"
    done = road.fertune(
        "stack",
        "runs/memoriser",
        "--top",
        "1",
        "--folds",
        "3",
        "--epochs",
        "30",
        "--space",
        "memoriser.py",
        "--meta-trials",
        "3",
        "--out",
        "runs/memoriser-stack",
    )
    assert done.returncode == 0, done.stderr
    with np.load(road.root / "runs/memoriser-stack/oof.npz") as oof:
        single = (oof["proba"][:, 0].argmax(1) == oof["labels"]).mean()
        groups = oof["groups"]
        for cluster in np.unique(groups):
            assert len(set(oof["fold"][groups == cluster].tolist())) == 1
        assert len(np.unique(groups)) == 120
    comparison = json.loads((road.root / "runs/memoriser-stack/comparison.json").read_text())
    assert comparison["verdict"]["kind"] == "no_test", "there are no test rows: no verdict, and no test number"
    chance, spread = 0.25, 4 * (0.25 * 0.75 / 120) ** 0.5
    assert abs(single - chance) < spread + 0.05
    for row in comparison["rows"]:
        assert row["accuracy"] is None and row["oof_accuracy"] < chance + spread + 0.08, row["name"]


def test_the_memoriser_does_memorise(road, twins: None) -> None:
    """Else the test above could not fail: on rows that it has seen it is right on most."""
    import fertune as ft

    run = ft.open_run(road.root / "runs/memoriser")
    assert run.best is not None and run.record.trials[0].history[-1]["accuracy"] > 0.9
