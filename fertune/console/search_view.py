"""The live picture of a search: two lines of what runs, a bar, the table, one line of advice."""

from __future__ import annotations

import re
import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from fertune.console.crew import Crew, Task, crew_lines, pace_of, vitals_line
from fertune.console.screen import Screen
from fertune.console.text import count, duration, short_duration
from fertune.console.trials import clip, declared_names, live_order, parameter_names, ranked, trial_table
from fertune.trial import Objective, State, Trial

WIDE = 80
"""From so many columns the head takes two lines."""
LEAST_HEIGHT = 12
"""Under so many lines the advice gives its place to the table."""
CREW_LEAVES = 8
"""Of the lines beyond so many a third may be workers."""
FOOT = "search scores are optimistic · Ctrl-C keeps every finished trial"
WATCHED_FOOT = "search scores are optimistic · Ctrl-C leaves, the run goes on"


@dataclass
class SearchState:
    """What a search has said so far."""

    info: Mapping[str, Any]
    goal: int | None
    trials: dict[int, Trial] = field(default_factory=dict)
    best: Trial | None = None
    begun: float = field(default_factory=time.monotonic)
    started: dict[int, float] = field(default_factory=dict)
    ended_here: int = 0
    crew: Crew = field(default_factory=Crew)
    foot: str = FOOT
    done: int = 0

    @classmethod
    def of(cls, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> SearchState:
        state = cls(info, goal, {t.id: t for t in trials})
        state.best = next(iter(ranked(trials, state.objective)), None)
        state.done = sum(t.state is not State.RUNNING for t in trials)
        return state

    @property
    def objective(self) -> Objective:
        return Objective(**self.info["objective"])

    def take_start(self, trial: Trial) -> None:
        self._put(trial)
        self.started[trial.id] = time.monotonic()

    def take_end(self, trial: Trial, best: Trial | None) -> None:
        self._put(trial)
        self.best = best
        self.started.pop(trial.id, None)
        self.ended_here += trial.state is not State.RUNNING  # it is between two folds

    def _put(self, trial: Trial) -> None:
        old = self.trials.get(trial.id)
        self.done += (trial.state is not State.RUNNING) - (old is not None and old.state is not State.RUNNING)
        self.trials[trial.id] = trial

    def running_seconds(self) -> dict[int, float]:
        now = time.monotonic()
        return {i: now - t + self.trials[i].seconds for i, t in self.started.items()}

    def take_since(self, begun: float, since: Mapping[Any, float], ended: int) -> None:
        """It began before it was watched; see ``Observer.attached``."""
        self.begun, self.ended_here, self.foot = begun, ended, WATCHED_FOOT
        self.started = {i: t for i, t in since.items() if i in self.trials}

    def left(self) -> float | None:
        """Seconds that the rest will take at the pace of this session, at most what its time budget leaves.

        None before one trial ended where there is no budget, and at the end.
        """
        if self.goal is not None and self.done >= self.goal:
            return None
        elapsed = time.monotonic() - self.begun
        paced = None
        if self.goal is not None and self.ended_here:
            paced = elapsed / self.ended_here * (self.goal - self.done)
        return within_budget(paced, elapsed, self.info)

    def task(self, job_id: str) -> Task:
        """What the worker of a job does; its id where that names no trial."""
        found = re.match(r"trial-(\d+)\b", job_id)
        trial = self.trials.get(int(found[1])) if found else None
        if trial is None:
            return Task(job_id)
        return Task(f"trial {trial.id}", f"{trial.epochs}/{trial.budget}", pace_of(trial.history))

    def rungs(self) -> str:
        """``rungs: 9 at 3 epochs, 3 at 9``: how many ended a stretch there; empty for one rung."""
        ended = Counter(
            r.budget for t in self.trials.values() for r in t.rungs if r.value is not None and "rung" in r.tags
        )
        parts = [f"{n} at {budget}" for budget, n in sorted(ended.items())]
        return f"rungs: {', '.join([f'{parts[0]} epochs', *parts[1:]])}" if len(parts) > 1 else ""


def within_budget(paced: float | None, elapsed: float, info: Mapping[str, Any]) -> float | None:
    """Seconds left: what the pace says, or what the time budget of the session leaves where that is less."""
    budget = (info.get("options") or {}).get("time_budget")
    if budget is None:
        return paced
    rest = max(float(budget) - elapsed, 0.0)
    return rest if paced is None else min(paced, rest)


def run_path(info: Mapping[str, Any]) -> str:
    """The run's folder as its resume command names it, else its name."""
    try:
        typed = shlex.split(str(info.get("resume", "")))
    except ValueError:
        typed = []
    if "--out" in typed[:-1]:
        return typed[typed.index("--out") + 1]
    return str((info.get("options") or {}).get("out") or info.get("name", ""))


def ends(screen: Screen, left: Text, right: Text) -> Text:
    """One line with something at both ends; the left end is cut where both do not fit."""
    if not right.plain:
        return screen.cut(left, screen.width)
    right = screen.cut(right, max(screen.width // 2, screen.width - left.cell_len - 2))
    left = screen.cut(left, screen.width - right.cell_len - 2)
    gap = " " * (screen.width - left.cell_len - right.cell_len)
    return left.copy().append(gap).append_text(right)


def data_words(info: Mapping[str, Any]) -> str:
    """``fer2013: 28,709 train, 3,589 validation · test rows untouched``; less a part of them that is held out."""
    data = info.get("data") or {}
    counts = {k: sum(v) for k, v in (data.get("counts") or {}).items()}
    test = "test rows untouched" if counts.get("test") else "no test rows"
    rows = f"{counts.get('train', 0):,} train, {counts.get('validation', 0):,} validation"
    held_out = (info.get("options") or {}).get("holdout")
    rows += f", {held_out:.0%} held out" if held_out else ""
    return f"{data.get('name', 'data')}: {rows} · {test}"


def machine_words(info: Mapping[str, Any], crew: Crew) -> str:
    """``1 worker x 4 threads, CPU``; as the workers say themselves once they were heard of."""
    if crew.machine:
        return crew.machine
    workers = (info.get("options") or {}).get("workers") or 1
    if not isinstance(workers, int):
        return f"workers: {workers}"
    threads = max(int(info.get("cores") or 1) // workers, 1)
    devices = ", ".join(str(d) for d in info.get("devices") or ()) or "CPU"
    return f"{count(workers, 'worker')} x {count(threads, 'thread')}, {devices}"


def head(screen: Screen, info: Mapping[str, Any], crew: Crew, verb: str, what: Sequence[str]) -> list[Text]:
    path = screen.text(run_path(info), "cyan")
    named = screen.text(" · ".join(what))
    if screen.width < WIDE:
        return [ends(screen, named, path)]
    first = screen.text(f"fertune {verb}  ", "bold").append_text(named)
    machine = screen.text(machine_words(info, crew))
    return [ends(screen, first, path), ends(screen, screen.text(data_words(info)), machine)]


def bar(screen: Screen, done: int, goal: int | None, words: str) -> Text:
    """A bar of half the width, or less, and ``words`` behind it."""
    room = screen.width - screen.text(words).cell_len - 2
    length = min(room, screen.width // 2 if screen.width >= WIDE else round(screen.width * 0.4))
    if goal is None or length < 4:
        return screen.cut(screen.text(words), screen.width)
    full = min(round(length * done / goal), length) if goal else length
    return (
        screen.text("━" * full, "green")
        .append_text(screen.text("─" * (length - full)))
        .append("  ")
        .append_text(screen.text(words))
    )


def bar_words(screen: Screen, done: int, goal: int | None, noun: str, seconds: float, left: float | None) -> str:
    """``12/30 trials · 8 min 12 s · about 11 min left``, shorter on a narrow screen."""
    amount = f"{done}/{goal}" if goal is not None else f"{done:,}"
    if screen.width < WIDE:
        short = [amount if goal is not None else count(done, noun), short_duration(seconds)]
        if left is not None and screen.width >= 50:
            short.append(f"~{_rough(left, '')}m left" if left >= 60 else f"~{round(left)} s left")
        return " · ".join(short)
    long = [f"{amount} {noun}s" if goal is not None else count(done, noun), duration(seconds)]
    if left is not None:
        long.append(f"about {_rough(left, ' min')} left" if left >= 60 else "under a minute left")
    return " · ".join(long)


def _rough(seconds: float, unit: str) -> str:
    return f"{round(seconds / 60)}{unit}"


def search_lines(screen: Screen, state: SearchState) -> list[Text]:
    """The whole region, at most the screen's height less two."""
    objective = state.objective
    direction = "higher is better" if objective.direction == "max" else "lower is better"
    what = [
        str((state.info.get("space") or {}).get("name", "")),
        str(state.info.get("engine", "")),
        objective.name + (f", {direction}" if screen.width >= WIDE else ""),
    ]
    seconds = time.monotonic() - state.begun
    lines = head(screen, state.info, state.crew, "search", what)
    lines.append(
        bar(screen, state.done, state.goal, bar_words(screen, state.done, state.goal, "trial", seconds, state.left()))
    )
    tasks = {s.job_id: state.task(s.job_id) for s in state.crew.statuses if s.job_id is not None}
    lines += vitals_line(screen, state.crew, tasks, [state.rungs()])
    lines += crew_lines(screen, state.crew, state.task, (screen.height - CREW_LEAVES) // 3)
    foot = [screen.text(state.foot)] if screen.width >= WIDE and screen.height >= LEAST_HEIGHT else []
    rows = max(screen.height - 2 - len(lines) - len(foot) - 1, 1)
    shown = clip(live_order(list(state.trials.values()), objective), rows)
    names = parameter_names(list(state.trials.values()), declared_names(state.info))
    if shown:
        lines += trial_table(screen, shown, objective, state.best, names, state.running_seconds())
    return [*lines, *foot][: max(screen.height - 2, 1)]
