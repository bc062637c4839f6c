"""Workers, and what they started, die with their coordinator, whatever they are doing and however it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fertune.testing.executors import RUNNER

COORDINATOR = """
import os, signal, sys
from pathlib import Path
from fertune.execution import ProcessExecutor
from fertune.testing.scripted import ScriptedJob
from fertune.trial import Started
script, folder, way = sys.argv[1:]
executor = ProcessExecutor(runner={runner!r}, log_dir=Path(folder))
mark = Path(folder) / "grandchild"
executor.submit(ScriptedJob("a", script, 10**9, path=str(mark)))
while not any(isinstance(e, Started) for e in executor.events(0.1)):
    pass
while script == "child" and not (mark.exists() and mark.read_text()):
    list(executor.events(0.1))
for _ in range(3):
    list(executor.events(0.1))
print(executor._children[0].process.pid, executor._guard._process.pid, flush=True)
if way == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if way == "kill with guard":
    os.kill(executor._guard._process.pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
if way == "close":
    executor.close()
"""


def gone(pid: int, limit: float = 10) -> bool:
    """Whether a process ends (a zombie has ended) within ``limit`` seconds."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("script", "way"),
    [
        ("ok", "kill"),
        ("frozen", "kill"),
        ("stopped", "kill"),
        ("child", "kill"),
        ("child", "kill with guard"),
        ("child", "close"),
    ],
)
def test_workers_and_what_they_started_die_with_the_coordinator(tmp_path: Path, script: str, way: str) -> None:
    code = COORDINATOR.format(runner=RUNNER)
    done = subprocess.run(
        [sys.executable, "-c", code, script, str(tmp_path), way], capture_output=True, text=True, timeout=60
    )
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2, done.stderr
    if script == "child":
        pids.append(int((tmp_path / "grandchild").read_text()))
    left = [pid for pid in pids if not gone(pid)]
    for pid in left:
        psutil.Process(pid).kill()
    assert left == []
