"""Real engines in the real loop, without models: killed at random instants they go on as if undisturbed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from scripted import Killed, ScriptedJob, VirtualExecutor

from fertune.searchers import make_searcher, restore
from fertune.searchers.costliest import CostliestFirst
from fertune.searching import Search, read_progress
from fertune.space import Bool, Float, Int, Space
from fertune.store import Journal, open_record, write_json
from fertune.trial import OBJECTIVES, SECOND_OBJECTIVES, TUNERS, Finished, State, TrainResult

ACCURACY, PARAMETERS, LATENCY = (
    OBJECTIVES["val_accuracy"],
    SECOND_OBJECTIVES["parameters"],
    SECOND_OBJECTIVES["latency"],
)
SPACE = Space("s", [Int("x", 0, 200), Float("y", 0.0, 1.0), Bool("b"), Float("z", 0.0, 1.0, when={"b": (True,)})])


class WeighingExecutor(VirtualExecutor):
    """Its models have ``x`` weights and take ``x`` / 1000 ms."""

    def events(self, timeout: float) -> Any:
        for event in super().events(timeout):
            if isinstance(event, Finished):
                job = self.ran[-1]
                old = event.result
                yield Finished(
                    event.job_id,
                    TrainResult(old.value, old.best_epoch, old.epochs, 1.0, job.x, old.ended_by, latency=job.x / 1000),
                )
            else:
                yield event


def one_session(path: Path, tuner: str, executor: VirtualExecutor, trials: int, second: Any = None) -> Search:
    """Begin or go on; what knows of no results goes in order of ``x``, as in a sitting."""
    journal = Journal(path / "journal.jsonl")
    journal.write("session", trials=trials, workers=1)
    progress = read_progress(journal.lines)
    engine = make_searcher(tuner, SPACE, objective=ACCURACY, seed=3, trials=trials, max_epochs=2, second=second)
    searcher = CostliestFirst(engine, lambda params: float(params["x"])) if TUNERS[tuner].blind else engine
    restore(searcher, progress.calls)
    search = Search(
        searcher=searcher,
        executor=executor,
        journal=journal,
        make_job=ScriptedJob,
        objective=ACCURACY,
        second=second,
        progress=progress,
    )
    try:
        search.run()
    finally:
        journal.close()
    return search


def summary(search: Search) -> list[tuple[Any, ...]]:
    return [(t.id, t.state, dict(t.params), t.value, dict(t.values)) for t in search.trials.all()]


@pytest.mark.parametrize(
    ("tuner", "trials", "second"),
    [
        ("cmaes", 24, None),
        ("qmc", 24, None),
        ("nsga2", 24, None),
        ("nsga2", 24, PARAMETERS),
        ("nsga2", 24, LATENCY),
        ("random", 24, None),
        ("grid", 12, None),
        ("tpe", 14, None),
        pytest.param("gp", 12, None, marks=pytest.mark.slow),
        pytest.param("bayesian", 8, None, marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_instants_it_ends_as_if_undisturbed(
    tmp_path: Path, tuner: str, trials: int, second: Any
) -> None:
    for module in {"cmaes": ("cmaes",), "gp": ("torch",)}.get(tuner, ()):
        pytest.importorskip(module, reason=f"{tuner} needs {module}, of an extra")

    def fails(job: Any) -> str:
        return "fail" if job.x % 7 == 3 else "ok"

    quiet = one_session(tmp_path / "quiet", tuner, WeighingExecutor(fate=fails), trials, second)
    assert len(quiet.trials.all()) == trials
    chance = random.Random(trials)
    kills = 0
    while True:
        executor = WeighingExecutor(fate=lambda job: "kill" if chance.random() < 0.15 else fails(job))
        try:
            killed = one_session(tmp_path / "killed", tuner, executor, trials, second)
            break
        except Killed:
            kills += 1
    assert kills >= 1, "this seed shall kill, or the test shows nothing"
    assert summary(killed) == summary(quiet)


@pytest.mark.parametrize("second", [PARAMETERS, LATENCY], ids=lambda o: o.name)
def test_both_values_are_kept_and_the_front_is_told(tmp_path: Path, second: Any) -> None:
    executor = WeighingExecutor(fate=lambda job: "fail" if job.x > 190 else "ok")
    search = one_session(tmp_path, "nsga2", executor, 30, second)
    write_json(
        tmp_path / "run.json",
        {
            "protocol": 1, "kind": "search", "engine": "nsga2", "space": SPACE.to_dict(),
            "objective": {"name": "val_accuracy", "direction": "max"},
            "second_objective": {"name": second.name, "direction": "min"},
        },
    )  # fmt: skip
    record = open_record(tmp_path)
    document = record.to_json()
    assert document["second_objective"] == {"name": second.name, "direction": "min"}
    done = {t.id: t for t in search.trials.all() if t.state is State.COMPLETED}
    scale = 1 if second is PARAMETERS else 1000
    for row in document["trials"]:
        if row["id"] in done:
            assert row["values"] == {"val_accuracy": row["value"], second.name: row["params"]["x"] / scale}
        else:
            assert "values" not in row
    front = document["pareto"]
    assert front[0] == document["best"]["id"], "the best of the first objective leads the front"
    for t in done.values():
        beaten = any(
            o.value >= t.value and o.values[second.name] <= t.values[second.name]
            and (o.value, o.values[second.name]) != (t.value, t.values[second.name])
            for o in done.values()
        )  # fmt: skip
        assert (t.id in front) is not beaten
