"""The costliest configurations first, where none depends on the results of others.

A costly configuration that begins last trains alone while the other workers idle. Begun first, it is caught up by the
cheap ones: the rule "longest processing time first" (Graham 1969).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fertune.searchers.engine import Engine
from fertune.searchers.restore import Call, take
from fertune.trial import Exhausted, Outcome, Params, Suggestion, Wait

WINDOW = 256
"""Configurations that are drawn ahead and sorted. Journals rely on it: only what is drawn by then can be asked for."""

Cost = Callable[[Params], float | None]


class CostliestFirst:
    """A Searcher that draws the suggestions of another one ahead, and hands them out in order of cost.

    The order follows from what is drawn alone: it is the same with any number of workers. Tickets count what is handed
    out. A journal says which of the drawn ones were, so one in any other order is taken as well: of a search that had a
    time budget, or began before there was an order.

    Args:
        inner: Suggests the same whatever it is told, and promotes nothing.
        cost: What training a configuration costs, in any unit; 0 where it is not trained at all, None where that is
            unknown. Of a window with an unknown one the order stays as drawn; so does that of all without ``cost``.
        first: Configurations that come before all others.
    """

    def __init__(self, inner: Engine, cost: Cost | None = None, first: Sequence[Params] = ()) -> None:
        self._inner, self._cost, self._first = inner, cost, [dict(params) for params in first]
        self._drawn: list[Suggestion] = []
        self._theirs: list[int] = []

    def ask(self) -> Suggestion | Wait | Exhausted:
        end = self._draw()
        if end is not None:
            return end
        piece = self._drawn.pop(0)
        self._theirs.append(piece.ticket)
        return replace(piece, ticket=len(self._theirs) - 1)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return self._inner.report(self._theirs[ticket], step, value)

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._inner.tell(self._theirs[ticket], outcome)

    def extend(self, trials: int) -> None:
        """Raise the number of configurations; those that are drawn already come before the further ones."""
        self._inner.extend(trials)

    def learn(self, params: Params, outcome: Outcome) -> None:
        """See ``Learns``."""
        self._inner.learn(params, outcome)

    def replay(self, calls: Iterable[Call], *, written_by: str | None = None) -> None:
        """Take the calls of a journal, in whatever order it asked.

        Raises:
            RunError: A configuration of the journal is not among those that are drawn.
        """
        for call in calls:
            if call[0] == "ask":
                self._bring_forward(call[1].params)
            take(self, call, written_by=written_by)

    def _bring_forward(self, params: Params) -> None:
        self._draw()
        at = next((at for at, piece in enumerate(self._drawn) if dict(piece.params) == dict(params)), 0)
        if at:
            self._drawn.insert(0, self._drawn.pop(at))

    def _draw(self) -> Wait | Exhausted | None:
        """Have something drawn; else what the inner one says instead."""
        if self._drawn:
            return None
        drawn: list[Suggestion] = []
        while isinstance(answer := self._inner.ask(), Suggestion):
            drawn.append(answer)
            if len(drawn) == WINDOW:
                break
        self._drawn = self._in_order(drawn)
        return None if drawn or isinstance(answer, Suggestion) else answer

    def _in_order(self, drawn: list[Suggestion]) -> list[Suggestion]:
        """The first of ``first``, the others of it from the costliest on; then the cheapest that is trained, and
        the rest from the costliest on. Ties stay as drawn.

        The cheapest is a scout: where memory or time limits are too small for the costliest, the search has seen that
        others can be trained, and does not give up.
        """
        costs = {piece.ticket: self._cost(piece.params) if self._cost else None for piece in drawn}
        known = {ticket: cost for ticket, cost in costs.items() if cost is not None}
        if len(known) < len(drawn):
            return drawn

        def down(pieces: list[Suggestion]) -> list[Suggestion]:
            return sorted(pieces, key=lambda piece: -known[piece.ticket])

        given = [piece for piece in drawn if dict(piece.params) in self._first]
        rest = down([piece for piece in drawn if dict(piece.params) not in self._first])
        scout = min((p for p in rest if known[p.ticket] > 0), key=lambda p: known[p.ticket], default=None)
        return [*given[:1], *down(given[1:]), *([scout] if scout else []), *(p for p in rest if p is not scout)]
