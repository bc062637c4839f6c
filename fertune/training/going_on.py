"""Going on from a stored state: that of an earlier stretch, or of this one where it was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fertune.errors import RunError
from fertune.training import state
from fertune.training.context import Context
from fertune.training.progress import Progress
from fertune.trial import TrainJob


def go_on(job: TrainJob, identity: dict[str, Any], model: Any, progress: Progress) -> tuple[state.Snapshot | None, str]:
    """Put the state that a job names into its model and progress.

    A state that cannot be used costs the time it would have saved, never the trial: training starts anew.

    Returns:
        The state, and nothing to say; or None, and one clause where there should have been one.
    """
    if job.resume is None:
        return None, ""
    try:
        earlier = state.load(Path(job.resume), identity)
        state.restore(earlier, model, progress)
    except RunError as error:
        return None, "; ".join([f"trained anew: {error.message}", *error.details])
    return earlier, ""


def tell_again(job: TrainJob, progress: Progress, context: Context) -> bool:
    """Report the epochs of this stretch that the state holds, as if they were trained now.

    The coordinator that saw them may be gone, and have written fewer of them down than the state holds.

    Returns:
        False where the searcher prunes the trial at one of them.
    """
    if job.told is None:
        return True
    return all(
        context.report(int(row["epoch"]), float(row[job.objective.name]), dict(row))
        for row in progress.history[job.told :]
    )
