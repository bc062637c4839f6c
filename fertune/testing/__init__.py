"""What a searcher or an executor of your own must do, as suites of tests, a driver that plays loop and workers,
and an executor in virtual time.

    from fertune.testing import ExecutorContract, SearcherContract

    class TestMySearcher(SearcherContract):
        def make(self, space, **options):
            return MySearcher(space, **options)

    class TestMyExecutor(ExecutorContract):
        def make(self, runner, folder):
            return MyExecutor(runner)

Run them with pytest, which is imported when a suite or the driver is first used (``pip install "fertune[check]"``). The
verbs themselves stand in ``fertune.trial.Searcher`` and ``fertune.trial.Executor``. ``VirtualExecutor``, which needs no
pytest, stands for any number of workers wherever the loop (``fertune.searching.Search``) takes an executor.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fertune.testing.executors import ExecutorContract
    from fertune.testing.searchers import Played, SearcherContract, drive, failed
    from fertune.testing.virtual import VirtualExecutor

_HOMES = {
    "ExecutorContract": "fertune.testing.executors",
    "Played": "fertune.testing.searchers",
    "SearcherContract": "fertune.testing.searchers",
    "VirtualExecutor": "fertune.testing.virtual",
    "drive": "fertune.testing.searchers",
    "failed": "fertune.testing.searchers",
}
_PLAIN = {"VirtualExecutor"}
"""Names that need no pytest."""
__all__ = ["ExecutorContract", "Played", "SearcherContract", "VirtualExecutor", "drive", "failed"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fertune.testing' has no attribute {name!r}")
    if name in _PLAIN:
        return getattr(importlib.import_module(_HOMES[name]), name)
    try:
        import pytest
    except ModuleNotFoundError as error:
        from fertune.errors import MissingPackage

        raise MissingPackage(
            "fertune.testing needs pytest, which is not installed", help='pip install "fertune[check]"'
        ) from error
    if _HOMES[name] not in sys.modules:
        pytest.register_assert_rewrite(_HOMES[name])
    return getattr(importlib.import_module(_HOMES[name]), name)
