"""What a Searcher says, and what it is told back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = bool | int | float | str
Params = Mapping[str, Value]


@dataclass(frozen=True)
class Suggestion:
    """One piece of work.

    Attributes:
        ticket: The searcher's own number for this piece of work; 0, 1, 2, ... in the order of ``ask``.
        params: Active parameters only, plain Python values.
        budget: Epochs to have been trained in all when this is done (for meta-learners: 1).
        continues: Ticket of the finished piece whose configuration is trained further (a promotion), else None.
        tags: What the engine wants remembered for display, e.g. ``{"bracket": 2, "rung": 0}``.
        share: Part of the training rows that is fitted, above 0 to 1: a fidelity beside epochs.
        side: Pixels to which pictures are brought for this piece, another fidelity; None: their own size.
        fold: Number of the fold that is trained, where trials are cross-validated; None: the validation split.
        alone: Worth the whole machine: run with all cores, when nothing else does.
        seconds: Wall seconds that the piece may take; the number of epochs, at most ``budget``, and an annealed
            schedule follow from the speed that is measured. None: ``budget`` alone counts.
    """

    ticket: int
    params: Params
    budget: int
    continues: int | None = None
    tags: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0
    side: int | None = None
    fold: int | None = None
    alone: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing to do until something that runs has finished."""


@dataclass(frozen=True)
class Exhausted:
    """There will be no more suggestions.

    Attributes:
        reason: One clause for people, e.g. ``"all 4 points of the space were tried"``.
    """

    reason: str


class FailureKind(StrEnum):
    """The classes of a failed trial; ``value`` is what people and the JSON read."""

    OUT_OF_MEMORY = "out of memory"
    NAN_LOSS = "NaN loss"
    INVALID_SHAPE = "invalid shape"
    TIMED_OUT = "timed out"
    INFEASIBLE = "infeasible"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Failure:
    """Why a trial could not be trained.

    Attributes:
        kind: Its class.
        message: One line, the cause as the library put it.
        trace: The child's traceback; kept in the journal, never printed unasked.
    """

    kind: FailureKind
    message: str
    trace: str = ""


@dataclass(frozen=True)
class Complete:
    """Trained to its budget, or until it stopped by itself.

    Attributes:
        value: The objective at the best epoch.
        second: The second objective, in a search of two.
        final: It stopped by itself before its budget: a promotion would train nothing more.
    """

    value: float
    second: float | None = None
    final: bool = False


@dataclass(frozen=True)
class Pruned:
    """Stopped by the searcher's own answer to ``report``; ``value`` is the best seen until then."""

    value: float


Outcome = Complete | Pruned | Failure
