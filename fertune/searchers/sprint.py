"""fertune's own engine for a given time: short looks at a few configurations, then one long training of the best.

The rule, for a time budget of T seconds (T is what is left of it when the first piece of work is asked for):

1. With less than 5 minutes (2 where the space has no ``start``), one trial or one point, nothing is probed: a probe
   would be mostly the time that its model takes to be built. Else the first 17 % of T are for probes.
2. A probe trains on a part of the rows (an eighteenth, but 1,000 rows at least and a third at most) for a sixteenth of
   the probing time, yet at least a minute or, where that is less, a quarter of it. ``start`` configurations come first,
   then random ones.
3. When only the time for one longer look is left (three times as long, at most half of the probing time, on three
   times the rows), the leading ``start`` configuration gets one, then the best of the others while the time allows.
   A probe that outlasts the probing time is broken off after its epoch; its value counts less than any other.
4. Then one configuration is trained with all cores and all rows, ``max_epochs`` at most, in all the time that is left
   but a reserve for prediction and saving (1.5 %, from 2 to 20 s). A space that has a ``start`` gets its leading start
   configuration, unless another one beat it in the longer look by more than three standard errors of the difference
   of two accuracies. A space without gets the best of the longest looks.
5. If that fails, the next best one gets what is left. If it ends before its time, since ``max_epochs`` were enough, the
   next best one follows, probed ones first, then new ones; and so on, as long as there is left half of the time that
   the longest of them took, a tenth of T, and 20 s.

Who leads among several ``start`` configurations: the one with the best value at the longest look that all of them
had; before that, the first in the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from fertune.searchers.engine import Engine
from fertune.searchers.restore import Restored, check_record
from fertune.searchers.rungs import FACTOR, Around
from fertune.space import Space
from fertune.trial import Complete, Exhausted, Failure, Objective, Outcome, Params, Pruned, Suggestion, Wait

LEAST_TIME, LEAST_WITHOUT_START = 300.0, 120.0
"""Seconds below which nothing is probed."""
PROBING, SHORT = 0.17, 60.0
"""Part of the time that is for probes, and seconds of a short look where there is enough of it."""
RESERVE, LEAST_RESERVE, MOST_RESERVE = 0.015, 2.0, 20.0
"""Part of the time for prediction and saving, and its bounds in seconds."""
WORTH, LEAST_WORTH = 0.1, 20.0
"""A further long training is begun only while this part of the time, and so many seconds, are left."""
SHARE, LEAST_ROWS, MOST_SHARE = 1 / 18, 1000, 1 / 3
CLEAR = 3.0
"""Standard errors of a difference that are a clear gain."""
SPREAD = {"val_loss": 1.0}
"""Standard deviation of one row's part in a value; of an accuracy at most a half."""
BROKEN_OFF, FINAL = -1, 2
"""Number of the rung of long trainings, and of what is known of a probe that took too long; probes are on 0 and 1."""


@dataclass
class Runner:
    """A configuration and how it did.

    Attributes:
        params: The configuration.
        given: It is one of ``start``.
        last: Ticket of its latest piece of work that came to a value; None before.
        values: Rung -> value, of finished pieces of work; ``BROKEN_OFF`` -> value of a probe that was broken off.
        asked: Rungs it was asked for on.
        broken: A piece of it failed.
    """

    params: Params
    given: bool
    last: int | None = None
    values: dict[int, float] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)
    broken: bool = False


class SprintSearcher(Engine):
    """See the text above. What is decided follows from the pieces of work so far and from the clock.

    Args:
        around: Its clock, and the rows there are.
    """

    def __init__(
        self,
        space: Space,
        *,
        objective: Objective,
        seed: int,
        trials: int | None,
        max_epochs: int,
        around: Around | None = None,
    ) -> None:
        super().__init__(space, objective=objective, seed=seed, trials=trials, max_epochs=max_epochs)
        self._around = around or Around()
        self._runners: dict[str, Runner] = {}
        self._pieces: dict[int, Suggestion] = {}
        self._keys_of_start = {space.key(params) for params in self._first}
        self._whole: float | None = None
        self._left_then = 0.0
        self._longest = 0.0

    def ask(self) -> Suggestion | Wait | Exhausted:
        left = self._around.time_left()
        if self._whole is None:
            self._whole = left
        if not self._finals() and self._probing_time():
            probe = self._probe(left - (1 - PROBING) * self._whole)
            if probe is not None:
                return probe
        return Wait() if self._open else self._final(left)

    def _probe(self, left: float) -> Suggestion | None:
        """The next short look, where ``left`` seconds of the probing time allow one."""
        short, long = self._looks()
        new = None
        if left >= short + long and self._end() is None:
            new = self._given() or self._untried()
        if new is not None:
            return self._piece(new, 0, short)
        if left < long:
            return None
        lead = self._lead()
        rest = sorted((r for r in self._runners.values() if 0 in r.values and r is not lead), key=self._order)
        for runner in (lead, *rest):
            if runner is not None and 0 in runner.values and 1 not in runner.asked and not runner.broken:
                return self._piece(runner.params, 1, long)
        return None

    def _final(self, left: float) -> Suggestion | Exhausted:
        """The next long training, where there is time for one."""
        whole = left if self._whole is None else self._whole
        if left <= 0 or self._won() and left < max(WORTH * whole, LEAST_WORTH, self._longest / 2):
            return Exhausted("the time is spent")
        params = self._choice()
        if params is None:
            return self._end() or Exhausted("no new configuration was found in the space")
        self._left_then = left
        if math.isinf(left):
            return self._piece(params, FINAL, None)
        reserve = min(max(RESERVE * whole, LEAST_RESERVE), MOST_RESERVE)
        return self._piece(params, FINAL, max(left - reserve, left / 2))

    def _choice(self) -> Params | None:
        """Which configuration is trained long next; None where none is left."""
        lead, best = self._lead(), self._best()
        if lead is not None and (best is None or not self._clearly_better(best, lead)):
            return lead.params
        if best is not None:
            return best.params
        return None if self._end() else self._given() or self._untried()

    def _best(self) -> Runner | None:
        """The best of the longest looks among those that were not trained long."""
        fresh = [r for r in self._runners.values() if r.values and FINAL not in r.asked and not r.broken]
        return min(fresh, key=self._order, default=None)

    def _lead(self) -> Runner | None:
        """The leading ``start`` configuration among those that may be trained long."""
        given = [r for r in self._runners.values() if r.given and FINAL not in r.asked and not r.broken]
        common = max((rung for rung in (0, 1) if given and all(rung in r.values for r in given)), default=None)
        if common is None:
            return next(iter(given), None)
        return min(given, key=lambda r: self.objective.sort_key(r.values[common]))

    def _clearly_better(self, one: Runner, other: Runner) -> bool:
        if 1 not in one.values or 1 not in other.values:
            return False
        gain = self.objective.sort_key(other.values[1]) - self.objective.sort_key(one.values[1])
        error = SPREAD.get(self.objective.name, 0.5) * math.sqrt(2 / max(self._around.watched, 1))
        return gain > CLEAR * error

    def _order(self, runner: Runner) -> tuple[float, float]:
        """Ascending: the longest look first, then the better value."""
        rung = max(runner.values)
        return (-rung, self.objective.sort_key(runner.values[rung]))

    def _looks(self) -> tuple[float, float]:
        """Seconds of a short and of a longer look."""
        time = self._probing_time()
        short = max(min(SHORT, time / 4), time / 16)
        return short, min(FACTOR * short, time / 2)

    def _probing_time(self) -> float:
        """Seconds for all probes together; 0 for none."""
        whole = self._whole or 0.0
        few = self._goal == 1 or self._size is not None and self._size <= 1
        least = LEAST_TIME if self._first else LEAST_WITHOUT_START
        return 0.0 if few or whole < least or math.isinf(whole) else PROBING * whole

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
        key = self.space.key(piece.params)
        runner = self._runners.setdefault(key, Runner(piece.params, key in self._keys_of_start))
        runner.asked.add(piece.tags["rung"])
        self._pieces[piece.ticket] = piece

    def report(self, ticket: int, step: int, value: float) -> bool:
        """Break off a probe that outlasts the time for probes."""
        self._check_open(ticket)
        if self._pieces[ticket].tags["rung"] == FINAL or self._whole is None or not self._probing_time():
            return True
        return self._around.time_left() > (1 - PROBING) * self._whole

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

    def restore(self, records: Sequence[Restored]) -> None:
        """Take the pieces of work of a journal; the clock is that of this session.

        Raises:
            RunError: A record is not of this space, or tickets are missing.
        """
        if self._next_ticket:
            raise RuntimeError("a searcher is restored before it is asked")
        for ticket, record in enumerate(records):
            check_record(self.space, ticket, record)
            self._next_ticket = ticket + 1
            self._open.add(ticket)
            if record.suggestion.continues is None:
                self._seen.add(self.space.key(record.suggestion.params))
            self._note(record.suggestion)
            if record.outcome is not None:
                self.tell(ticket, record.outcome)
