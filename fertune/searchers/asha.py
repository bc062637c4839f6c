"""Asynchronous successive halving (Li et al., A system for massively parallel hyperparameter tuning, 2020).

Whenever a worker is free, the best third of what a rung has seen so far goes up, the highest rung first; where nothing
may go up, a new configuration is drawn. Nobody ever waits for a rung to fill.

When all new configurations are spent, a worker that is free still does something of use:

1. the rule goes on: of each rung the best third;
2. a rung to which nothing more can come sends at least its best one up, so that one configuration is always trained
   to the end;
3. while a piece of work of these two kinds runs anyway, the best one that was not promoted goes up all the same,
   from the highest rung that can, if that costs no more than the piece that is waited for.

When none of the three holds and nothing runs, the search ends.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Unpack

from fertune.searchers.engine import Common, Engine
from fertune.searchers.rungs import FACTOR, Level
from fertune.space import Space
from fertune.trial import Complete, Exhausted, Outcome, Params, Suggestion, Wait


@dataclass(order=True)
class Entry:
    """A configuration in a rung; ascending order is best first, then the earlier ticket.

    Attributes:
        key: Of its value.
        ticket: Of the piece of work that came to it.
        ended: It stopped by itself: there is nothing more to train.
        spare: It came here only because a worker was free (the third kind of work above).
    """

    key: float
    ticket: int
    ended: bool = field(default=False, compare=False)
    spare: bool = field(default=False, compare=False)


class Ladder:
    """One rung: what came to an end there.

    Attributes:
        entries: All with a value.
        free, finished: Those of them that did not go up: to be trained further, and ``ended`` ones.
        spare: Number of ``spare`` entries.
        failed: Number of those without a value.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.free: list[Entry] = []
        self.finished: list[Entry] = []
        self.spare = self.failed = 0

    def add(self, entry: Entry) -> None:
        insort(self.entries, entry)
        insort(self.finished if entry.ended else self.free, entry)
        self.spare += entry.spare

    def best_left(self, among: int | None = None) -> Entry | None:
        """The best that may go up of the first ``among``, or of all."""
        return self.free[0] if self.free and (among is None or self.place(self.free[0]) < among) else None

    def place(self, entry: Entry) -> int:
        """From 0, the best."""
        return bisect_left(self.entries, entry)

    @property
    def quota(self) -> int:
        """How many may go up: a third; what failed counts as the worst of the rung.

        Spare ones may be among those that go up, but do not raise their number: else each would bring another, as
        long as there is a worker for it.
        """
        return (len(self.entries) - self.spare + self.failed) // FACTOR


class AshaSearcher(Engine):
    """Random configurations, promoted asynchronously.

    A failed piece of work counts as the worst of its rung and is never promoted. Where epochs are the fidelity, a
    configuration that stopped by itself is finished: its value stands for it in the rungs above, untrained.

    Args:
        rungs: The cheapest first.
        anew: Each rung trains from the beginning: stopping early on one says nothing of the next.
    """

    def __init__(
        self,
        space: Space,
        *,
        rungs: Sequence[Level],
        anew: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self._levels, self._anew = tuple(rungs), anew
        self._ladders = [Ladder() for _ in rungs]
        self._pieces: dict[int, Suggestion] = {}
        self._extra: set[int] = set()
        self._dry = False

    def ask(self) -> Suggestion | Wait | Exhausted:
        for rung in reversed(range(len(self._levels) - 1)):
            entry = self._ladders[rung].best_left(self._ladders[rung].quota)
            if entry is not None:
                return self._promote(rung, entry)
        if self._end() is None and not self._dry:
            params = self._given() or self._untried()
            if params is not None:
                return self._piece(0, params)
            self._dry = True
            self._settle()
        return self._last_of_a_rung() or self._while_others_run() or (Wait() if self._open else self._over())

    def report(self, ticket: int, step: int, value: float) -> bool:
        """Rungs stop what is weak: nothing is stopped within one."""
        self._check_open(ticket)
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        ladder = self._ladders[self._rung_of(ticket)]
        if isinstance(outcome, Complete) and math.isfinite(outcome.value):
            ended = outcome.final and not self._anew
            spare = ticket in self._extra
            ladder.add(Entry(self.objective.sort_key(outcome.value), ticket, ended, spare))
        elif ticket not in self._extra:
            ladder.failed += 1
        self._settle()

    def promotable(self) -> set[int]:
        """Tickets of ended pieces that may yet be trained further."""
        return {entry.ticket for ladder in self._ladders[:-1] for entry in ladder.free}

    def _settle(self) -> None:
        """Those that are finished go up untrained, where they would be promoted.

        Done whenever something ended, never while an answer is sought: so it is the same when a journal is replayed.
        """
        for rung in range(len(self._levels) - 1):
            ladder = self._ladders[rung]
            going = max(ladder.quota, 1 if self._nothing_comes_to(rung) else 0)
            while ladder.finished and ladder.place(ladder.finished[0]) < going:
                entry = ladder.finished.pop(0)
                self._ladders[rung + 1].add(Entry(entry.key, entry.ticket, ended=True))

    def _last_of_a_rung(self) -> Suggestion | None:
        for rung in range(len(self._levels) - 1):
            ladder = self._ladders[rung]
            first = ladder.best_left(1)
            if first is not None and self._nothing_comes_to(rung):
                return self._promote(rung, first)
        return None

    def _nothing_comes_to(self, rung: int) -> bool:
        """Whether a rung and those below it are done with, but for what would go up beyond the rule."""
        return (
            (self._dry or self._end() is not None)
            and all(self._rung_of(ticket) > rung for ticket in self._open)
            and all(lower.best_left(max(lower.quota, 1)) is None for lower in self._ladders[:rung])
        )

    def _while_others_run(self) -> Suggestion | None:
        awaited = [self._levels[self._rung_of(ticket)].cost for ticket in self._open - self._extra]
        for rung in reversed(range(len(self._levels) - 1)):
            if not awaited or self._levels[rung + 1].cost > max(awaited):
                continue
            entry = self._ladders[rung].best_left()
            if entry is not None:
                suggestion = self._promote(rung, entry)
                self._extra.add(suggestion.ticket)
                return suggestion
        return None

    def _promote(self, rung: int, entry: Entry) -> Suggestion:
        self._ladders[rung].free.remove(entry)
        return self._piece(rung + 1, self._pieces[entry.ticket].params, entry.ticket)

    def _piece(self, rung: int, params: Params, continues: int | None = None) -> Suggestion:
        level = self._levels[rung]
        piece = self._suggest(params, level.budget, continues, {"rung": rung}, share=level.share, side=level.side)
        self._pieces[piece.ticket] = piece
        return piece

    def _rung_of(self, ticket: int) -> int:
        return self._pieces[ticket].tags["rung"]

    def _over(self) -> Exhausted:
        end = self._end() or Exhausted("no new configuration was found in the space")
        return Exhausted(f"{end.reason}, and every promotion was made")
