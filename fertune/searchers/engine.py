"""What all searchers share: what they are made with, tickets, and no configuration twice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from fertune.searchers.restore import Restored, check_record
from fertune.searchers.seeds import derive as derive
from fertune.searchers.start import starts
from fertune.space import Space
from fertune.trial import Exhausted, Objective, Outcome, Params, Suggestion, Value, Wait

RANDOM_DRAWS = 200
MANY_DRAWS = 10_000
SMALL_SPACE = 100_000


class Common(TypedDict):
    """What every engine is made with beside its space; see ``make_searcher``."""

    objective: Objective
    seed: int
    trials: int | None
    max_epochs: int


class Engine(ABC):
    """A Searcher that counts distinct configurations.

    Args:
        space, objective, seed, trials, max_epochs: See ``make_searcher``; all engines take them.
    """

    def __init__(self, space: Space, *, objective: Objective, seed: int, trials: int | None, max_epochs: int) -> None:
        self.space, self.objective, self.seed, self.max_epochs = space, objective, seed, max_epochs
        self._goal = trials
        self._size = space.size()
        self._seen: set[str] = set()
        self._known = 0
        self._next_ticket = 0
        self._open: set[int] = set()
        self._first = starts(space, seed)

    @abstractmethod
    def ask(self) -> Suggestion | Wait | Exhausted:
        """The next piece of work; see ``Searcher``."""

    @abstractmethod
    def report(self, ticket: int, step: int, value: float) -> bool:
        """One epoch's value; False stops this piece of work."""

    @abstractmethod
    def tell(self, ticket: int, outcome: Outcome) -> None:
        """The end of a piece of work."""

    def extend(self, trials: int) -> None:
        """Raise the number of distinct configurations; a lower or equal one, or none before, changes nothing.

        For a searcher that was just restored: what it did to answer Wait or Exhausted is in no journal, so after such
        an answer a later replay may differ.
        """
        if self._goal is not None and trials > self._goal:
            self._goal = trials

    @property
    def asked(self) -> int:
        """Distinct configurations suggested so far."""
        return len(self._seen) - self._known

    def learn(self, params: Params, outcome: Outcome) -> None:
        """A configuration that another run trained: it is not suggested again. See ``Learns``."""
        if self.space.contains(params) and self._is_new(params):
            self._seen.add(self.space.key(params))
            self._known += 1

    def _end(self) -> Exhausted | None:
        """Why there will be no new configuration; None while there may be one."""
        if self._goal is not None and self.asked >= self._goal:
            goal = "the one trial was" if self._goal == 1 else f"all {self._goal} trials were"
            return Exhausted(f"{goal} asked for")
        if self._size is not None and len(self._seen) >= self._size:
            size = "the one point" if self._size == 1 else f"all {self._size:,} points"
            return Exhausted(f"{size} of the space {'was' if self._size == 1 else 'were'} tried")
        return None

    def _is_new(self, params: Params) -> bool:
        return self.space.key(params) not in self._seen

    def _given(self) -> dict[str, Value] | None:
        """The next ``start`` configuration of the space; None where all were suggested."""
        return next((params for params in self._first if self._is_new(params)), None)

    def _untried(self) -> dict[str, Value] | None:
        """A configuration that was not suggested yet, at random; None where none was found.

        Depends on what was suggested before, not on what an engine drew meanwhile, so that a replay finds the same.
        """
        rng = np.random.default_rng(derive(self.seed, "untried", self.asked))
        for _ in range(RANDOM_DRAWS if self._size is not None else MANY_DRAWS):
            params = self.space.sample(rng)
            if self._is_new(params):
                return params
        if self._size is None:
            return None
        left = (p for p in self.space.points() if self._is_new(p))
        if self._size > SMALL_SPACE:
            return next(left, None)
        listed = list(left)
        return listed[int(rng.integers(len(listed)))] if listed else None

    def _suggest(
        self,
        params: Params,
        budget: int,
        continues: int | None = None,
        tags: Mapping[str, int] | None = None,
        **fidelity: Any,
    ) -> Suggestion:
        """The next ticket; a suggestion that continues none is a new configuration.

        Args:
            fidelity: ``share``, ``side``, ``alone`` and ``seconds`` of the Suggestion.
        """
        suggestion = Suggestion(self._next_ticket, dict(params), budget, continues, dict(tags or {}), **fidelity)
        self._count(suggestion)
        return suggestion

    def _count(self, suggestion: Suggestion) -> None:
        """The next piece of work is asked for."""
        self._next_ticket += 1
        self._open.add(suggestion.ticket)
        if suggestion.continues is None:
            self._seen.add(self.space.key(suggestion.params))

    def _close(self, ticket: int) -> None:
        self._check_open(ticket)
        self._open.discard(ticket)

    def _check_open(self, ticket: int) -> None:
        if ticket not in self._open:
            raise RuntimeError(f"ticket {ticket} is not open: it was never asked for, or was told already")


class Rebuilt(Engine):
    """One whose state follows from its pieces of work alone; see ``FastRestore``."""

    @abstractmethod
    def _again(self, suggestion: Suggestion) -> None:
        """Take the next piece of work as asked, without drawing it."""

    def restore(self, records: Sequence[Restored]) -> None:
        """Take the pieces of work of a journal, failed and running ones too.

        Args:
            records: All of them, in the order of tickets.

        Raises:
            RunError: A record is not of this space, or tickets are missing.
        """
        if self._next_ticket:
            raise RuntimeError("a searcher is restored before it is asked")
        for ticket, record in enumerate(records):
            check_record(self.space, ticket, record)
            self._again(record.suggestion)
            for step, value in record.reports:
                self.report(ticket, step, value)
            if record.outcome is not None:
                self.tell(ticket, record.outcome)
