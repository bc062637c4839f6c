"""The samplers beside TPE: what they model, what they keep in the study, and that a restored one has it again."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import pytest

from fertune.errors import ConfigError, MissingPackage
from fertune.searchers import Engine, engine_notes, make_searcher, restore
from fertune.searchers.modelled import modelled
from fertune.space import Bool, Choice, Float, Int, Space
from fertune.testing.searchers import ACCURACY, FOUR, LOSS, WIDE, drive
from fertune.trial import SECOND_OBJECTIVES, Complete, Suggestion

PARAMETERS = SECOND_OBJECTIVES["parameters"]
PLANE = Space("plane", [Float("x", -1.0, 1.0), Float("y", -1.0, 1.0), Int("n", 0, 40), Bool("b")])


def make(tuner: str, space: Space = PLANE, **options: Any) -> Engine:
    for module in {"cmaes": ("cmaes",), "gp": ("torch",)}.get(tuner, ()):
        pytest.importorskip(module, reason=f"{tuner} needs {module}, of an extra")
    return make_searcher(tuner, space, **{"objective": ACCURACY, "seed": 0, "trials": 80, "max_epochs": 3, **options})


def near_half(params: Any) -> float:
    """1 at x = y = 0.5 and n = 20, less elsewhere."""
    return 1 - (params["x"] - 0.5) ** 2 - (params["y"] - 0.5) ** 2 - abs(params["n"] - 20) / 40


@pytest.mark.parametrize("tuner", ["cmaes", "nsga2"])
def test_it_learns(tuner: str) -> None:
    played = drive(make(tuner), value=near_half)
    values = [near_half(s.params) for s in played.suggestions]
    assert sum(values[-20:]) / 20 > sum(values[:20]) / 20 + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("tuner", ["gp", "bayesian"])
def test_a_gaussian_process_learns(tuner: str) -> None:
    played = drive(make(tuner, trials=30), value=near_half)
    values = [near_half(s.params) for s in played.suggestions]
    assert sum(values[-10:]) / 10 > sum(values[:7]) / 7 + 0.1


def test_a_sequence_is_more_even_than_chance() -> None:
    """64 points of a Sobol sequence put 4 into each sixteenth of every axis; by chance some get none."""
    played = drive(make("qmc", Space("s", [Float("x", 0.0, 1.0), Float("y", 0.0, 1.0)]), trials=64))
    for name in ("x", "y"):
        cells = [int(float(s.params[name]) * 16) for s in played.suggestions]
        assert [cells.count(i) for i in range(16)] == [4] * 16


@pytest.mark.parametrize("tuner", ["cmaes", "qmc", "nsga2", "gp"])
@pytest.mark.parametrize("killed_after", [3, 17, 41])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_restored_one_goes_on_as_the_undisturbed_one_over_generations(
    tuner: str, killed_after: int, workers: int
) -> None:
    """Deep enough that the optimizer of CMA-ES, the counter of QMC and the generations of NSGA-II all matter."""
    if tuner == "gp" and killed_after > 20:
        pytest.skip(reason="slow, and the same")
    searcher = make(tuner, seed=4)
    played = drive(searcher, workers=workers, seed=killed_after, fail=0.1, steps=killed_after, value=near_half)
    again = make(tuner, seed=4)
    restore(again, played.calls)
    for _ in range(12 if tuner != "gp" else 3):
        one, two = searcher.ask(), again.ask()
        assert one == two and isinstance(one, Suggestion)
        for each in (searcher, again):
            each.tell(one.ticket, Complete(near_half(one.params)))


def test_without_their_notes_they_would_go_another_way() -> None:
    """A study that only has the trials again repeats the start of the sequence: the calls must be repeated."""
    searcher, fresh = make("qmc"), make("qmc")
    first = [searcher.ask() for _ in range(4)]
    assert first == [fresh.ask() for _ in range(4)], "a fresh one begins anew"
    assert searcher.ask() not in first


# Two objectives


def both(params: Any) -> Complete:
    """Larger x is better, and dearer; y is waste."""
    return Complete(params["x"] - params["y"] ** 2, 100 * (params["x"] + 1) + 100 * params["y"] ** 2)


def play_two(searcher: Engine, steps: int) -> list[Suggestion]:
    pieces = []
    for _ in range(steps):
        piece = searcher.ask()
        assert isinstance(piece, Suggestion)
        assert searcher.report(piece.ticket, 1, 0.1)
        searcher.tell(piece.ticket, both(piece.params))
        pieces.append(piece)
    return pieces


def test_two_objectives_are_searched_as_a_front() -> None:
    pieces = play_two(make("nsga2", second=PARAMETERS, trials=200), 200)
    waste = [abs(float(p.params["y"])) for p in pieces]
    assert sum(waste[-50:]) < 0.6 * sum(waste[:50]), "what is bad in both dies out"
    late = [float(p.params["x"]) for p in pieces[-50:]]
    assert max(late) - min(late) > 0.8, "what is good in one and bad in the other stays"


def test_two_objectives_are_restored() -> None:
    searcher = make("nsga2", second=PARAMETERS, seed=2)
    pieces = play_two(searcher, 50)
    calls: list[Any] = []
    for piece in pieces:
        calls += [("ask", piece), ("tell", piece.ticket, both(piece.params))]
    again = make("nsga2", second=PARAMETERS, seed=2)
    restore(again, calls)
    assert play_two(searcher, 20) == play_two(again, 20)


@pytest.mark.parametrize("objective", [ACCURACY, LOSS], ids=lambda o: o.direction)
def test_what_failed_is_the_worst_in_both(objective: Any) -> None:
    searcher: Any = make("nsga2", second=PARAMETERS, objective=objective)
    pieces = [searcher.ask() for _ in range(3)]
    searcher.tell(pieces[0].ticket, Complete(0.5, 10.0))
    searcher.tell(pieces[1].ticket, Complete(0.5, None))
    searcher.tell(pieces[2].ticket, Complete(math.nan, 3.0))
    good, *bad = [t.values for t in searcher._study.trials]
    assert good == [0.5, 10.0]
    sign = -1 if objective.direction == "max" else 1
    assert bad == [[sign * 1e30, 1e30]] * 2


def test_only_nsga2_takes_two() -> None:
    for tuner in ("random", "hyperband", "tpe", "bayesian", "grid", "qmc"):
        with pytest.raises(ConfigError, match="for two, give --tuner nsga2"):
            make(tuner, second=PARAMETERS)


# What is said before the first trial


def test_what_an_engine_models_is_said() -> None:
    assert modelled("tpe", WIDE) == modelled("qmc", WIDE) == modelled("bayesian", WIDE) == list(WIDE.names)
    assert modelled("gp", WIDE) == ["blocks", "units", "odd", "dropout", "norm", "rate"]
    assert modelled("cmaes", WIDE) == ["blocks", "units", "odd", "dropout", "rate"]
    assert engine_notes("cmaes", WIDE, 20) == [
        "cmaes models 5 of 9 parameters; drawn at random: the conditional filters, mode, slope and the choice norm",
        "cmaes learns after each 8 finished trials",
    ]
    assert engine_notes("cmaes", FOUR, 20) == [
        "cmaes models none of 2 parameters; drawn at random: the choices a, b; this is a random search"
    ]
    assert "6 of 9" in engine_notes("gp", WIDE, 20)[0]
    assert engine_notes("nsga2", FOUR, 200) == [
        "nsga2: generations of 50, the first at random; a failed trial counts as the worst"
    ]
    assert engine_notes("tpe", WIDE, 20) == engine_notes("random", WIDE, 20) == engine_notes("qmc", WIDE, 20) == []


@pytest.mark.parametrize("tuner", ["cmaes", "nsga2", "gp"])
def test_what_is_said_to_be_modelled_is_what_the_sampler_is_given(tuner: str) -> None:
    searcher: Any = make(tuner, WIDE)
    drive(searcher, steps=12)
    asked = searcher._make_sampler(1).infer_relative_search_space(searcher._study, searcher._study.trials[-1])
    assert sorted(asked) == sorted(modelled(tuner, WIDE))


def test_a_parameter_that_is_active_at_first_by_chance_does_not_end_cmaes() -> None:
    """Optuna's own choice of parameters would change with the trials, and CMA-ES never models anything again then."""
    pytest.importorskip("cmaes", reason="it is of an extra")
    space = Space("s", [Float("x", -1.0, 1.0), Float("y", -1.0, 1.0), Choice("kind", ["a", "b"]),
                        Float("z", 0.0, 1.0, when={"kind": ("a",)})])  # fmt: skip
    searcher: Any = make("cmaes", space, seed=3, trials=60)
    drive(searcher, value=lambda p: 1 - p["x"] ** 2 - p["y"] ** 2)
    generations = [t.system_attrs.get("cma:generation") for t in searcher._study.trials]
    assert max(g for g in generations if g is not None) >= 5


# What an engine needs


@pytest.mark.parametrize(("tuner", "package"), [("gp", "torch"), ("cmaes", "cmaes")])
def test_a_missing_package_is_told_before_the_first_trial(
    tuner: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == package else real(name, *a))
    with pytest.raises(MissingPackage, match=f"tuner '{tuner}' needs {package}, which is not installed") as caught:
        make_searcher(tuner, FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=1)
    assert caught.value.help == f'pip install "fertune[{tuner}]"'
