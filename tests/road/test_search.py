"""``fertune search`` with real training."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

import fertune as ft
from fertune.store import read_journal
from tests.schema import check


def told(run: Path) -> list[tuple[object, ...]]:
    return [
        (x["trial"], x["ticket"], x["outcome"], x.get("value"), x.get("epochs"))
        for x in read_journal(run / "journal.jsonl")
        if x["event"] == "told"
    ]


def test_the_document_fits_its_schema_and_the_journal(road, search_run: Path) -> None:
    done = road.fertune("show", "runs/a", "--json")
    document = json.loads(done.stdout)
    check(document, "search")
    check((search_run / "run.json").read_text("utf-8"), "run")
    assert len(document["trials"]) == 5, "a promotion is no trial"
    values = [t["value"] for t in document["trials"] if t["value"] is not None]
    assert document["best"]["value"] == max(values)
    assert any(len(t["rungs"]) > 1 for t in document["trials"])


def test_a_value_is_its_best_epoch_and_the_kept_model_is_that_epoch(
    road, search_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERTUNE_CACHE", str(road.cache))
    run = ft.open_run(search_run)
    best = run.best
    assert best.value == pytest.approx(max(h["val_accuracy"] for h in best.history))
    assert best.history[best.best_epoch - 1]["val_accuracy"] == pytest.approx(best.value)
    data = ft.open_dataset("builtin:digits")
    at = data.positions("validation")
    proba = run.load_model().predict(data.images[at], verbose=0)
    assert (proba.argmax(1) == data.labels[at]).mean() == pytest.approx(best.value, abs=1e-9)


def test_three_models_stay_and_no_state_and_no_pickle(search_run: Path) -> None:
    assert len(list(search_run.glob("trials/*/model.keras"))) == 3
    assert not list(search_run.glob("trials/*/state"))
    assert {p.suffix for p in search_run.rglob("*") if p.is_file()} <= {".json", ".jsonl", ".npz", ".keras", ".log", ""}


def test_trials_is_a_frame_with_the_parameters(search_run: Path) -> None:
    frame = ft.open_run(search_run).trials()
    assert list(frame.columns[:3]) == ["id", "state", "value"]
    assert {"filters_1", "filters_2", "learning_rate"} <= set(frame.columns)
    assert len(frame) == 5


def test_killed_and_resumed_it_is_the_undisturbed_search(road, search_run: Path) -> None:
    """Law 5 with real training: SIGKILL twice, at no chosen moment."""
    words = (
        "search",
        "--space",
        "tiny.yaml",
        "--data",
        "builtin:digits",
        "--tuner",
        "hyperband",
        "--trials",
        "5",
        "--max-epochs",
        "4",
        "--out",
        "runs/killed",
        "--resume",
    )
    run = road.root / "runs" / "killed"
    for kills in range(2):
        process = road.start(*words)
        until = time.monotonic() + 120
        while len(told(run)) < 2 * (kills + 1) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    before = told(run)
    assert before, "something was finished when it was killed"
    done = road.fertune(*words)
    assert done.returncode == 0, done.stderr
    after = told(run)
    assert after[: len(before)] == before
    assert [x[:3] + x[4:] for x in after] == [x[:3] + x[4:] for x in told(search_run)]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_every_finished_trial(road, search_run: Path, signum: int, code: int) -> None:
    name = f"runs/signal-{signum}"
    process = road.start(
        "search",
        "--space",
        "tiny.yaml",
        "--data",
        "builtin:digits",
        "--trials",
        "40",
        "--max-epochs",
        "2",
        "--out",
        name,
    )
    until = time.monotonic() + 120
    while not told(road.root / name) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signum)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "--resume" in errors and "Traceback" not in errors
    assert any(x[2] == "completed" for x in told(road.root / name))


def test_a_time_budget_holds_with_the_running_trials_and_keeps_them(road, search_run: Path) -> None:
    begun = time.monotonic()
    done = road.fertune(
        "search", "--space", "tiny.yaml", "--data", "builtin:digits", "--trials", "2", "--max-epochs", "100000",
        "--time-budget", "30s", "--workers", "2", "--out", "runs/timed", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 75
    trials = json.loads(done.stdout)["trials"]
    assert len(trials) == 2
    for trial in trials:
        assert trial["state"] in ("stopped", "completed") and trial["value"] is not None and trial["epochs"] > 0
        assert (road.root / "runs/timed/trials" / str(trial["id"]) / "model.keras").exists()
    assert (road.root / "runs/timed/validation.npz").exists()


def test_a_space_of_four_points_trains_four_and_ends(road, search_run: Path) -> None:
    (road.root / "four.yaml").write_text(
        "name: four\nmodel: conv\nfixed: {blocks: 1, dense_units: 0, pooling: average}\n"
        "params:\n  filters_1: {type: choice, values: [4, 8]}\n  batch_norm: {type: bool}\n"
    )
    done = road.fertune(
        "search",
        "--space",
        "four.yaml",
        "--data",
        "builtin:digits",
        "--trials",
        "10",
        "--max-epochs",
        "1",
        "--out",
        "runs/four",
        "--json",
    )
    trials = json.loads(done.stdout)["trials"]
    assert len(trials) == 4 == len({json.dumps(t["params"], sort_keys=True) for t in trials})


MINE = """
import fertune as ft

def build(params, input_shape, n_classes):
    import keras
    if params["mood"] == "nan":
        loss = "mse"
    if params["mood"] == "raise":
        raise TypeError("my own mistake")
    if params["mood"] == "die":
        import os
        os._exit(3)
    return keras.Sequential([
        keras.Input(input_shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
        keras.layers.Dense(params["units"], activation="relu"), keras.layers.Dense(n_classes, activation="softmax")])

space = ft.Space("mine", [ft.Choice("mood", {moods}), ft.Int("units", 8, 12)], build=build,
                 recipe={{"learning_rate": 0.01}})
"""


def test_a_users_own_model_travels_and_failures_are_classed(road, search_run: Path) -> None:
    (road.root / "mine.py").write_text(MINE.format(moods=["good", "raise", "die"]))
    done = road.fertune(
        "search",
        "--space",
        "mine.py",
        "--data",
        "builtin:digits",
        "--trials",
        "7",
        "--max-epochs",
        "1",
        "--out",
        "runs/mine",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)["trials"]
    assert len(trials) == 7
    for trial in trials:
        mood = trial["params"]["mood"]
        assert trial["state"] == ("completed" if mood == "good" else "failed")
        if mood == "raise":
            assert trial["failure"]["kind"] == "crashed" and "my own mistake" in trial["failure"]["message"]
    info = json.loads((road.root / "runs/mine/run.json").read_text())
    assert "def build" in info["space_source"]
    refused = road.fertune("search", "--out", "runs/mine", "--resume")
    assert refused.returncode == 2 and "--space" in refused.stderr
    resumed = road.fertune("search", "--out", "runs/mine", "--resume", "--space", "mine.py")
    assert resumed.returncode == 0, resumed.stderr


def test_five_equal_failures_end_it_with_code_one(road, search_run: Path) -> None:
    (road.root / "bad.py").write_text(MINE.format(moods=["raise"]))
    done = road.fertune("search", "--space", "bad.py", "--data", "builtin:digits", "--trials", "5", "--out", "runs/bad")
    assert done.returncode == 1
    assert "all failed" in done.stderr and "my own mistake" in done.stderr and "Traceback" not in done.stderr


def test_a_run_that_exists_is_not_touched(road, search_run: Path) -> None:
    before = (search_run / "journal.jsonl").read_bytes()
    done = road.fertune("search", "--space", "tiny.yaml", "--data", "builtin:digits", "--out", "runs/a")
    assert done.returncode == 2 and "--resume" in done.stderr
    changed = road.fertune("search", "--out", "runs/a", "--resume", "--seed", "5")
    assert changed.returncode == 2 and "seed" in changed.stderr
    assert (search_run / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--space", "leeky_cnn"), "leaky_cnn"),
        (("--data", "nowhere.csv"), "nowhere.csv"),
        (("--trials", "0"), "--trials"),
        (("--time-budget", "soon"), "30m"),
        (("--tuner", "random", "--pruner", "asha"), "tpe"),
    ],
)
def test_bad_input_is_one_message_and_no_run(road, words: tuple[str, ...], hint: str) -> None:
    done = road.fertune("search", *words, "--out", "runs/never")
    assert done.returncode == 2
    assert hint in done.stderr and "Traceback" not in done.stderr and done.stdout == ""
    assert not (road.root / "runs/never").exists()


def test_python_without_a_main_guard_works(road, search_run: Path) -> None:
    import subprocess
    import sys

    script = road.root / "notebook_like.py"
    script.write_text(
        "import fertune as ft\n"
        "def build(params, input_shape, n_classes):\n"
        "    import keras\n"
        "    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(),\n"
        "                             keras.layers.Dense(n_classes, activation='softmax')])\n"
        "run = ft.search(ft.Space('s', [ft.Float('learning_rate', 1e-3, 1e-2)], build=build), data='builtin:digits',\n"
        "                trials=2, max_epochs=1, out='runs/python')\n"
        "print('trials', len(run.trials()), ft.search is not None, callable(ft.search))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=road.root,
        env=road.environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trials 2") == 1
