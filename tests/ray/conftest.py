"""Ray of this machine alone, and a cluster of two nodes on it; all of it is skipped where Ray is not installed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fertune.config import Where
from fertune.execution.ray import RayExecutor

STORE = 100 * 2**20


@pytest.fixture(scope="session")
def ray() -> Any:
    """The module, with a token of this test run."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return pytest.importorskip("ray", reason='Ray is missing: pip install "fertune[ray]"')


@pytest.fixture(scope="module")
def one_machine(ray: Any) -> Iterator[Any]:
    """Ray with 4 cores, kept for a module: an executor that finds it leaves it as it is."""
    ray.init(
        address="local", include_dashboard=False, num_cpus=4, num_gpus=0, object_store_memory=STORE,
        log_to_driver=False, logging_level="ERROR",
    )  # fmt: skip
    yield ray
    ray.shutdown()


@pytest.fixture
def cluster(ray: Any) -> Iterator[Any]:
    """A head node without cores, on which nothing is trained, and whatever a test adds."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "num_gpus": 0, "include_dashboard": False, "object_store_memory": STORE}
    made = Cluster(initialize_head=True, head_node_args=head)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def executors(tmp_path: Path) -> Iterator[Callable[..., RayExecutor]]:
    """``executors(runner=..., address=..., workers=...)``: a RayExecutor, closed at the end."""
    made: list[RayExecutor] = []

    def make(*, address: str | None = None, workers: int | str = "auto", **options: Any) -> RayExecutor:
        options.setdefault("runner", "fertune.testing.scripted")
        where = Where(executor="ray", address=address, workers=workers, gpus="none")
        made.append(RayExecutor(where, log_dir=tmp_path / "run" / "logs", **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
