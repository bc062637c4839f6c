"""What to type after a search in which nothing could be trained."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fertune.errors import AllTrialsFailed
from fertune.space import Float, Int, Space
from fertune.trial import FailureKind, Trial

SUSPECTS = {
    FailureKind.INVALID_SHAPE: ("blocks",),
    FailureKind.NAN_LOSS: ("learning_rate",),
    FailureKind.OUT_OF_MEMORY: ("batch_size", "dense_units"),
    FailureKind.TIMED_OUT: ("blocks",),
    FailureKind.INFEASIBLE: ("blocks", "dense_units"),
}
"""Parameters whose upper end makes such failures, the first to lower first."""


def with_range(error: AllTrialsFailed, space: Space, typed: str | Path | None, trials: Sequence[Trial]) -> None:
    """Put a ``--range`` below all failing values into the help of an error, where the space has room for one."""
    failed = [t for t in trials if t.failure is not None]
    kinds = Counter(t.failure.kind for t in failed if t.failure is not None)
    if len(kinds) != 1:
        return
    asked = next((r for name in SUSPECTS.get(next(iter(kinds)), ()) if (r := _below(space, name, failed))), None)
    if asked is None:
        return
    name, range_ = asked
    rest = (error.help or "").partition("    # ")[2]
    told = [float(t.params[name]) for t in failed]
    error.details = (*error.details, f"all {len(failed)} have {name} at {min(told):g} or above")
    where = shlex.quote(str(typed or space.name))
    error.help = f"fertune search --space {where} --range {name}={range_}" + (f"    # {rest}" if rest else "")


def _below(space: Space, name: str, failed: Sequence[Trial]) -> tuple[str, str] | None:
    if name not in space.names or not all(name in t.params for t in failed):
        return None
    param = space[name]
    least = min(float(t.params[name]) for t in failed)
    if isinstance(param, Int):
        high = int(least) - param.step
        return (name, f"{param.low}..{high}") if high >= param.low else None
    if isinstance(param, Float) and param.step is None and least / 2 > param.low:
        return name, f"{param.low:g}..{float(f'{least / 2:.1g}'):g}"
    return None
