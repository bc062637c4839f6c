"""A search in which nothing can be trained: when that is clear, and what is said then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fertune.errors import AllTrialsFailed
from fertune.trial import FailureKind, State, Trial

SAME_FAILURES = 5
"""So many equal failures before any success end a search."""
INFEASIBLE = 50
"""So many configurations that were not worth an attempt, before any other, end a search; they cost no training."""

ADVICE = {
    FailureKind.OUT_OF_MEMORY: "lower the upper ends of filters, dense_units and batch_size in the space, or --workers",
    FailureKind.NAN_LOSS: "lower the upper end of learning_rate in the space",
    FailureKind.INVALID_SHAPE: "lower the upper end of blocks in the space: each block halves the picture",
    FailureKind.TIMED_OUT: "lower --max-epochs, or the upper ends of filters and blocks in the space",
    FailureKind.INFEASIBLE: "lower the upper ends of blocks, filters and dense_units in the space, or give a larger "
    "--max-params",
    FailureKind.CRASHED: "run one configuration of the space by hand, or mend the model",
}


def hopeless(trials: Sequence[Trial]) -> list[Trial] | None:
    """The failed trials after which a search without a success gives up; None where it goes on.

    Five equal failures: what is wrong is the space or the machine, not the trial. Those that were infeasible do not
    count among them, since none of them was tried.
    """
    ended = [t for t in trials if t.state not in (State.RUNNING, State.STOPPED)]
    if any(t.failure is None for t in ended):
        return None
    tried = [t for t in ended if t.failure is not None and t.failure.kind is not FailureKind.INFEASIBLE]
    if not tried:
        return ended if len(ended) >= INFEASIBLE else None
    kinds = {t.failure.kind for t in tried if t.failure is not None}
    return tried if len(tried) >= SAME_FAILURES and len(kinds) == 1 else None


def all_failed(trials: Sequence[Trial], run: str) -> AllTrialsFailed:
    """The one message for a search in which nothing could be trained, failures grouped."""
    groups = Counter((t.failure.kind, t.failure.message) for t in trials if t.failure is not None)
    kinds = Counter(t.failure.kind for t in trials if t.failure is not None)
    details = [f"{count} x {kind.value}: {message}" for (kind, message), count in groups.most_common()]
    help = f"{ADVICE[kinds.most_common(1)[0][0]]}    # full messages: fertune show {run} --json"
    if set(kinds) == {FailureKind.INFEASIBLE}:
        return AllTrialsFailed(
            f"none of the first {len(trials)} configurations can be built or is small enough; nothing was trained",
            details=details,
            help=help,
        )
    same = ": all in the same way" if len(kinds) == 1 else ""
    return AllTrialsFailed(
        f"the first {len(trials)} trials all failed{same}; the search stopped", details=details, help=help
    )
