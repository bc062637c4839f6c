"""Milliseconds a picture, measured where a model was trained and only where it was asked for."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from fertune.training import latency
from fertune.training.context import InProcess
from fertune.training.latency import milliseconds_a_picture
from fertune.training.runner import run


class Slow:
    """Takes 10 ms for a batch, and 100 ms the first three times."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict_on_batch(self, pictures: Any) -> Any:
        self.sizes.append(len(pictures))
        time.sleep(0.1 if len(self.sizes) <= 3 else 0.01)
        return np.zeros((len(pictures), 2))


@pytest.mark.parametrize("rows", [3, 500])
def test_it_is_the_median_of_one_batch_without_the_first_calls(rows: int) -> None:
    model = Slow()
    found = milliseconds_a_picture(model, np.zeros((500, 4, 4, 1), np.uint8), np.arange(rows, dtype=np.int32))
    assert 10 / 32 <= found < 30 / 32
    assert set(model.sizes) == {32} and len(model.sizes) == 3 + latency.REPEATS


def test_a_slow_model_is_measured_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "PATIENCE", 0.0)
    model = Slow()
    milliseconds_a_picture(model, np.zeros((5, 4, 4, 1), np.uint8), np.arange(5, dtype=np.int32))
    assert len(model.sizes) == 3 + 3


def test_a_job_that_asks_for_it_has_it_and_another_has_not(make_job: Any) -> None:
    asked = run(make_job(budget=1, latency=True), InProcess())
    assert asked is not None and asked.latency is not None and 0 < asked.latency < 1000
    plain = run(make_job(budget=1), InProcess())
    assert plain is not None and plain.latency is None
