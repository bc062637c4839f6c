"""What the three consoles have in common: they keep what a run has said, and draw it each in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fertune.console.crew import Crew
from fertune.console.search_view import SearchState
from fertune.console.stack_view import Key, StackState
from fertune.searching.observer import Observer
from fertune.trial import Trial, WorkerStatus


class ShownRun(Observer):
    """The search or stack that goes on; ``_moved`` is called after each change of what it trains."""

    def __init__(self) -> None:
        self._search: SearchState | None = None
        self._stack: StackState | None = None

    def _moved(self) -> None:
        """Something changed; it need not be drawn at once."""

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        self._search = SearchState.of(info, goal, trials)

    def trial_started(self, trial: Trial) -> None:
        if self._search is not None:
            self._search.take_start(trial)
            self._moved()

    def epoch(self, trial: Trial, logs: Mapping[str, float]) -> None:
        if self._search is not None:
            self._search.trials[trial.id] = trial
            self._moved()

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        if self._search is not None:
            self._search.take_end(trial, best)
            self._moved()

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[Key]) -> None:
        self._stack = StackState(info, list(jobs))

    def fold_started(self, member: str, fold: int, kind: str) -> None:
        if self._stack is not None:
            self._stack.take_start((member, fold, kind))
            self._moved()

    def fold_epoch(self, member: str, fold: int, kind: str, logs: Mapping[str, float]) -> None:
        if self._stack is not None:
            self._stack.take_epoch((member, fold, kind), logs)
            self._moved()

    def fold_ended(self, fold_run: Any) -> None:
        if self._stack is not None:
            self._stack.take_end(fold_run)
            self._moved()

    def meta_ended(self, entry: Mapping[str, Any]) -> None:
        if self._stack is not None:
            self._stack.meta.append(entry)
            self._moved()

    def attached(self, begun: float, since: Mapping[Any, float], ended: int) -> None:
        for state in (self._search, self._stack):
            if state is not None:
                state.take_since(begun, since, ended)

    def workers(self, statuses: Sequence[WorkerStatus], memory: int = 0, disk: int | None = None) -> None:
        for state in (self._search, self._stack):
            if state is not None:
                state.crew = Crew(tuple(statuses), memory, disk)

    def close(self) -> None:
        self._search = self._stack = None
