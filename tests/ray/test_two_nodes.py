"""A real cluster of two nodes: one dies, one joins, and folders that the nodes do not share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.data import open_dataset
from fertune.execution.ray import RayExecutor
from fertune.searchers import make_searcher
from fertune.searching import Observer, Search
from fertune.space import Int, Space
from fertune.store import Journal
from fertune.testing.executors import until_ended
from fertune.testing.scripted import ScriptedJob
from fertune.trial import (
    OBJECTIVES,
    Failed,
    FailureKind,
    Finished,
    PredictJob,
    Reported,
    Rows,
    State,
    Suggestion,
    TrainJob,
    Trial,
)

pytestmark = pytest.mark.slow
WIDE = Space("wide", [Int("x", 1, 10**6)])
Executors = Callable[..., RayExecutor]


class At(Observer):
    """Calls ``then`` once, when ``n`` trials have ended."""

    def __init__(self, n: int, then: Callable[[], object]) -> None:
        self.n, self.then, self.ended = n, then, 0

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self.ended += 1
        if self.ended == self.n:
            self.then()


def search(executor: RayExecutor, folder: Path, trials: int, observer: Observer) -> Search:
    accuracy = OBJECTIVES["val_accuracy"]

    def job(trial: Trial, suggestion: Suggestion) -> ScriptedJob:
        return ScriptedJob(f"{trial.id}-{suggestion.ticket}", epochs=4, seconds=0.1)

    return Search(
        searcher=make_searcher("random", WIDE, objective=accuracy, seed=0, trials=trials, max_epochs=4),
        executor=executor, journal=Journal(folder / "journal.jsonl"), make_job=job, objective=accuracy,
        observer=observer,
    )  # fmt: skip


@pytest.mark.parametrize("graceful", [True, False])
def test_a_node_dies_and_nothing_is_lost(cluster: Any, executors: Executors, tmp_path: Path, graceful: bool) -> None:
    cluster.add_node(num_cpus=1, num_gpus=0)
    doomed = cluster.add_node(num_cpus=2, num_gpus=0)
    executor = executors(address=cluster.address, threads=1)
    assert executor.slots == 3
    made = search(executor, tmp_path / "run", 24, At(4, lambda: cluster.remove_node(doomed, allow_graceful=graceful)))
    assert made.run()[0] == "finished"
    trials = made.trials.all()
    assert len(trials) == 24 and len({t.params["x"] for t in trials}) == 24
    assert [t.state for t in trials] == [State.COMPLETED] * 24, "a lost node is no fault of a trial"
    assert all([row["epoch"] for row in t.history] == [1, 2, 3, 4] for t in trials)
    lines = Journal(tmp_path / "run" / "journal.jsonl").lines
    told = [line["ticket"] for line in lines if line["event"] == "told"]
    epochs = [(line["ticket"], line["step"]) for line in lines if line["event"] == "epoch"]
    assert len(told) == len(set(told)) == 24
    assert len(epochs) == len(set(epochs)) == 96, "an epoch that was told before is not told again"
    begun = [line["ticket"] for line in lines if line["event"] == "started"]
    assert len(begun) > 24, "the node held jobs when it died"
    assert executor.slots == 1


def test_a_node_that_joins_gets_work(cluster: Any, executors: Executors, tmp_path: Path) -> None:
    cluster.add_node(num_cpus=1, num_gpus=0)
    executor = executors(address=cluster.address, threads=1)
    assert executor.slots == 1
    made = search(executor, tmp_path / "run", 16, At(2, lambda: cluster.add_node(num_cpus=2, num_gpus=0)))
    assert made.run()[0] == "finished" and executor.slots == 3
    workers = {s["worker"] for s in Journal(tmp_path / "run" / "journal.jsonl").lines if s["event"] == "started"}
    assert workers == {0, 1, 2}


def test_an_actor_that_is_killed_is_one_failed_job(cluster: Any, ray: Any, executors: Executors) -> None:
    cluster.add_node(num_cpus=1, num_gpus=0)
    executor = executors(address=cluster.address, threads=1)
    executor.submit(ScriptedJob("a", "wait"))
    killed = False

    def kill(event: object) -> None:
        nonlocal killed
        if not killed:
            killed = True
            ray.kill(executor._places[0].actor)

    events = until_ended(executor, 1, kill, limit=60)
    assert isinstance(events[-1], Failed) and events[-1].failure.kind is FailureKind.CRASHED
    executor.submit(ScriptedJob("b"))
    assert isinstance(until_ended(executor, 1, limit=60)[-1], Finished)


def test_data_and_output_travel_where_no_folder_is_shared(
    cluster: Any, executors: Executors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow", reason="it trains a model, with TensorFlow")
    data = open_dataset("builtin:digits")
    assert data.folder is not None
    here = tmp_path / "elsewhere"
    cluster.add_node(num_cpus=2, num_gpus=0, env_vars={"FERTUNE_CACHE": str(here)})
    executor = executors(address=cluster.address, threads=1, runner="fertune.training.runner", sharing=False)
    run = tmp_path / "run"
    rows = run / "rows.npz"
    train = data.positions("train")
    np.savez(rows, fit=train[:200], stop=train[200:300], held_out=train[300:340])

    def job(name: str, budget: int, resume: str | None) -> TrainJob:
        out = run / "trials" / name
        return TrainJob(
            id=f"{name}-{budget}", data=str(data.folder), fingerprint=data.fingerprint,
            fit=Rows(file=str(rows), key="fit"), stop=Rows(file=str(rows), key="stop"),
            predict={"held_out": Rows(file=str(rows), key="held_out")}, family="conv",
            settings=SETTINGS, budget=budget, objective=OBJECTIVES["val_accuracy"], seed=1, out=str(out),
            resume=resume, keep_state=True, horizon=2,
        )  # fmt: skip

    for name in ("a", "b"):
        executor.submit(job(name, 1, None))
    first = until_ended(executor, 2, limit=120)
    assert [e for e in first if isinstance(e, Failed)] == []
    for name in ("a", "b"):
        folder = run / "trials" / name
        assert {p.name for p in folder.iterdir()} >= {"model.keras", "stop.npz", "held_out.npz", "state"}
    kept = [p for p in here.iterdir() if (p / "images.npy").exists()]
    assert len(kept) == 1, "the two workers of the node have one copy"
    executor.submit(job("a", 2, str(run / "trials" / "a")))
    events = until_ended(executor, 1, limit=120)
    assert [e.step for e in events if isinstance(e, Reported)] == [2], "it went on from the state that was sent"
    out = run / "trials" / "a" / "test.npz"
    model = str(run / "trials" / "a" / "model.keras")
    executor.submit(PredictJob("p", str(data.folder), data.fingerprint, Rows(splits=("test",)), model, str(out)))
    assert isinstance(until_ended(executor, 1, limit=120)[-1], Finished)
    with np.load(out) as stored:
        assert stored["proba"].shape == (len(data.positions("test")), data.n_classes)


SETTINGS: dict[str, Any] = {}
