"""What to try next: Keras Tuner's oracles and Optuna's samplers, each behind the Searcher protocol.

Importing this imports neither of the two libraries; ``make_searcher`` does.
"""

from fertune.searchers.engine import Engine
from fertune.searchers.make import ENGINES, PRUNERS, hyperband_size, make_searcher
from fertune.searchers.restore import Call, Restored, restore

__all__ = ["ENGINES", "PRUNERS", "Call", "Engine", "Restored", "hyperband_size", "make_searcher", "restore"]
