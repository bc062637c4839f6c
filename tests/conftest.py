"""What every test stands on: a cache and a working state of its own, and quiet libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# read by child processes too, and by TensorFlow when it is first imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("FERTUNE_WORKERS", "1")  # of ``--workers auto``: each more costs the import of TensorFlow

# machines under load are slow at odd times: a deadline would fail for the machine, not for the code
settings.register_profile("fertune", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fertune")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Parsed data go to a folder of this test run, never to the user's."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("FERTUNE_CACHE")
    os.environ["FERTUNE_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["FERTUNE_CACHE"]
    else:
        os.environ["FERTUNE_CACHE"] = before


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output does not depend on the shell that runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
