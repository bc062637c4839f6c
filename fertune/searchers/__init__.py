"""What to try next: Keras Tuner's oracles and Optuna's samplers, each behind the Searcher protocol; and users' own.

Importing this imports neither of the two libraries; ``make_searcher`` does.
"""

from fertune.searchers.engine import Engine
from fertune.searchers.make import ENGINES, check_needs, engine_notes, hyperband_size, make_searcher
from fertune.searchers.own import Own, find_own
from fertune.searchers.restore import Call, Restored, restore

__all__ = [
    "ENGINES",
    "Call",
    "Engine",
    "Own",
    "Restored",
    "check_needs",
    "engine_notes",
    "find_own",
    "hyperband_size",
    "make_searcher",
    "restore",
]
