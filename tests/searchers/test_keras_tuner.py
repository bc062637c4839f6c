"""Keras Tuner's oracles: what fertune relies on, what it mends, and that no TensorFlow comes along."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fertune.errors import MissingPackage
from fertune.searchers import hyperband_size, make_searcher
from fertune.searchers import keras_tuner as adapter
from fertune.searchers.hyperband import HyperbandSearcher
from fertune.searchers.keras_tuner import hyperparameters, import_keras_tuner, plain_value
from fertune.space import Choice, Float, Int, Space
from fertune.testing.searchers import ACCURACY, FOUR, LOSS, WIDE, Played, drive
from fertune.trial import TUNERS, Complete, Objective, Suggestion, Wait


def hyperband(
    space: Space = WIDE,
    *,
    trials: int | None = None,
    max_epochs: int = 9,
    seed: int = 0,
    objective: Objective = ACCURACY,
) -> HyperbandSearcher:
    made = make_searcher("hyperband", space, objective=objective, seed=seed, trials=trials, max_epochs=max_epochs)
    assert isinstance(made, HyperbandSearcher)
    return made


def oracle(max_epochs: int = 9, iterations: int = 1) -> Any:
    kt = import_keras_tuner()
    return kt.oracles.HyperbandOracle(
        objective=kt.Objective("x", "max"),
        max_epochs=max_epochs,
        factor=3,
        hyperband_iterations=iterations,
        hyperparameters=hyperparameters(kt, WIDE),
        allow_new_entries=False,
        tune_new_entries=False,
        seed=1,
    )


# What fertune needs of keras-tuner beyond its documented interface. When one of these fails, read the release notes of
# keras-tuner, mend searchers/keras_tuner.py, and only then move the bound in setup.cfg.


@pytest.mark.parametrize("tuner", [t.name for t in TUNERS.values() if t.library == "keras-tuner"])
def test_an_oracle_writes_nowhere(tuner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kt = import_keras_tuner()
    for name in ("save", "_save_trial"):
        assert hasattr(kt.Oracle, name), f"keras-tuner has no Oracle.{name} any more: its oracles write by another way"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    drive(make_searcher(tuner, WIDE, objective=LOSS, seed=1, trials=12, max_epochs=9), steps=12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("max_epochs", [1, 2, 3, 4, 8, 9, 10, 26, 27, 28, 30, 50, 81])
def test_the_size_of_an_iteration_is_the_oracles_own(max_epochs: int):
    seen = oracle(max_epochs)
    seen._save_trial, seen.save = (lambda trial: None), (lambda: None)
    new = 0
    while True:
        with adapter.quiet():
            trial = seen.create_trial("one")
        if trial.status == "STOPPED":
            break
        new += "tuner/trial_id" not in trial.hyperparameters.values
        with adapter.quiet():
            seen.update_trial(trial.trial_id, {"x": 0.5})
            trial.status = "COMPLETED"
            seen.end_trial(trial)
    assert new == hyperband_size(max_epochs)


def test_idle_and_stopped_leave_the_oracle_as_it_was():
    searcher = hyperband(trials=None, max_epochs=3)
    played = drive(searcher, workers=50, steps=hyperband_size(3))
    pieces = list(played.open)
    state = (searcher._oracle._seed_state, len(searcher._oracle.trials))
    assert [searcher.ask() for _ in range(3)] == [Wait()] * 3
    assert (searcher._oracle._seed_state, len(searcher._oracle.trials)) == state
    assert pieces


# The environment


def run(code: str, **environment: str) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("KERAS_BACKEND", "FERTUNE_COORDINATOR")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**env, **environment}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_searchers_imports_neither_library():
    code = "import sys, fertune.searchers; print([m for m in ('keras', 'keras_tuner', 'optuna') if m in sys.modules])"
    assert run(code) == "[]"


USE = """
from fertune.searchers import make_searcher
from fertune.space import Bool, Space
from fertune.trial import OBJECTIVES, Complete
searcher = make_searcher("hyperband", Space("s", [Bool("a")]), objective=OBJECTIVES["val_accuracy"], seed=0, trials=2,
                         max_epochs=3)
searcher.tell(searcher.ask().ticket, Complete(0.5))
"""
WITHOUT = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
"""


@pytest.mark.parametrize("given", [{}, {"KERAS_BACKEND": "jax"}])
def test_in_the_coordinator_no_backend_comes_along_and_the_environment_is_as_before(given: dict[str, str]):
    code = (
        f"import os, sys\nbefore = dict(os.environ)\n{USE}"
        "print([m for m in ('tensorflow', 'jax', 'torch') if m in sys.modules], dict(os.environ) == before)\n"
        "print([m for m in sys.modules if m.startswith('keras.src.backend.jax')])"
    )
    assert run(code, FERTUNE_COORDINATOR="1", **given) == "[] True\n[]"


def test_in_the_coordinator_no_backend_need_be_installed():
    """Keras's numpy backend imports JAX for convolutions and Fourier transforms; fertune[cpu] does not bring JAX."""
    absent = ("jax", "jaxlib", "tensorflow", "torch", "tensorboard", "IPython")
    code = WITHOUT.format(names=absent) + USE + "print('ok')"
    assert run(code, FERTUNE_COORDINATOR="1") == "ok"


@pytest.mark.slow
def test_where_the_numpy_backend_cannot_be_had_keras_is_imported_plainly():
    code = (
        WITHOUT.format(names=("jax", "torch"))
        + (
            "import fertune.searchers.keras_tuner as adapter\n"
            "class Nothing(adapter.ModuleType): pass\n"
            "adapter._StandIn = Nothing\n"
        )
        + USE
        + "import keras\nprint(keras.backend.backend())"
    )
    assert run(code, FERTUNE_COORDINATOR="1", KERAS_BACKEND="tensorflow") == "tensorflow"


def test_where_keras_is_imported_already_its_backend_is_left_alone():
    here = "tensorflow" if importlib.util.find_spec("tensorflow") else "jax"  # the numpy one wants jax as well
    code = (
        "import os\n"
        f"os.environ['KERAS_BACKEND'] = {here!r}\n"
        "import keras\n"
        "os.environ['KERAS_BACKEND'] = 'untouched'\n"
        "from fertune.searchers.keras_tuner import import_keras_tuner\n"
        "import_keras_tuner()\n"
        "print(keras.backend.backend(), os.environ['KERAS_BACKEND'])"
    )
    assert run(code, FERTUNE_COORDINATOR="1") == f"{here} untouched"


def test_a_missing_package_ends_with_the_install_line(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'six'", name="six")

    monkeypatch.setattr(adapter.importlib, "import_module", missing)
    with pytest.raises(MissingPackage, match="'six' is not installed") as caught:
        import_keras_tuner()
    assert caught.value.help == 'pip install "fertune[cpu]"'


# The space as the oracle sees it


def test_values_come_back_in_the_declared_type():
    assert plain_value(Float("d", 0.1, 0.5, step=0.1), 2) == 0.3
    assert type(plain_value(Int("n", 1, 9), 3)) is int
    assert plain_value(Float("d", 0.0, 1.0), 1.0000000000000002) == 1.0
    made = plain_value(Choice("c", [1.0, 2.0]), 2)
    assert type(made) is float


def test_every_value_of_every_parameter_can_be_drawn():
    seen: dict[str, set[object]] = {}
    searcher = make_searcher("random", WIDE, objective=ACCURACY, seed=3, trials=250, max_epochs=1)
    for piece in drive(searcher).new:
        for name, value in piece.params.items():
            seen.setdefault(name, set()).add(value)
    assert seen["blocks"] == {2, 3, 4} and seen["odd"] == {1, 3, 5, 7, 9}
    assert seen["dropout"] == {0.1, 0.2, 0.3, 0.4, 0.5}
    assert seen["norm"] == {True, False} and seen["mode"] == {"a", "b"}


# Hyperband


def shape(played: Played) -> list[tuple[int, int, int, int]]:
    """(bracket, rung, budget, how many), most aggressive bracket first."""
    count = Counter((s.tags["bracket"], s.tags["rung"], s.budget) for s in played.suggestions)
    return sorted(((*key, n) for key, n in count.items()), key=lambda k: (-k[0], k[1]))


def test_one_iteration_is_that_of_the_paper():
    for workers in (1, 2, 5):
        played = drive(hyperband(), workers=workers, seed=workers, fail=0.3 if workers == 2 else 0.0)
        if workers == 2:
            assert {s.budget for s in played.suggestions} <= {1, 3, 9}
            continue
        assert shape(played) == [(2, 0, 1, 9), (2, 1, 3, 3), (2, 2, 9, 1), (1, 0, 3, 5), (1, 1, 9, 2), (0, 0, 9, 3)]


@pytest.mark.parametrize("objective", [ACCURACY, LOSS], ids=lambda o: o.name)
def test_the_better_ones_are_promoted(objective: Objective):
    searcher = hyperband(objective=objective)
    rungs: dict[int, list[tuple[float, int]]] = {}
    while True:
        piece = searcher.ask()
        if not isinstance(piece, Suggestion) or piece.tags["bracket"] != 2:
            break
        value = float(piece.params["rate"])
        if piece.continues is None:
            rungs.setdefault(0, []).append((value, piece.ticket))
        else:
            rungs.setdefault(piece.tags["rung"], []).append((value, piece.continues))
        searcher.tell(piece.ticket, Complete(value))
    best = sorted((v for v, _ in rungs[0]), reverse=objective.direction == "max")
    assert sorted(v for v, _ in rungs[1]) == sorted(best[:3])
    assert [v for v, _ in rungs[2]] == best[:1]


def test_a_late_promotion_belongs_to_the_bracket_of_its_parent():
    """The first bracket waits for one slow trial while the second goes on."""
    searcher = hyperband()
    slow = searcher.ask()
    assert isinstance(slow, Suggestion)
    asked = [slow]
    while True:
        piece = searcher.ask()
        if not isinstance(piece, Suggestion):
            break
        asked.append(piece)
        searcher.tell(piece.ticket, Complete(0.1))
    assert isinstance(piece, Wait) and {s.tags["bracket"] for s in asked} == {0, 1, 2}
    searcher.tell(slow.ticket, Complete(0.9))
    late = searcher.ask()
    assert isinstance(late, Suggestion) and late.continues == slow.ticket
    assert late.tags == {"bracket": 2, "rung": 1} and late.budget == 3


def test_fewer_trials_than_a_bracket_are_still_promoted_to_the_top():
    for trials, workers in ((1, 1), (2, 2), (5, 1), (8, 4), (8, 8)):
        played = drive(hyperband(trials=trials), workers=workers)
        assert len(played.new) == trials
        assert {s.tags["bracket"] for s in played.suggestions} == {2}, "no new bracket is begun"
        assert max(s.budget for s in played.suggestions) == 9
        assert len([s for s in played.suggestions if s.budget == 9]) == 1
        assert played.end is not None and "every promotion was made" in played.end.reason


def test_slots_without_a_configuration_cost_little():
    """A bracket of 27 epochs has 27 first slots; the 22 of later brackets are not asked for."""
    searcher = hyperband(trials=1, max_epochs=27)
    assert len(drive(searcher).suggestions) == 4
    first, later_rungs = 27, 9 + 3 + 1
    assert len(searcher._oracle.trials) <= first + later_rungs + 1


def test_the_best_of_few_trials_reaches_the_top():
    played = drive(hyperband(trials=8), workers=3, value=lambda params: float(params["rate"]), seed=5)
    top = [s for s in played.suggestions if s.budget == 9]
    values = {t: o.value for t, o in played.outcomes.items() if isinstance(o, Complete)}
    assert all(s.continues is not None for s in top)
    assert len(values) == len(played.suggestions)


def test_more_trials_than_an_iteration_are_more_iterations():
    size = hyperband_size(9)
    assert size == 17
    played = drive(hyperband(trials=size + 4), workers=2)
    assert len(played.new) == size + 4
    assert [s.tags["bracket"] for s in played.new].count(2) == 9 + 4


def test_failures_cost_no_promotion():
    """Told as failed, 12 failures in a rung of 34 would let nobody pass; told as worst, the others are promoted."""
    failing = {0, 2, 4, 6}
    played = drive(hyperband(), fail=lambda piece: piece.ticket in failing)
    first = [s for s in played.suggestions if s.tags["bracket"] == 2]
    assert [(s.tags["rung"]) for s in first].count(1) == 3
    assert not {s.continues for s in played.promoted} & failing


def test_if_everything_fails_it_ends_without_promotions():
    played = drive(hyperband(), fail=1.0, workers=3)
    assert played.promoted == [] and len(played.new) == hyperband_size(9)


def test_a_small_space_fills_its_rungs_all_the_same():
    played = drive(hyperband(FOUR, trials=10))
    assert len(played.new) == 4
    assert max(s.budget for s in played.suggestions) == 9
    assert [s.tags["rung"] for s in played.suggestions].count(1) == 3
