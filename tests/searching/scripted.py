"""A scripted searcher and an executor in virtual time: the real loop without models and without waiting."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from typing import Any

from fertune.trial import (
    Complete,
    Event,
    Exhausted,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Outcome,
    Reported,
    Started,
    Suggestion,
    TrainResult,
    Wait,
    WorkerStatus,
)


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


class VirtualExecutor:
    """Jobs take virtual seconds; ``fate(job)`` says ``ok``, ``fail`` or ``kill`` (raised out of the loop)."""

    def __init__(self, slots: int = 1, *, seed: int = 0, fate: Callable[[Any], str] = lambda job: "ok") -> None:
        self._slots, self._fate = slots, fate
        self._random = random.Random(seed)
        self._heap: list[tuple[float, int, Any]] = []
        self._stopped: set[str] = set()
        self._begun: list[Started] = []
        self.now = 0.0
        self.ran: list[Any] = []

    @property
    def slots(self) -> int:
        return self._slots

    def submit(self, job: Any) -> None:
        assert len(self._heap) < self._slots, "more jobs than slots"
        self.ran.append(job)
        self._begun.append(Started(job.id, 0))
        heapq.heappush(self._heap, (self.now + self._random.random(), len(self.ran), job))

    def stop(self, job_id: str) -> None:
        self._stopped.add(job_id)

    def events(self, timeout: float) -> Iterator[Event]:
        while self._begun:
            yield self._begun.pop(0)
        if not self._heap:
            return
        self.now, _, job = heapq.heappop(self._heap)
        fate = self._fate(job)
        if fate == "kill":
            raise Killed
        if fate == "fail":
            yield Failed(job.id, Failure(FailureKind.NAN_LOSS, "scripted"))
            return
        best, step = 0.0, job.first
        for step in range(job.first + 1, job.budget + 1):
            if job.id in self._stopped:
                yield Finished(job.id, TrainResult(best, max(step - 1, 1), step - 1, 0.0, 1, "stopped"))
                return
            best = max(best, job.value(step))
            yield Reported(job.id, step, job.value(step), {"loss": 1.0})
        yield Finished(job.id, TrainResult(best, step, step, 1.0, 1, "budget"))

    def status(self) -> list[WorkerStatus]:
        return []

    def close(self) -> None:
        return


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
