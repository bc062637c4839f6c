"""``fertune stack``, ``predict`` and ``report`` with real training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fertune as ft
from fertune.store import read_journal
from tests.schema import check


def test_the_document_fits_its_schema(road, stack_run: Path) -> None:
    document = json.loads(road.fertune("show", "runs/s", "--json").stdout)
    check(document, "stack")
    check((stack_run / "run.json").read_text("utf-8"), "run")
    roles = [r["role"] for r in document["comparison"]]
    assert roles.count("single") == 2 and roles.count("variant") == 2
    assert roles.count("average") == 2 and roles.count("meta") == 3
    assert document["verdict"]


def test_each_row_is_held_out_once_and_never_watched(stack_run: Path) -> None:
    """Laws 1 and 2 on what was stored."""
    with np.load(stack_run / "folds.npz") as folds, np.load(stack_run / "oof.npz") as oof:
        held = np.concatenate([folds[f"fold{i}_held_out"] for i in range(3)])
        assert len(np.unique(held)) == len(held) == len(oof["row"])
        for i in range(3):
            parts = [set(folds[f"fold{i}_{p}"].tolist()) for p in ("fit", "stop", "held_out")]
            assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
        assert np.allclose(oof["proba"].sum(2), 1, atol=1e-4)


def test_singles_and_ensembles_have_the_same_member_predictor(stack_run: Path) -> None:
    """Law 9: the single row is the mean of its fold models, recomputed here from what is on disk (law 8)."""
    with np.load(stack_run / "test.npz") as test:
        names = list(test["names"])
        comparison = json.loads((stack_run / "comparison.json").read_text())
        assert comparison["predictor"] == "mean of 3 fold models"
        for row in comparison["rows"]:
            mine = test["proba"][:, names.index(row["name"])]
            assert row["accuracy"] == pytest.approx((mine.argmax(1) == test["labels"]).mean())
        single = comparison["best_single"]
        parts = [
            np.load(p)["proba"]
            for p in sorted(
                (stack_run / "members" / single.replace("_", "-").replace(" ", "-")).glob("fold-*/test.npz")
            )
        ]
        assert len(parts) == 3
        assert np.allclose(np.mean(parts, axis=0), test["proba"][:, names.index(single)], atol=1e-6)


def test_what_is_chosen_is_chosen_out_of_fold(stack_run: Path) -> None:
    comparison = json.loads((stack_run / "comparison.json").read_text())
    rows = {r["name"]: r for r in comparison["rows"]}
    stacks = [r for r in comparison["rows"] if r["role"] in ("average", "meta")]
    singles = [r for r in comparison["rows"] if r["role"] == "single"]
    assert rows[comparison["chosen"]]["oof_accuracy"] == max(r["oof_accuracy"] for r in stacks)
    assert rows[comparison["best_single"]]["oof_accuracy"] == max(r["oof_accuracy"] for r in singles)
    assert comparison["rows"][0]["name"] == comparison["best_single"]


def test_a_resumed_stack_trains_nothing_twice(road, stack_run: Path) -> None:
    before = (stack_run / "comparison.json").read_text()
    trained = sum(x["event"] == "fold" for x in read_journal(stack_run / "journal.jsonl"))
    done = road.fertune("stack", "--out", "runs/s", "--resume")
    assert done.returncode == 0, done.stderr
    assert sum(x["event"] == "fold" for x in read_journal(stack_run / "journal.jsonl")) == trained
    again = json.loads((stack_run / "comparison.json").read_text())
    for row in again["rows"] + json.loads(before)["rows"]:
        row.pop("seconds"), row.pop("predict_seconds")
    old = json.loads(before)
    for row in old["rows"]:
        row.pop("seconds"), row.pop("predict_seconds")
    assert again == old


def test_the_bundle_predicts_the_same_in_a_fresh_process(road, stack_run: Path) -> None:
    done = road.fertune("predict", "runs/s", "--split", "test", "--out", "proba.npz")
    assert done.returncode == 0, done.stderr
    code = (
        "import fertune as ft, numpy as np; d = ft.open_dataset('builtin:digits'); at = d.positions('test');"
        "p = ft.open_run('runs/s').predict_proba(d.images[at]); np.savez('fresh.npz', proba=p, row=d.row_ids[at])"
    )
    subprocess.run([sys.executable, "-c", code], cwd=road.root, env=road.environment(), check=True, capture_output=True)
    with (
        np.load(road.root / "proba.npz") as a,
        np.load(road.root / "fresh.npz") as b,
        np.load(stack_run / "test.npz") as test,
    ):
        chosen = json.loads((stack_run / "comparison.json").read_text())["chosen"]
        stored = test["proba"][:, list(test["names"]).index(chosen)]
        assert a["row"].dtype == np.int32 and a["proba"].dtype == np.float32
        assert np.array_equal(a["row"], b["row"]) and np.array_equal(a["row"], test["row"])
        assert np.abs(a["proba"] - b["proba"]).max() < 1e-5
        assert np.abs(a["proba"] - stored).max() < 1e-5


def test_predict_refuses_other_pictures_and_splits(road, stack_run: Path) -> None:
    faces = road.fertune("predict", "runs/s", "--data", "builtin:faces?n=200")
    assert faces.returncode == 2 and "48" in faces.stderr
    split = road.fertune("predict", "runs/s", "--split", "tset")
    assert split.returncode == 2 and "test" in split.stderr
    none = road.fertune("predict", "runs/s", "--split", "unlabelled")
    assert none.returncode == 2 and "unlabelled" in none.stderr


def test_a_report_needs_only_the_folder_and_is_the_same_twice(road, stack_run: Path, search_run: Path) -> None:
    for run in ("runs/s", "runs/a"):
        first = road.fertune("report", run, "-o", "one.html")
        assert first.returncode == 0 and first.stdout.strip() == "one.html", first.stderr
        road.fertune("report", run, "-o", "two.html")
        page = (road.root / "one.html").read_bytes()
        assert page == (road.root / "two.html").read_bytes()
        assert len(page) < 5_000_000
        for section in (
            "leaderboard",
            "curves",
            "parallel",
            "importance",
            "failures",
            "comparison",
            "confusion",
            "per-class",
            "gallery",
            "reproduce",
        ):
            assert page.count(f'id="{section}"'.encode()) == 1
        assert str(road.root).encode() not in page


def test_different_data_cannot_be_stacked(road, search_run: Path) -> None:
    made = road.fertune(
        "search",
        "--space",
        "tiny.yaml",
        "--data",
        "builtin:faces?n=200&size=24",
        "--trials",
        "1",
        "--max-epochs",
        "1",
        "--out",
        "runs/faces",
    )
    assert made.returncode == 0, made.stderr
    done = road.fertune("stack", "runs/a", "runs/faces", "--out", "runs/mixed")
    assert done.returncode == 2 and "different data" in done.stderr
    assert not (road.root / "runs/mixed").exists()


def test_a_stack_of_a_stack_and_of_nothing(road, stack_run: Path) -> None:
    assert "only searches" in road.fertune("stack", "runs/s").stderr
    assert road.fertune("stack").returncode == 2


def test_python_has_the_same_words(road, stack_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    monkeypatch.setenv("FERTUNE_CACHE", str(road.cache))
    result = ft.open_run(stack_run)
    frame = result.comparison()
    assert {"name", "role", "accuracy", "accuracy_low", "p_value", "oof_accuracy"} <= set(frame.columns)
    assert result.verdict in " ".join(repr(result).split())
    data = ft.open_dataset("builtin:digits")
    proba = result.predict_proba(data.images[:7])
    assert proba.shape == (7, 10) and np.allclose(proba.sum(1), 1, atol=1e-5)
    from fertune.cli.grammar import READ_OPTIONS
    from fertune.cli.parser import make_parser

    commands = next(a for a in make_parser()._actions if a.dest == "command").choices
    for verb in ("search", "stack"):
        options = {a.dest for a in commands[verb]._actions} - {"help", "json", "quiet", *READ_OPTIONS}
        assert options <= set(inspect.signature(getattr(ft, verb)).parameters), verb
