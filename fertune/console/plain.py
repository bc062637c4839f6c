"""The console of a pipe or a log: one line an event, flushed, its first word fixed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from fertune.console.crew import Crew
from fertune.console.screen import Screen
from fertune.console.search_view import SearchState
from fertune.console.shown import ShownRun
from fertune.console.stack_summary import stack_summary
from fertune.console.stack_view import Key, StackState
from fertune.console.summary import search_summary
from fertune.console.text import field, score, value_text
from fertune.trial import Trial

STILL_SECONDS = 60.0


class PlainConsole(ShownRun):
    """Lines that a person reads and a program can: ``data``, ``trial``, ``fold``, ``meta`` or ``still`` comes first.

    Nothing is said of single epochs; after a minute without a line, a ``still`` line tells what runs.

    Args:
        chatter: Where lines and the summary go.
        warnings: Where warnings go.
    """

    def __init__(self, chatter: Screen, warnings: Screen) -> None:
        super().__init__()
        self._screen = chatter
        self._warnings = warnings
        self._last = time.monotonic()

    def said(self, text: str) -> None:
        self._say("data" if self._search is None and self._stack is None else "still", [text])

    def noted(self, text: str) -> None:
        self._say("plan", [text])

    def warned(self, text: str) -> None:
        self._warnings.line(self._warnings.text(f"warning: {text}"))

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        super().search_started(info, goal, trials)
        self._data(info)

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        super().trial_ended(trial, best)
        state = self._search
        if state is None:
            return
        words = [
            str(trial.id),
            trial.state.value,
            f"{state.objective.name}={score(trial.value)}",
            f"epochs={trial.epochs}/{trial.budget}",
            f"seconds={trial.seconds:.0f}",
        ]
        if trial.folds:
            words.append(f"folds={len(trial.fold_values)}/{trial.rungs[-1].tags['of']}")
        if trial.failure is not None:
            words += [f"failure={field(trial.failure.kind.value)}", f"message={field(trial.failure.message)}"]
        words += self._best(state)
        words.append(f"done={state.done}" + (f"/{state.goal}" if state.goal is not None else ""))
        words += [f"{name}={field(value_text(value))}" for name, value in trial.params.items()]
        self._say("trial", words)

    def search_ended(self, record: Any) -> None:
        self.close()
        self._screen.lines(search_summary(self._screen, record))

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[Key]) -> None:
        super().stack_started(info, jobs)
        self._data(info)

    def fold_ended(self, fold_run: Any) -> None:
        super().fold_ended(fold_run)
        state = self._stack
        if state is None:
            return
        words = [
            field(fold_run.member),
            f"{fold_run.kind}={fold_run.fold}",
            str(fold_run.state),
            f"value={score(fold_run.value)}",
            f"epochs={fold_run.epochs}",
            f"seconds={fold_run.seconds:.0f}",
        ]
        if fold_run.failure is not None:
            words += [f"failure={field(fold_run.failure.kind.value)}", f"message={field(fold_run.failure.message)}"]
        words.append(f"done={len(state.ended)}/{len(state.models())}")
        self._say("fold", words)

    def meta_ended(self, entry: Mapping[str, Any]) -> None:
        words = [field(str(entry.get("name", "")))]
        if entry.get("trials"):
            words.append(f"trials={entry['trials']}")
        words += [f"{key}={entry[key]:.4f}" for key in ("oof_accuracy", "oof_log_loss") if entry.get(key) is not None]
        if entry.get("seconds") is not None:
            words.append(f"seconds={entry['seconds']:.0f}")
        self._say("meta", words)

    def stack_ended(self, record: Any) -> None:
        self.close()
        self._screen.lines(stack_summary(self._screen, record))

    def tick(self) -> None:
        if time.monotonic() - self._last < STILL_SECONDS:
            return
        if self._search is not None:
            self._still_search(self._search)
        elif self._stack is not None:
            self._still_stack(self._stack)
        state = self._search or self._stack
        if state is not None and state.crew.statuses:
            self._still_crew(state.crew)
        self._last = time.monotonic()

    def _still_search(self, state: SearchState) -> None:
        for trial_id, seconds in state.running_seconds().items():
            trial = state.trials[trial_id]
            self._say(
                "still",
                [
                    f"trial {trial_id}",
                    f"epoch={trial.epochs}/{trial.budget}",
                    f"seconds={seconds:.0f}",
                    *self._best(state),
                ],
            )

    def _still_stack(self, state: StackState) -> None:
        now = time.monotonic()
        for (member, fold, kind), epochs in state.running.items():
            seconds = now - state.started[member, fold, kind]
            self._say("still", ["fold", field(member), f"{kind}={fold}", f"epoch={epochs}", f"seconds={seconds:.0f}"])

    def _still_crew(self, crew: Crew) -> None:
        busy = sum(s.job_id is not None for s in crew.statuses)
        words = [f"workers={busy}/{len(crew.statuses)}"]
        words += [f"memory_mb={crew.memory / 1e6:.0f}"] if crew.memory else []
        words += [f"disk_mb={crew.disk / 1e6:.0f}"] if crew.disk is not None else []
        self._say("still", ["run", *words])

    def _best(self, state: SearchState) -> list[str]:
        if state.best is None:
            return []
        return [f"best={score(state.best.value)}", f"best_trial={state.best.id}"]

    def _data(self, info: Mapping[str, Any]) -> None:
        data = info.get("data") or {}
        counts = [f"{split}={sum(rows)}" for split, rows in (data.get("counts") or {}).items()]
        shape = "x".join(str(n) for n in data.get("shape") or ())
        self._say(
            "data",
            [
                field(str(data.get("name", ""))),
                *counts,
                f"classes={len(data.get('classes') or ())}",
                *([f"shape={shape}"] if shape else []),
            ],
        )

    def _say(self, first: str, words: Sequence[str]) -> None:
        self._screen.line(self._screen.text(" ".join([first, *words])))
        self._last = time.monotonic()
