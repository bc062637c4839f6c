"""What every executor must do, over Ray on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fertune.config import Where
from fertune.execution.ray import RayExecutor
from fertune.testing import ExecutorContract
from fertune.trial import Executor

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("one_machine")
class TestRay(ExecutorContract):
    separate = True

    def make(self, runner: str, folder: Path) -> Executor:
        return RayExecutor(Where(executor="ray", workers=2, gpus="none"), log_dir=folder / "logs", runner=runner)


def test_a_job_that_takes_too_long_is_ended(one_machine: Any, tmp_path: Path) -> None:
    from fertune.testing.executors import until_ended
    from fertune.testing.scripted import ScriptedJob
    from fertune.trial import Failed, FailureKind, Finished

    where = Where(executor="ray", workers=1, gpus="none", trial_timeout=1.0)
    executor = RayExecutor(where, log_dir=tmp_path / "logs", runner="fertune.testing.scripted")
    try:
        executor.submit(ScriptedJob("a", "wait"))
        executor.submit(ScriptedJob("b"))
        ended = {e.job_id: e for e in until_ended(executor, 2) if isinstance(e, (Failed, Finished))}
        assert isinstance(ended["a"], Failed) and ended["a"].failure.kind is FailureKind.TIMED_OUT
        assert isinstance(ended["b"], Finished)
    finally:
        executor.close()
