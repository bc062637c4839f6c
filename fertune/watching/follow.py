"""A run that another process works on, told to an observer as its journal grows. Nothing in the folder is changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fertune.searching.observer import FoldKey, Observer
from fertune.store import FoldRun, open_record
from fertune.store.folder import is_held, read_info
from fertune.store.known_trials import goal_of
from fertune.store.records import fold_runs
from fertune.store.trials import Trials
from fertune.trial import Objective, State, Trial
from fertune.watching.status import Status, read_status
from fertune.watching.tail import Tail

SILENCE = 10.0
"""Seconds without a sign of the coordinator after which its lock is asked for."""
GRACE = 5.0
"""Seconds that a coordinator whose lock cannot be seen (a read-only or network disk) gets for a sign."""

Stage = Literal["running", "finished", "interrupted", "killed"]


class Follower:
    """Reads a run on and tells an observer what came.

    A live coordinator is known by its journal that grows, by ``status.json`` that changes, or by the lock it holds;
    the lock is asked only after a silence, since asking takes it for a moment.

    Args:
        path: The run's folder.
        observer: Is told as if it sat in the coordinator.
        silence, grace: Stand in for ``SILENCE`` and ``GRACE``.

    Raises:
        RunError: There is no run, or its journal is damaged.
    """

    def __init__(
        self, path: Path, observer: Observer | None = None, *, silence: float = SILENCE, grace: float = GRACE
    ) -> None:
        self.path, self.info = path, read_info(path)
        self.observer = observer or Observer()
        self.stage: Stage = "running"
        self.reason = ""
        self.session = 0.0
        """Seconds since 1970 at which the last session began."""
        self.status: Status | None = None
        self.ended_here = 0
        self._tail = Tail(path / "journal.jsonl")
        self._story: _Search | _Stack = (_Search if self.info["kind"] == "search" else _Stack)(self)
        self._silence, self._grace = silence, grace
        self._told = False
        for line in self._tail.read():
            self._take(line)
        self._sign = self._asked = time.monotonic()
        if self.stage == "running":
            self.status = read_status(path)
            if not is_held(path):
                self._sign -= self._silence - self._grace
                if self.status is None or time.time() - self.status.time > 60:
                    self._die()

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Of a search, in the order of ids."""
        return self._story.trials.all() if isinstance(self._story, _Search) else ()

    @property
    def best(self) -> Trial | None:
        return self._story.best if isinstance(self._story, _Search) else None

    @property
    def folds(self) -> dict[FoldKey, FoldRun]:
        """Of a stack, as far as they were begun."""
        return self._story.runs if isinstance(self._story, _Stack) else {}

    @property
    def goal(self) -> int | None:
        """Trials or models that there will be; None where nobody knows yet."""
        return self._story.goal

    def since(self) -> dict[Any, float]:
        """What runs: trial id, or key of a fold -> ``time.monotonic()`` at which a worker took it."""
        shift = time.monotonic() - time.time()
        return {key: began + shift for key, began in self._story.began.items()}

    def begun(self) -> float:
        """``time.monotonic()`` at the beginning of the session."""
        return self.session + time.monotonic() - time.time()

    def tell(self) -> None:
        """Tell the observer what there is already; once, before ``poll``."""
        self._told = True
        self._story.tell()
        self.observer.attached(self.begun(), self.since(), self.ended_here)
        self._tell_workers()

    def poll(self) -> None:
        """Read what is new and tell it; afterwards ``stage`` says whether anything more will come."""
        if self.stage != "running":
            return
        now = time.monotonic()
        for line in self._tail.read():
            self._sign = now
            self._take(line)
            if self.stage != "running":
                return
        status = read_status(self.path)
        if status is not None and (self.status is None or status.beat != self.status.beat):
            self._sign, self.status = now, status
            self._tell_workers()
        if now - self._sign > self._silence and now - self._asked >= self._silence:
            self._asked = now
            if not is_held(self.path):
                self._die()

    def finish(self) -> None:
        """Tell the observer the end."""
        record = open_record(self.path)
        if self.info["kind"] == "search":
            self.observer.search_ended(record)
        else:
            self.observer.stack_ended(record)

    def _tell_workers(self) -> None:
        if self.status is not None:
            self.observer.workers(self.status.workers, self.status.memory, self.status.disk)

    def _die(self) -> None:
        self.stage, self.reason = "killed", "no process works on it any more"

    def _take(self, line: Mapping[str, Any]) -> None:
        event = line["event"]
        if event == "session":
            self.session, self.ended_here = float(line["time"]), 0
            self.stage, self.reason = "running", ""
            self._story.began.clear()
        elif event == "ended":
            self.stage = "interrupted" if line["status"] == "interrupted" else "finished"
            self.reason = str(line["reason"])
        else:
            self._story.take(line, self.observer if self._told else None)


class _Search:
    """The trials of a search."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.objective = Objective(**follower.info["objective"])
        self.goal: int | None = (follower.info.get("options") or {}).get("trials")
        self.trials = Trials()
        self.best: Trial | None = None
        self.began: dict[Any, float] = {}

    def tell(self) -> None:
        self._follower.observer.search_started(self._follower.info, self.goal, self.trials.all())

    def take(self, line: Mapping[str, Any], observer: Observer | None) -> None:
        trial = self.trials.take(dict(line))
        event = line["event"]
        if event == "known":
            self.goal = goal_of(self.goal, [line])
            self.best = self._best_of_all()
        if trial is None:
            return
        if event in ("started", "epoch") and trial.id not in self.began:
            self.began[trial.id] = float(line["time"])
            if observer is not None:
                observer.trial_started(trial)
        if event == "epoch" and observer is not None:
            observer.epoch(trial, line["logs"])
        if event == "told":
            self.began.pop(trial.id, None)
            self._follower.ended_here += trial.state is not State.RUNNING  # it is between two folds
            self._rank(trial)
            if observer is not None:
                observer.trial_ended(trial, self.best)

    def _rank(self, trial: Trial) -> None:
        if self.best is not None and self.best.id == trial.id:
            self.best = self._best_of_all()
        elif trial.scored and (self.best is None or trial.place(self.objective) < self.best.place(self.objective)):
            self.best = trial

    def _best_of_all(self) -> Trial | None:
        scored = (t for t in self.trials.by_id.values() if t.scored)
        return min(scored, key=lambda t: t.place(self.objective), default=None)


class _Stack:
    """The models of a stack."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        info = follower.info
        folds = int((info.get("options") or {}).get("folds") or 0)
        self.jobs: list[FoldKey] = [(m["name"], i, "fold") for m in info.get("members") or () for i in range(folds)]
        self.runs: dict[FoldKey, FoldRun] = {}
        self.began: dict[Any, float] = {}
        self._lines: dict[tuple[str, int], list[dict[str, Any]]] = {}

    @property
    def goal(self) -> int | None:
        return len(dict.fromkeys([*self.jobs, *self.runs])) or None

    def tell(self) -> None:
        observer = self._follower.observer
        observer.stack_started(self._follower.info, self.jobs)
        for key, run in self.runs.items():
            if key in self.began:
                observer.fold_started(*key)
                if run.history:
                    observer.fold_epoch(*key, run.history[-1])
            elif run.state not in ("running", "stopped"):
                observer.fold_ended(run)

    def take(self, line: Mapping[str, Any], observer: Observer | None) -> None:
        event = line["event"]
        if event not in ("fold", "fold_started", "fold_epoch", "fold_told"):
            return
        place = (str(line["member"]), int(line["fold"]))
        if event == "fold":
            self._lines[place] = []
        lines = self._lines.setdefault(place, [])
        lines.append(dict(line))
        found = fold_runs(lines)
        if not found:
            return
        run = found[0]
        key = (run.member, run.fold, run.kind)
        self.runs[key] = run
        if event in ("fold_started", "fold_epoch") and key not in self.began:
            self.began[key] = float(line["time"])
            if observer is not None:
                observer.fold_started(*key)
        if event == "fold_epoch" and observer is not None:
            observer.fold_epoch(*key, run.history[-1])
        if event == "fold_told":
            self.began.pop(key, None)
            self._follower.ended_here += 1
            if observer is not None and run.state != "stopped":
                observer.fold_ended(run)
