"""A scripted searcher and an executor in virtual time: the real loop without models and without waiting."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from fertune.testing.virtual import VirtualExecutor as Virtual
from fertune.trial import Complete, Exhausted, Failure, FailureKind, Outcome, Suggestion, Wait


class ScriptedSearcher:
    """Suggests ``x`` = 0, 1, 2, ...; promotes every ``promote``-th completed one once; prunes what it is told to."""

    def __init__(
        self, trials: int, *, promote: int = 0, prune: Callable[[int, int], bool] = lambda ticket, step: False
    ) -> None:
        self.trials, self.promote, self.prune = trials, promote, prune
        self.asked = 0
        self.fresh = 0
        self.open: set[int] = set()
        self.queue: list[int] = []
        self.params: dict[int, int] = {}
        self.promoted: set[int] = set()
        self.told: dict[int, Outcome] = {}
        self.log: list[tuple[Any, ...]] = []

    def ask(self) -> Suggestion | Wait | Exhausted:
        if self.queue:
            parent = self.queue.pop(0)
            made = Suggestion(self.asked, {"x": self.params[parent]}, 4, parent, {"rung": 1})
            self.promoted.add(self.asked)
        elif self.fresh < self.trials:
            made = Suggestion(self.asked, {"x": self.fresh}, 2, None, {"rung": 0})
            self.fresh += 1
        elif self.open:
            return Wait()
        else:
            return Exhausted("scripted end")
        self.params[made.ticket] = int(made.params["x"])
        self.asked += 1
        self.open.add(made.ticket)
        self.log.append(("ask", made))
        return made

    def report(self, ticket: int, step: int, value: float) -> bool:
        return not self.prune(ticket, step)

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self.open.remove(ticket)
        assert ticket not in self.told, "told twice"
        self.told[ticket] = outcome
        self.log.append(("tell", ticket, outcome))
        if (
            self.promote
            and isinstance(outcome, Complete)
            and ticket not in self.promoted
            and ticket % self.promote == 0
        ):
            self.queue.append(ticket)


class VirtualExecutor(Virtual):
    """Jobs take random virtual seconds; ``fate(job)``, asked after each epoch, says ``ok``, ``fail`` or ``kill``."""

    def __init__(self, slots: int = 1, *, seed: float = 0, fate: Callable[[Any], str] = lambda job: "ok") -> None:
        chance = random.Random(seed)
        self.ran: list[Any] = []

        def fails(job: Any) -> Failure | None:
            told = fate(job)
            if told == "kill":
                raise Killed
            return Failure(FailureKind.NAN_LOSS, "scripted") if told == "fail" else None

        def value(job: Any, step: int) -> float:
            if fate(job) == "kill":
                raise Killed
            return float(job.value(step))

        super().__init__(slots, seconds=lambda job, step: chance.random(), value=value, fails=fails)

    def submit(self, job: Any) -> None:
        assert len(self._runs) + len(self._queue) < self.slots, "more jobs than slots"
        self.ran.append(job)
        super().submit(job)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of the coordinator runs after it."""


class ScriptedJob:
    def __init__(self, trial: Any, suggestion: Suggestion) -> None:
        self.id = f"{trial.id}-{suggestion.ticket}"
        self.x = int(suggestion.params["x"])
        self.budget = suggestion.budget
        self.first = trial.rungs[-2].epochs if len(trial.rungs) > 1 else 0
        self.ticket = suggestion.ticket

    def value(self, step: int) -> float:
        return (self.x * 37 % 101) / 101 + step / 1000
