"""Learning rates as functions of the position; the pace that turns time into epochs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from fertune.training.pace import Pace, Work
from fertune.training.progress import Progress
from fertune.training.rates import rate_at
from fertune.training.recipe import Recipe
from fertune.trial import OBJECTIVES


def recipe(**settings: Any) -> Recipe:
    return Recipe.of(settings, "conv")


def test_one_cycle_rises_and_falls_to_nearly_nothing() -> None:
    made = recipe(schedule="one_cycle", warm_up=0.25, final_rate=1e-3)
    rates = [rate_at(made, 0.1, at / 100, 0) or 0.0 for at in range(101)]
    assert rates[0] == pytest.approx(0.1 / 25) and rates[25] == pytest.approx(0.1) and rates[100] == pytest.approx(1e-4)
    assert rates[:26] == sorted(rates[:26]) and rates[25:] == sorted(rates[25:], reverse=True)
    assert rate_at(recipe(schedule="one_cycle", warm_up=0.0), 0.1, 0.0, 0) == pytest.approx(0.1)


def test_cosine_step_and_constant() -> None:
    cosine = recipe(schedule="cosine", final_rate=0.0)
    assert [rate_at(cosine, 0.2, at, 0) for at in (0.0, 0.5, 1.0)] == pytest.approx([0.2, 0.1, 0.0])
    step = recipe(schedule="step", step_epochs=3, step_factor=0.5)
    assert [rate_at(step, 0.2, 0.0, e) for e in (0, 2, 3, 6)] == pytest.approx([0.2, 0.2, 0.1, 0.05])
    assert rate_at(recipe(schedule="constant"), 0.2, 0.9, 9) == 0.2
    assert rate_at(recipe(), 0.2, 0.9, 9) is None


def test_an_annealed_schedule_is_not_stopped_early_unless_somebody_says_so() -> None:
    assert recipe(schedule="one_cycle").early_stopping_patience == 0
    assert recipe(schedule="cosine", early_stopping_patience=4).early_stopping_patience == 4
    assert recipe(schedule="step").early_stopping_patience == 5


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drive(
    seconds: float | None, cost: Any, *, budget: int = 100, horizon: int | None = None, small_side: float | None = None,
    progress: Progress | None = None, stop_at: int | None = None, build: float = 2.0, **settings: Any,
) -> tuple[Progress, list[float], list[bool], float]:  # fmt: skip
    """Train 20 batches an epoch on an injected clock; ``cost(epoch, small)`` is the seconds of an epoch.

    Returns:
        Progress, all rates, whether each epoch was small, seconds used.
    """
    made = recipe(**{"schedule": "one_cycle", "learning_rate": 0.1, **settings})
    clock, progress = Clock(), progress or Progress.fresh(OBJECTIVES["val_accuracy"], made)
    work = Work(20, 1000, 100, 0, budget, horizon or budget, seconds, small_side)
    pace = Pace(made, 0.1, work, progress, clock, clock.now)
    clock.now += build
    rates, small = [], []
    while not pace.finished and progress.epoch != stop_at:
        pace.begin()
        small.append(pace.small)
        for batch in range(20):
            rates.append(pace.rate(batch) or 0.0)
            clock.now += cost(progress.epoch, small[-1]) / 20
            pace.after_batch(batch)
        pace.end(0.0)
        progress.epoch += 1
    return progress, rates, small, clock.now - 100.0


@pytest.mark.parametrize("seconds", [15.0, 33.0, 61.0, 200.0])
def test_it_ends_in_time_and_annealed(seconds: float) -> None:
    progress, rates, _, used = drive(seconds, lambda epoch, small: 4.0)
    assert progress.position == pytest.approx(1.0)
    assert seconds - 4.0 - 1.5 - 0.05 * seconds < used <= seconds
    assert max(rates) == pytest.approx(0.1, rel=0.05) and rates[-1] < 0.003


def test_a_machine_that_gets_slower_costs_epochs_not_the_end() -> None:
    progress, rates, _, used = drive(120.0, lambda epoch, small: 4.0 if epoch < 8 else 8.0)
    assert used <= 120.0 and progress.position == pytest.approx(1.0) and rates[-1] < 1e-3
    assert 17 <= progress.epoch <= 19


def test_a_faster_one_gets_more_and_never_more_than_the_budget() -> None:
    progress, rates, _, used = drive(120.0, lambda epoch, small: 8.0 if epoch < 2 else 4.0)
    assert 25 <= progress.epoch <= 28 and used <= 120 and rates[-1] < 1e-3
    progress, rates, _, used = drive(1000.0, lambda epoch, small: 4.0, budget=12)
    assert progress.epoch == 12 and rates[-1] < 1e-3


def test_one_epoch_is_trained_whatever_the_time() -> None:
    progress, rates, _, _ = drive(1.0, lambda epoch, small: 4.0)
    assert progress.epoch == 1 and progress.position == pytest.approx(1.0) and rates[-1] < 0.01


def test_small_pictures_first_and_each_kind_at_its_own_speed() -> None:
    progress, rates, small, used = drive(
        100.0, lambda epoch, small: 2.0 if small else 4.0, small_side=0.44, small_until=0.5
    )
    assert small == sorted(small, reverse=True) and abs(sum(small) - len(small) / 2) <= 1.5
    assert 28 <= len(small) <= 33 and used <= 100 and progress.position == pytest.approx(1.0) and rates[-1] < 1e-3


def test_without_seconds_positions_follow_from_the_epoch_alone() -> None:
    _, straight, small, _ = drive(None, lambda epoch, small: 4.0, budget=8, small_side=0.5, small_until=0.5)
    assert small == [True] * 4 + [False] * 4
    progress, one, _, _ = drive(None, lambda epoch, small: 1.0, budget=3, horizon=8, small_side=0.5)
    _, other, _, _ = drive(None, lambda epoch, small: 9.0, budget=8, progress=progress, small_side=0.5)
    assert one + other == straight and len(straight) == 160
    assert not any(math.isnan(rate) for rate in straight)


def test_a_later_stretch_counts_what_the_earlier_one_took() -> None:
    progress, one, _, first = drive(100.0, lambda epoch, small: 4.0, stop_at=9)
    progress, other, _, second = drive(100.0, lambda epoch, small: 4.0, progress=progress)
    assert first + second <= 100.0 and 20 <= progress.epoch <= 23
    assert other[-1] < 1e-3 and one[-1] == pytest.approx(other[0], rel=0.05)
