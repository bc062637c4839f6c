"""The ``start`` configurations of a space before an engine's own.

An engine of fertune takes them itself (``Engine._given``), so that it learns from their results. A searcher that a user
brings knows nothing of them: ``StartFirst`` answers the first asks in its place.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from fertune.searchers.restore import Extends
from fertune.searchers.seeds import derive
from fertune.space import Param, Space
from fertune.space.start import fill
from fertune.trial import Exhausted, Outcome, Params, Searcher, Suggestion, Value, Wait

DRAWS = 50
"""So often a part is filled anew where it came out as an earlier configuration of ``start``."""


def starts(space: Space, seed: int) -> list[dict[str, Value]]:
    """Whole configurations, all different; what ``start`` leaves out is drawn from (seed, position)."""
    found: list[dict[str, Value]] = []
    for at, given in enumerate(space.start):
        rng = np.random.default_rng(derive(seed, "start", at))
        for _ in range(DRAWS):
            whole = fill(space.params, given, functools.partial(_drawn, rng))
            if whole not in found:
                found.append(whole)
                break
    return found


def _drawn(rng: np.random.Generator, param: Param) -> Value:
    return param.sample(rng)


def start_notes(space: Space, trials: int | None) -> list[str]:
    """What people should know of the first trials; nothing where a space has no ``start``."""
    n = len(space.start)
    if n == 0:
        return []
    tried = n if trials is None else min(n, trials)
    head = "the first trial is" if tried == 1 else f"the first {tried} trials are"
    left = f"; {n - tried} more of them need more --trials" if tried < n else ""
    notes = [f"{head} start of space {space.name}{left}"]
    parts = []
    for at, given in enumerate(space.start[:tried]):
        open_names = [p.name for p in space.params if p.name not in given and _may_be_active(space, p.name, given)]
        if open_names:
            parts.append(f"start[{at}]: {', '.join(open_names)}")
    if parts:
        notes.append(f"drawn by the seed where start leaves it open: {'; '.join(parts)}")
    return notes


def _may_be_active(space: Space, name: str, given: Params) -> bool:
    when = space[name].when
    if when is None:
        return True
    ((parent, values),) = when.items()
    if parent in given:
        return given[parent] in values
    return _may_be_active(space, parent, given)


class StartFirst:
    """Asks of a user's searcher come after those that ``start`` answers; its tickets follow theirs.

    Args:
        first: Whole configurations.
        inner: Is asked for ``trials - len(first)`` of its own, and is told nothing of ``first``.
        trials: Distinct configurations in all; None has no limit.
        budget: Epochs of each of ``first``.
    """

    def __init__(self, first: list[dict[str, Value]], inner: Searcher, trials: int | None, budget: int) -> None:
        self._first, self._inner, self._goal, self._budget = first, inner, trials, budget
        self._asked = 0
        self._own = 0

    def ask(self) -> Suggestion | Wait | Exhausted:
        if self._goal is not None and self._asked >= self._goal and self._asked <= len(self._first):
            return self._over()
        if self._asked < len(self._first):
            self._asked += 1
            return Suggestion(self._asked - 1, dict(self._first[self._asked - 1]), self._budget)
        answer = self._inner.ask()
        if isinstance(answer, Exhausted) and self._goal is not None and len(self._first) + self._own >= self._goal:
            return self._over()
        if not isinstance(answer, Suggestion):
            return answer
        self._own += answer.continues is None
        shift = len(self._first)
        continues = None if answer.continues is None else answer.continues + shift
        return replace(answer, ticket=answer.ticket + shift, continues=continues)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return ticket < len(self._first) or self._inner.report(ticket - len(self._first), step, value)

    def tell(self, ticket: int, outcome: Outcome) -> None:
        if ticket >= len(self._first):
            self._inner.tell(ticket - len(self._first), outcome)

    @property
    def extends(self) -> bool:
        """Whether the user's searcher has ``extend(trials)``."""
        return bool(getattr(self._inner, "extends", False))

    def extend(self, trials: int) -> None:
        """Raise the number of configurations."""
        if self._goal is not None and trials > self._goal:
            self._goal = trials
            if isinstance(self._inner, Extends):
                self._inner.extend(trials - len(self._first))

    def _over(self) -> Exhausted:
        which = "the one trial was" if self._goal == 1 else f"all {self._goal} trials were"
        return Exhausted(f"{which} asked for")
