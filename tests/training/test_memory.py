"""A worker does hundreds of jobs: it must not grow by any of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import pytest

from fertune.training.context import InProcess
from fertune.training.memory import JAX_GROWTH, resident
from fertune.training.runner import run


def registered() -> int:
    if keras.backend.backend() != "tensorflow":
        return 0
    table = sys.modules["tensorflow.python.framework.ops"].gradient_registry._registry  # type: ignore[attr-defined]
    assert "Sum" in table, "TensorFlow's table is no longer where it was"
    return sum(name.startswith("CustomGradient-") for name in table)


def test_no_graph_of_a_job_stays_in_tensorflows_table(make_job: Any) -> None:
    run(make_job(budget=1), InProcess())
    before = registered()
    run(make_job(budget=1), InProcess())
    assert registered() == before


@pytest.mark.slow
def test_twenty_jobs_do_not_make_the_process_grow(make_job: Any, tmp_path: Path) -> None:
    sizes = []
    for i in range(20):
        settings = {"blocks": 2, "filters_1": 8 + 4 * (i % 4), "batch_norm": True, "dense_units": 64}
        run(make_job(budget=1, seed=i, settings=settings, out=str(tmp_path / str(i))), InProcess())
        sizes.append(resident())
    megabytes = [size >> 20 for size in sizes]
    if keras.backend.backend() == "jax":  # grows up to a bound, see JAX_GROWTH
        assert sizes[-1] - sizes[0] < JAX_GROWTH + 100 * 2**20, megabytes
    else:
        assert (sizes[-1] - sizes[7]) / 12 < 1.5e6, megabytes
