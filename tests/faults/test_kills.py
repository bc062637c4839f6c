"""SIGKILL of the coordinator at any instant: nothing that was finished is lost, and the run ends as if undisturbed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder in memory where there is one: each line of a journal waits for its disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fertune-kills-", dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("tuner", "workers", "kills"), [("random", 3, 80), ("tpe", 1, 60), ("hyperband", 1, 30), ("tpe", 3, 30)]
)
def test_killed_at_random_instants_nothing_is_lost(room: Path, tuner: str, workers: int, kills: int) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kills.py")), str(room), tuner, str(workers), str(kills)],
        capture_output=True, text=True, timeout=900,
        env={**os.environ, "FERTUNE_COORDINATOR": "1", "PYTHONWARNINGS": "ignore", "TMPDIR": str(room)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["faults"] == []
    assert found["kills"] == kills and found["retried"] > kills / 4, found
