"""Keras Tuner's Hyperband oracle, mended around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from fertune.searchers.engine import Common
from fertune.searchers.keras_tuner import OracleSearcher
from fertune.searchers.rungs import FACTOR, Level
from fertune.space import Space
from fertune.trial import Complete, Exhausted, Outcome, Params, Suggestion, Wait


def hyperband_size(max_epochs: int) -> int:
    """Distinct configurations in one iteration of Hyperband: the first rungs of all its brackets.

    Li et al. 2018, Algorithm 1, with R = ``max_epochs`` and eta = 3, rounded as Keras Tuner's oracle rounds it.
    """
    brackets = 1
    while max_epochs / FACTOR**brackets >= 1:
        brackets += 1
    last_rung = math.ceil(1 + math.log(max_epochs, FACTOR))
    return sum(math.ceil(last_rung / (b + 1) * FACTOR**b) for b in range(brackets))


class HyperbandSearcher(OracleSearcher):
    """Brackets of successive halving (Li et al. 2018).

    Where the oracle wants a new configuration but there shall be none (the number of trials is reached, or the space
    is exhausted), its slot is answered here as the worst score, untrained: so every rung fills, and the promotions
    among real configurations go on to the end. A failed one that is promoted all the same is answered so too. A
    bracket without a real configuration is not begun. Where epochs are the fidelity, one that stopped by itself and is
    promoted is answered with the value it has, untrained.

    Args:
        rungs: Those of the most aggressive bracket, where a rung is not a number of epochs of the oracle's own; each
            of them trains anew.
    """

    def __init__(self, space: Space, *, rungs: Sequence[Level] | None = None, **common: Unpack[Common]) -> None:
        self._levels = None if rungs is None else tuple(rungs)
        self._most = common["max_epochs"] if rungs is None else FACTOR ** (len(rungs) - 1)
        self._iteration_size = hyperband_size(self._most)
        self._iterations = math.ceil((common["trials"] or 1) / self._iteration_size)
        super().__init__(space, **common)
        self._last_bracket: int | None = None
        self._spare: Any = None
        self._ended: Exhausted | None = None
        self._ticket_of: dict[str, int] = {}
        self._asked_for: dict[int, Suggestion] = {}
        self._finished: dict[int, float] = {}

    def _make_oracle(self, **options: Any) -> Any:
        return self._kt.oracles.HyperbandOracle(
            max_epochs=self._most, factor=FACTOR, hyperband_iterations=self._iterations, **options
        )

    def extend(self, trials: int) -> None:
        limit = self._goal if self._goal is not None else self._iterations * self._iteration_size
        if trials <= limit:
            return
        self._goal, self._ended = trials, None
        self._oracle.hyperband_iterations += math.ceil((trials - self.asked) / self._iteration_size)

    def ask(self) -> Suggestion | Wait | Exhausted:
        if self._ended is not None:
            return self._ended
        if self._spare is not None:
            self._finish(self._spare, None)
            self._spare = None
        while True:
            trial = self._create()
            if trial.status == "STOPPED":
                return self._over()
            if trial.status == "IDLE":
                return Wait()
            values = trial.hyperparameters.values
            parent = values.get("tuner/trial_id")
            if self._stands_as_it_is(trial, parent):
                continue
            suggestion = self._promote(parent, values) if parent is not None else self._begin(trial, values)
            if suggestion is not None:
                self._ticket_of[trial.trial_id] = suggestion.ticket
                self._asked_for[suggestion.ticket] = suggestion
                self._running[suggestion.ticket] = trial
                return suggestion
            if parent is None and self._is_hopeless(values):
                # Earlier brackets come first, so none of them has anything to do now: leave this one unanswered.
                self._spare = trial
                return Wait() if self._open else self._over()
            self._finish(trial, None)

    def _stands_as_it_is(self, trial: Any, parent: str | None) -> bool:
        """Answer the promotion of one that stopped by itself; False where there is something to train."""
        ticket = self._ticket_of.get(parent or "", -1)
        if ticket not in self._finished:
            return False
        self._ticket_of[trial.trial_id] = ticket
        self._finish(trial, self._finished[ticket])
        return True

    def _is_hopeless(self, values: Params) -> bool:
        """Whether a slot without a new configuration leads to no promotion of a real one."""
        return values["tuner/bracket"] == 0 or values["tuner/bracket"] != self._last_bracket

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self._close(ticket)
        trial = self._running.pop(ticket)
        if not isinstance(outcome, Complete) or not math.isfinite(outcome.value):
            del self._ticket_of[trial.trial_id]
            self._finish(trial, None)
            return
        self._finish(trial, outcome.value)
        if outcome.final and self._levels is None:
            self._finished[ticket] = outcome.value

    def _begin(self, trial: Any, values: Params) -> Suggestion | None:
        params = None if self._end() else self._new_params(trial)
        if params is None:
            return None
        self._last_bracket = int(values["tuner/bracket"])
        tags = {"bracket": self._last_bracket, "rung": 0}
        return self._on_rung(params, int(values["tuner/epochs"]), None, tags)

    def _promote(self, parent: str, values: Params) -> Suggestion | None:
        ticket = self._ticket_of.get(parent)
        if ticket is None:
            return None
        earlier = self._asked_for[ticket]
        # The oracle's own bracket of a late promotion is the current one, not the parent's.
        tags = {"bracket": earlier.tags["bracket"], "rung": int(values["tuner/round"])}
        return self._on_rung(earlier.params, int(values["tuner/epochs"]), ticket, tags)

    def _on_rung(self, params: Params, epochs: int, continues: int | None, tags: dict[str, int]) -> Suggestion:
        if self._levels is None:
            return self._suggest(params, epochs, continues, tags)
        level = self._levels[round(math.log(epochs, FACTOR))]
        return self._suggest(params, level.budget, continues, tags, share=level.share, side=level.side)

    def promotable(self) -> set[int]:
        """Tickets of finished pieces that may yet be promoted, as things stand: in each rung the best ones that are
        not taken, as many as the next rung has places left. Whatever else ends, no other can come among them."""
        found: list[str] = []
        for bracket in self._oracle.get_state()["brackets"]:
            rounds, number = bracket["rounds"], bracket["bracket_num"]
            for above in range(1, len(rounds)):
                size = math.ceil(
                    math.ceil(1 + math.log(self._most, FACTOR)) / (number + 1) * FACTOR ** (number - above)
                )
                taken = {entry["past_id"] for entry in rounds[above]}
                below = [self._oracle.trials[entry["id"]] for entry in rounds[above - 1] if entry["id"] not in taken]
                done = [trial for trial in below if trial.status == "COMPLETED"]
                done.sort(key=lambda trial: trial.score, reverse=self.objective.direction == "max")
                found += [trial.trial_id for trial in done[: size - len(rounds[above])]]
        return {self._ticket_of[trial_id] for trial_id in found if trial_id in self._ticket_of}

    def _over(self) -> Exhausted:
        end = self._end()
        iterations = self._oracle.hyperband_iterations
        count = "one iteration" if iterations == 1 else f"{iterations} iterations"
        self._ended = Exhausted(
            f"{end.reason}, and every promotion was made" if end else f"{count} of Hyperband came to the end"
        )
        return self._ended
