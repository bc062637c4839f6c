"""From options to an executor."""

from __future__ import annotations

import os
from pathlib import Path

from fertune.config import AUTO, Where
from fertune.execution.processes import ProcessExecutor, cores
from fertune.trial import Executor

WORKERS_VARIABLE = "FERTUNE_WORKERS"
"""Environment variable: how many workers ``auto`` means."""


def make_executor(where: Where, *, log_dir: Path, most: int | None = None) -> Executor:
    """An executor as the options of a run want it.

    Args:
        where: See ``Where``.
        log_dir: Where workers write what libraries print.
        most: Jobs that there can be at once; no more workers than that are started. None: no such limit.
    """
    workers = automatic_workers() if where.workers == AUTO else int(where.workers)
    return ProcessExecutor(workers=min(workers, most or workers), log_dir=log_dir)


def automatic_workers() -> int:
    """What ``--workers auto`` means on this machine."""
    told = os.environ.get(WORKERS_VARIABLE, "")
    return int(told) if told.isdigit() and int(told) else max(1, cores() // 4)
