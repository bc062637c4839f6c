"""Bringing a fresh searcher to where a journal stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

from fertune.errors import ConfigError, RunError
from fertune.space import Space
from fertune.trial import Exhausted, Outcome, Params, Searcher, Suggestion, Wait

Call = (
    tuple[Literal["ask"], Suggestion]
    | tuple[Literal["report"], int, int, float]
    | tuple[Literal["tell"], int, Outcome]
    | tuple[Literal["extend"], int]
    | tuple[Literal["known"], Params, Outcome]
)


@dataclass(frozen=True)
class Restored:
    """One piece of work as the journal has it.

    Attributes:
        suggestion: What was asked.
        reports: ``(step, value)`` in order.
        outcome: What was told; None while it runs.
    """

    suggestion: Suggestion
    reports: tuple[tuple[int, float], ...] = ()
    outcome: Outcome | None = None


def check_record(space: Space, ticket: int, record: Restored) -> None:
    """Raise RunError unless a record is the ``ticket``-th of a search of this space."""
    faults = space.faults(record.suggestion.params)
    if record.suggestion.ticket != ticket:
        faults.append(f"it has ticket {record.suggestion.ticket} where {ticket} is expected")
    if faults:
        raise RunError(f"the run cannot be resumed: trial {ticket} is not of this search", details=faults)


@runtime_checkable
class FastRestore(Protocol):
    """A searcher whose state follows from its pieces of work alone, so that it need not draw them again."""

    def restore(self, records: Sequence[Restored]) -> None:
        """Take these pieces of work, in the order of tickets, as asked, reported and told."""
        ...


@runtime_checkable
class Extends(Protocol):
    """A searcher whose number of trials can be raised after it was restored."""

    def extend(self, trials: int) -> None: ...


@runtime_checkable
class Learns(Protocol):
    """A searcher that can be begun with configurations of an earlier run."""

    def learn(self, params: Params, outcome: Outcome) -> None:
        """Before anything is asked: a configuration that was trained elsewhere. It is not suggested again, and counts
        for none of the trials."""
        ...


@runtime_checkable
class Replays(Protocol):
    """A searcher around another one, which takes a journal's calls itself."""

    def replay(self, calls: Iterable[Call], *, written_by: str | None = None) -> None: ...


def restore(searcher: Searcher, calls: Iterable[Call], *, written_by: str | None = None) -> None:
    """Bring a fresh searcher to the point after ``calls``.

    Args:
        searcher: As ``make_searcher`` made it, with the arguments of the first session.
        calls: ``("known", params, outcome)`` first, then ``("ask", Suggestion)``, ``("report", ticket, step, value)``,
            ``("tell", ticket, outcome)`` and ``("extend", trials)`` in the order in which they happened. Asks that were
            answered with Wait or Exhausted are not among them.
        written_by: Version of the engine's library that answered then, e.g. ``"keras-tuner 1.4.8"``.

    Raises:
        RunError: The searcher suggests something else than it did then; names the first difference.
    """
    if isinstance(searcher, Replays):
        searcher.replay(calls, written_by=written_by)
        return
    if isinstance(searcher, FastRestore):
        _fast(searcher, calls)
        return
    for call in calls:
        take(searcher, call, written_by=written_by)


def take(searcher: Searcher, call: Call, *, written_by: str | None = None) -> None:
    """One of the calls of ``restore``.

    Raises:
        RunError: The searcher suggests something else than it did then.
    """
    if call[0] == "ask":
        difference = _difference(searcher.ask(), call[1])
        if difference:
            raise RunError(
                f"the run cannot be resumed: suggestion {call[1].ticket} is another one now than in the journal",
                details=[difference, *([f"the journal was written with {written_by}"] if written_by else [])],
                help=f'pip install "{written_by.replace(" ", "==")}"' if written_by else None,
            )
    elif call[0] == "report":
        searcher.report(call[1], call[2], call[3])
    elif call[0] == "tell":
        searcher.tell(call[1], call[2])
    elif call[0] == "known":
        _learn(searcher, call[1], call[2])
    elif isinstance(searcher, Extends):
        searcher.extend(call[1])


def _learn(searcher: Searcher | FastRestore, params: Params, outcome: Outcome) -> None:
    if not isinstance(searcher, Learns):
        raise ConfigError(
            "this searcher cannot be begun with trials of an earlier run: it has no learn(params, outcome)",
            help="leave --warm-start out, or give it that method",
        )
    searcher.learn(params, outcome)


def _fast(searcher: FastRestore, calls: Iterable[Call]) -> None:
    records: dict[int, Restored] = {}
    goal = 0
    for call in calls:
        if call[0] == "ask":
            records[call[1].ticket] = Restored(call[1])
        elif call[0] == "report":
            record = records[call[1]]
            records[call[1]] = replace(record, reports=(*record.reports, (call[2], call[3])))
        elif call[0] == "tell":
            records[call[1]] = replace(records[call[1]], outcome=call[2])
        elif call[0] == "known":
            _learn(searcher, call[1], call[2])
        else:
            goal = call[1]
    searcher.restore([records[ticket] for ticket in sorted(records)])
    if goal and isinstance(searcher, Extends):
        searcher.extend(goal)


def _difference(now: Suggestion | Wait | Exhausted, then: Suggestion) -> str | None:
    if not isinstance(now, Suggestion):
        what = "waits" if isinstance(now, Wait) else f"ends ({now.reason})"
        return f"the searcher {what} where it suggested {dict(then.params)}"
    for name in ("ticket", "budget", "continues", "share", "side"):
        if getattr(now, name) != getattr(then, name):
            return f"{name}: {getattr(now, name)} now, {getattr(then, name)} then"
    for name in sorted({*now.params, *then.params}):
        if now.params.get(name) != then.params.get(name):
            return f"{name}: {now.params.get(name)} now, {then.params.get(name)} then"
    if dict(now.tags) != dict(then.tags):
        return f"tags: {dict(now.tags)} now, {dict(then.tags)} then"
    return None
