"""Executors over the scripted runner, closed at the end of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fertune.execution import Limits, ProcessExecutor
from fertune.testing.executors import RUNNER


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., ProcessExecutor]]:
    """``processes(workers=..., ...)``: a ProcessExecutor; ``memory``, ``jobs``, ``job_seconds`` and ``silence`` go into
    its limits.
    """
    made: list[ProcessExecutor] = []

    def make(**options: Any) -> ProcessExecutor:
        given = {n: options.pop(n) for n in ("memory", "jobs", "job_seconds", "silence") if n in options}
        limits = Limits(**{"memory": 2**30, **given}) if given else None
        made.append(ProcessExecutor(runner=RUNNER, log_dir=tmp_path, limits=limits, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
