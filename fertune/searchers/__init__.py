"""What to try next: Keras Tuner's oracles, Optuna's samplers, engines of fertune's own, each behind the Searcher
protocol; and users' own.

Importing this imports neither of the two libraries; ``make_searcher`` does.
"""

from fertune.searchers.engine import Engine
from fertune.searchers.hyperband import hyperband_size
from fertune.searchers.make import ENGINES, check_needs, engine_notes, make_searcher
from fertune.searchers.own import Own, find_own
from fertune.searchers.restore import Call, Restored, restore
from fertune.searchers.rungs import Around

__all__ = [
    "ENGINES",
    "Around",
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
