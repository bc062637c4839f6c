"""The live picture of a stack: one row a member, one column a fold; below it the meta-learners."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from fertune.console.crew import Crew, Task, crew_lines, pace_of, vitals_line
from fertune.console.screen import Screen
from fertune.console.search_view import CREW_LEAVES, WIDE, bar, bar_words, head, within_budget
from fertune.console.table import Column, draw, fits
from fertune.console.text import count, duration

Key = tuple[str, int, str]
NAME_CELLS = 28
"""A member keeps so much of its name, since members of one space differ at its end; folds leave before."""


@dataclass
class StackState:
    """What a stack has said so far. ``value`` of a fold is on the rows that its early stopping watched."""

    info: Mapping[str, Any]
    jobs: list[Key]
    ended: dict[Key, Any] = field(default_factory=dict)
    running: dict[Key, int] = field(default_factory=dict)
    started: dict[Key, float] = field(default_factory=dict)
    meta: list[Mapping[str, Any]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    trained_here: int = 0
    crew: Crew = field(default_factory=Crew)
    leaving: str = "keeps every finished fold"
    paces: dict[Key, float | None] = field(default_factory=dict)

    def take_start(self, key: Key) -> None:
        self.running[key] = 0
        self.started[key] = time.monotonic()

    def take_epoch(self, key: Key, logs: Mapping[str, float]) -> None:
        self.running[key] = int(logs.get("epoch", self.running.get(key, 0) + 1))
        self.paces[key] = pace_of([logs])

    def take_since(self, begun: float, since: Mapping[Any, float], ended: int) -> None:
        """It began before it was watched; see ``Observer.attached``."""
        self.begun, self.trained_here, self.leaving = begun, ended, "leaves, the run goes on"
        self.started.update(since)
        self.running = {key: self.running.get(key, 0) for key in since}

    def task(self, job_id: str) -> Task:
        """What the worker of a job does; its id where that names no model of this stack."""
        for key, epochs in self.running.items():
            member, number, kind = key
            if job_id == f"{slug(member)}/{kind}-{number}":
                budget = self.epochs_of(member)
                return Task(
                    f"{member}, {kind} {number}", f"{epochs}/{budget}" if budget else f"{epochs}", self.paces.get(key)
                )
        return Task(job_id)

    def take_end(self, run: Any) -> None:
        key = (run.member, run.fold, run.kind)
        self.ended[key] = run
        self.trained_here += key in self.running
        self.running.pop(key, None)
        self.started.pop(key, None)

    def left(self) -> float | None:
        """Seconds for the folds that are left, at the pace of this session, or what its time budget leaves."""
        missing = len([k for k in self.models() if k not in self.ended])
        if not missing:
            return None
        elapsed = time.monotonic() - self.begun
        paced = elapsed / self.trained_here * missing if self.trained_here else None
        return within_budget(paced, elapsed, self.info)

    def epochs_of(self, member: str) -> int | None:
        """Epochs that each model of a member gets; None where ``run.json`` does not say."""
        stored = (m for m in self.info.get("members") or () if m.get("name") == member)
        epochs = next((m.get("epochs") for m in stored), None)
        return None if epochs is None else int(epochs)

    def models(self) -> list[Key]:
        """All that is planned or was met: variants of the best single model are known only once it is."""
        return list(dict.fromkeys([*self.jobs, *self.running, *self.ended]))

    def members(self) -> list[tuple[str, str]]:
        """(member, kind), in the order in which they come."""
        return list(dict.fromkeys((m, kind) for m, _, kind in self.models()))


def slug(member: str) -> str:
    """A member's name as it stands in the id of its jobs."""
    return re.sub(r"[^a-z0-9]+", "-", member.lower()).strip("-")


def fold_cell(screen: Screen, state: StackState, key: Key) -> Text:
    """``0.631`` where done, ``▶ 6/9`` where it runs, ``·`` where it waits, ``failed``."""
    if key in state.ended:
        run = state.ended[key]
        if str(run.state) == "failed":
            return screen.text("failed", "red")
        return screen.text("-" if run.value is None or not math.isfinite(run.value) else f"{run.value:.3f}")
    if key in state.running:
        budget = state.epochs_of(key[0])
        return screen.text(f"▶ {state.running[key]}" + (f"/{budget}" if budget else ""))
    return screen.text("·")


def stack_lines(screen: Screen, state: StackState) -> list[Text]:
    """The whole region, at most the screen's height less two."""
    members = state.members()
    info = state.info
    models = state.models()
    what = [count(len(info.get("members") or ()), "member"), count(len(models), "model") + " to train"]
    lines = head(screen, info, state.crew, "stack", what)
    done = len(state.ended)
    lines.append(
        bar(
            screen,
            done,
            len(models),
            bar_words(screen, done, len(models), "model", time.monotonic() - state.begun, state.left()),
        )
    )
    tasks = {s.job_id: state.task(s.job_id) for s in state.crew.statuses if s.job_id is not None}
    lines += vitals_line(screen, state.crew, tasks)
    lines += crew_lines(screen, state.crew, state.task, (screen.height - CREW_LEAVES) // 3)
    below = [_meta_line(screen, entry) for entry in state.meta]
    foot = [screen.text(f"fold values are on rows that stopped the training · Ctrl-C {state.leaving}")]
    below += foot if screen.width >= WIDE else []
    rows = max(screen.height - 2 - len(lines) - len(below) - 1, 1)
    first = next((i for i, m in enumerate(members) if any((k[0], k[2]) == m for k in state.running)), 0)
    start = max(0, min(first, len(members) - rows))
    shown = members[start : start + rows]
    if shown:
        lines += fold_table(screen, state, shown)
    return [*lines, *below][: max(screen.height - 2, 1)]


def fold_table(screen: Screen, state: StackState, shown: Sequence[tuple[str, str]]) -> list[Text]:
    """A row for each (member, kind); folds become one count where they do not fit."""
    keys = {m: [k for k in state.models() if (k[0], k[2]) == m] for m in shown}
    name = Column("member", [screen.text(m) for m, _ in shown], "left", least=NAME_CELLS)
    width = max(len(k) for k in keys.values())
    cells = {m: [fold_cell(screen, state, k) for k in sorted(ks, key=lambda k: k[1])] for m, ks in keys.items()}
    folds = [
        Column(
            f" fold {i}" if i == 0 else f"{i:>5}",
            [cells[m][i] if i < len(cells[m]) else screen.text("") for m in shown],
        )
        for i in range(width)
    ]
    mean = Column(" mean", [_mean(screen, state, keys[m]) for m in shown])
    done = Column("done", [screen.text(f"{sum(k in state.ended for k in keys[m])}/{len(keys[m])}") for m in shown])
    now = Column("now", [_now(screen, state, keys[m]) for m in shown], "left")
    counted = [name, done, now] if any(c.plain for c in now.cells) else [name, done]
    for columns in ([name, *folds, mean], [name, *folds], [*counted, mean], counted):
        if fits(screen, columns):
            return draw(screen, columns)
    return draw(screen, [name, done])


def _now(screen: Screen, state: StackState, keys: Sequence[Key]) -> Text:
    """The fold that runs, where folds have no columns of their own."""
    running = [k for k in keys if k in state.running]
    return fold_cell(screen, state, running[0]) if running else screen.text("")


def _mean(screen: Screen, state: StackState, keys: Sequence[Key]) -> Text:
    values = [state.ended[k].value for k in keys if k in state.ended and state.ended[k].value is not None]
    return screen.text(f"{sum(values) / len(values):.3f}" if values and len(values) == len(keys) else "")


def _meta_line(screen: Screen, entry: Mapping[str, Any]) -> Text:
    parts = [f"meta {entry.get('name', '')}"]
    narrow = screen.width < WIDE
    if narrow and entry.get("oof_accuracy") is not None:
        parts.append(f"{entry['oof_accuracy']:.4f} out-of-fold")
    if entry.get("trials"):
        parts.append(count(int(entry["trials"]), "trial"))
    if not narrow and entry.get("oof_accuracy") is not None:
        parts.append(f"out-of-fold accuracy {entry['oof_accuracy']:.4f}")
    if entry.get("seconds") is not None:
        parts.append(duration(float(entry["seconds"])))
    return screen.cut(screen.text("  ".join(parts)), screen.width)
