"""fertune's own engine for a given time: a known recipe first, then short looks at others, and the best of them.

The rule, for a time budget of T seconds (T is what is left of it when the first piece of work is asked for):

1. The first ``start`` configuration of the space is trained at once, with all cores and all rows, for ``max_epochs`` at
   most, in all the time that is left but a reserve for prediction and saving (1.5 % of T, from 2 to 20 s). Short looks
   would be poor witnesses against a recipe that is known to be good: they favour small nets that learn quickly.
2. What is left when it ends before its time, or all of T in a space without ``start``, is for others. If that is 2
   minutes or more, its first 17 % are for looks; with less, a look would be mostly the time that building takes.
3. A look trains on a part of the rows (an eighteenth, but 1,000 rows at least and a third at most) for a sixteenth of
   the looking time, yet at least a minute or, where that is less, a quarter of it. When only the time for one longer
   look is left (three times as long, at most half of the looking time, on three times the rows), the best get one, as
   the time allows. What outlasts the looking time is broken off after its epoch; its value counts less than any other.
4. Then the best of the longest looks is trained as in 1. If it fails, the next best one gets what is left. If it ends
   before its time, the next best one follows, looked at first, then new ones; and so on, as long as there is left half
   of the time that the longest of them took, a tenth of T, and 20 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Unpack

from fertune.searchers.engine import Common, Rebuilt
from fertune.searchers.rungs import FACTOR, Around
from fertune.space import Space
from fertune.trial import Complete, Exhausted, Failure, Outcome, Params, Pruned, Suggestion, Wait

LEAST_TIME = 120.0
"""Seconds below which nothing is looked at."""
LOOKING, SHORT = 0.17, 60.0
"""Part of the time that is for looks, and seconds of a short one where there is enough of it."""
RESERVE, LEAST_RESERVE, MOST_RESERVE = 0.015, 2.0, 20.0
"""Part of the time for prediction and saving, and its bounds in seconds."""
WORTH, LEAST_WORTH = 0.1, 20.0
"""A further long training is begun only while this part of the time, and so many seconds, are left."""
SHARE, LEAST_ROWS, MOST_SHARE = 1 / 18, 1000, 1 / 3
BROKEN_OFF, FINAL = -1, 2
"""Number of the rung of long trainings, and of what is known of a look that took too long; looks are on 0 and 1."""


@dataclass
class Runner:
    """A configuration and how it did.

    Attributes:
        params: The configuration.
        last: Ticket of its latest piece of work that came to a value; None before.
        values: Rung -> value, of finished pieces of work; ``BROKEN_OFF`` -> value of a look that was broken off.
        asked: Rungs it was asked for on.
        broken: A piece of it failed.
    """

    params: Params
    last: int | None = None
    values: dict[int, float] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    broken: bool = False


class SprintSearcher(Rebuilt):
    """See the text above. What is decided follows from the pieces of work so far and from the clock.

    Args:
        around: Its clock, and the rows there are.
    """

    def __init__(self, space: Space, *, around: Around | None = None, **common: Unpack[Common]) -> None:
        super().__init__(space, **common)
        self._around = around or Around()
        self._runners: dict[str, Runner] = {}
        self._pieces: dict[int, Suggestion] = {}
        self._whole: float | None = None
        self._looks_from: float | None = None
        self._left_then = 0.0
        self._longest = 0.0

    def ask(self) -> Suggestion | Wait | Exhausted:
        left = self._around.time_left()
        if self._whole is None:
            self._whole = left
        finals = len(self._finals())
        if self._first and not finals:
            return Wait() if self._open else self._final(left)
        if finals <= bool(self._first) and not (finals and self._open):
            if self._looks_from is None:
                self._looks_from = left if self._worth((1 - LOOKING) * left) else 0.0
            look = self._look(left - self._looks_from + self._looking_time())
            if look is not None:
                return look
        return Wait() if self._open else self._final(left)

    def _look(self, left: float) -> Suggestion | None:
        """The next look, where ``left`` seconds of the looking time allow one."""
        if not self._looking_time():
            return None
        short, long = self._lengths()
        new = None
        if left >= short + long and self._end() is None:
            new = self._given() or self._untried()
        if new is not None:
            return self._piece(new, 0, short)
        if left < long:
            return None
        for runner in sorted((r for r in self._runners.values() if 0 in r.values), key=self._order):
            if 1 not in runner.asked and not runner.broken:
                return self._piece(runner.params, 1, long)
        return None

    def _final(self, left: float) -> Suggestion | Exhausted:
        """The next long training, where there is time for one."""
        if not self._worth(left):
            return Exhausted("the time is spent")
        params = self._choice()
        if params is None:
            return self._end() or Exhausted("no new configuration was found in the space")
        self._left_then = left
        if math.isinf(left):
            return self._piece(params, FINAL, None)
        reserve = min(max(RESERVE * (self._whole or left), LEAST_RESERVE), MOST_RESERVE)
        return self._piece(params, FINAL, max(left - reserve, left / 2))

    def _worth(self, left: float) -> bool:
        """Whether a long training is of use in so many seconds."""
        return left > 0 and not (
            self._won() and left < max(WORTH * (self._whole or left), LEAST_WORTH, self._longest / 2)
        )

    def _choice(self) -> Params | None:
        """Which configuration is trained long next; None where none is left."""
        if self._first and not self._finals():
            return self._first[0]
        best = self._best()
        if best is not None:
            return best.params
        return None if self._end() else self._given() or self._untried()

    def _best(self) -> Runner | None:
        """The best of the longest looks among those that were not trained long."""
        fresh = [r for r in self._runners.values() if r.values and FINAL not in r.asked and not r.broken]
        return min(fresh, key=self._order, default=None)

    def _order(self, runner: Runner) -> tuple[float, float]:
        """Ascending: the longest look first, then the better value."""
        rung = max(runner.values)
        return (-rung, self.objective.sort_key(runner.values[rung]))

    def _lengths(self) -> tuple[float, float]:
        """Seconds of a short and of a longer look."""
        time = self._looking_time()
        short = max(min(SHORT, time / 4), time / 16)
        return short, min(FACTOR * short, time / 2)

    def _looking_time(self) -> float:
        """Seconds for all looks together; 0 for none."""
        whole = self._looks_from or 0.0
        few = self._goal is not None and self._goal - bool(self._first) <= 1
        few |= self._size is not None and self._size - bool(self._first) <= 1
        return 0.0 if few or whole < LEAST_TIME or math.isinf(whole) else LOOKING * whole

    def _share(self, rung: int) -> float:
        if rung == FINAL:
            return 1.0
        least = LEAST_ROWS / self._around.rows if self._around.rows else 0.0
        short = min(max(SHARE, least), MOST_SHARE)
        return short if rung == 0 else min(FACTOR * short, 0.9)

    def _finals(self) -> list[Suggestion]:
        return [piece for piece in self._pieces.values() if piece.tags["rung"] == FINAL]

    def _won(self) -> bool:
        return any(FINAL in runner.values for runner in self._runners.values())

    def _piece(self, params: Params, rung: int, seconds: float | None) -> Suggestion:
        runner = self._runners.get(self.space.key(params))
        piece = self._suggest(
            params,
            self.max_epochs,
            runner.last if runner is not None else None,
            {"rung": rung},
            share=self._share(rung),
            alone=rung == FINAL,
            seconds=seconds,
        )
        self._note(piece)
        return piece

    def _note(self, piece: Suggestion) -> None:
        runner = self._runners.setdefault(self.space.key(piece.params), Runner(piece.params))
        runner.asked.add(piece.tags["rung"])
        self._pieces[piece.ticket] = piece

    def report(self, ticket: int, step: int, value: float) -> bool:
        """Break off a look that outlasts the time for looks."""
        self._check_open(ticket)
        if self._pieces[ticket].tags["rung"] == FINAL or self._looks_from is None or not self._looking_time():
            return True
        return self._around.time_left() > self._looks_from - self._looking_time()

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        piece = self._pieces[ticket]
        runner = self._runners[self.space.key(piece.params)]
        if isinstance(outcome, Complete) and math.isfinite(outcome.value):
            runner.values[piece.tags["rung"]] = outcome.value
            runner.last = ticket
            if piece.tags["rung"] == FINAL and math.isfinite(self._left_then):
                self._longest = max(self._longest, self._left_then - self._around.time_left())
        elif isinstance(outcome, Pruned) and math.isfinite(outcome.value):
            runner.values[BROKEN_OFF] = outcome.value
            runner.last = ticket if runner.last is None else runner.last
        elif isinstance(outcome, Failure):
            runner.broken = True

    def _again(self, suggestion: Suggestion) -> None:
        """Of an earlier session; the clock is that of this one."""
        self._count(suggestion)
        self._note(suggestion)
