"""A stored run, read-only: what the report, ``fertune show`` and Python see. Needs no model and no data set."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fertune.store.fold_trials import failure_of
from fertune.store.folder import is_held, read_info
from fertune.store.journal import read_journal
from fertune.store.trials import Trials
from fertune.trial import Failure, Objective, Trial, pareto_front

Status = Literal["running", "finished", "interrupted"]


def _arrays(folder: Path, name: str) -> dict[str, np.ndarray] | None:
    """All arrays of ``<folder>/<name>.npz``; None where it was not stored."""
    path = folder / f"{name}.npz"
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def ending(lines: list[dict[str, Any]], held: bool) -> tuple[Status, str, float]:
    """Status, why it ended, and wall seconds of all sessions together."""
    seconds = 0.0
    begun: float | None = None
    last = 0.0
    ended: dict[str, Any] | None = None
    for line in lines:
        if line["event"] == "session":
            if begun is not None:
                seconds += last - begun
            begun, ended = line["time"], None
        elif line["event"] == "ended":
            ended = line
        last = line["time"]
    if begun is not None:
        seconds += last - begun
    if ended is not None:
        status: Status = "interrupted" if ended["status"] == "interrupted" else "finished"
        return status, ended["reason"], seconds
    return ("running", "", seconds) if held else ("interrupted", "the process was killed", seconds)


@dataclass(frozen=True)
class SearchRecord:
    """A stored search.

    Attributes:
        folder: Where it lies.
        info: ``run.json``.
        trials: In the order of their ids.
        status: ``interrupted`` where no process holds an unfinished run.
        reason: Why it ended, one clause.
        seconds: Wall time of all sessions.
    """

    folder: Path
    info: dict[str, Any]
    trials: tuple[Trial, ...]
    status: Status
    reason: str
    seconds: float

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def objective(self) -> Objective:
        return Objective(**self.info["objective"])

    @property
    def second_objective(self) -> Objective | None:
        """The cost beside the objective, in a search of two."""
        stored = self.info.get("second_objective")
        return Objective(**stored) if stored else None

    @property
    def pareto(self) -> list[int] | None:
        """Ids of the trials that no other one beats in both objectives, best of the first one first; None for one."""
        second = self.second_objective
        return None if second is None else pareto_front(self.trials, self.objective, second)

    @property
    def leaderboard(self) -> list[Trial]:
        """Scored trials, best first; see ``Trial.place``."""
        objective = self.objective
        return sorted((t for t in self.trials if t.scored and t.value is not None), key=lambda t: t.place(objective))

    @property
    def best(self) -> Trial | None:
        return next(iter(self.leaderboard), None)

    @property
    def score_rows(self) -> int:
        """Rows that a trial's value is measured on; 0 where that is not recorded."""
        options = self.info.get("options") or {}
        if options.get("holdout"):
            return len((self.arrays("folds") or {}).get("fold0_stop", ()))
        counts = (self.info.get("data") or {}).get("counts") or {}
        splits = ("train", "validation") if options.get("cv") else ("validation",)
        return sum(sum(counts.get(split) or []) for split in splits)

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return _arrays(self.folder, name)

    def to_json(self) -> dict[str, Any]:
        """The document of ``--json``."""
        best = self.best
        return {
            "kind": "search",
            "run": self.name,
            "objective": self.objective.name,
            "engine": self.info["engine"],
            "direction": self.objective.direction,
            **self._two(),
            "space": self.info["space"]["name"],
            "status": self.status,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "trials": [t.to_json() for t in self.trials],
            "best": None if best is None else best.to_json(),
            "note": "search scores are optimistic: the best of many on the rows that chose it",
        }

    def _two(self) -> dict[str, Any]:
        second = self.second_objective
        if second is None:
            return {}
        return {"second_objective": {"name": second.name, "direction": second.direction}, "pareto": self.pareto}


@dataclass(frozen=True)
class FoldRun:
    """One model of a stack: a configuration trained on one fold or one bag.

    Attributes:
        member: Name of the configuration or variant, as in the comparison.
        fold: From 0.
        kind: ``fold`` or ``bag``.
        value: The objective at the best epoch, on the ``stop`` rows.
    """

    member: str
    fold: int
    kind: str
    state: str = "running"
    value: float | None = None
    epochs: int = 0
    best_epoch: int | None = None
    seconds: float = 0.0
    parameters: int | None = None
    history: tuple[dict[str, float], ...] = ()
    failure: Failure | None = None


def fold_runs(lines: list[dict[str, Any]]) -> tuple[FoldRun, ...]:
    """From a stack's journal; the last word on each (member, fold) counts."""
    runs: dict[tuple[str, int], FoldRun] = {}
    for line in lines:
        if line["event"] not in ("fold", "fold_epoch", "fold_told"):
            continue
        key = (line["member"], line["fold"])
        if line["event"] == "fold":
            runs[key] = FoldRun(line["member"], line["fold"], line["kind"])
        elif line["event"] == "fold_epoch" and key in runs:
            old = runs[key]
            row = {"epoch": line["step"], "value": line["value"], **line["logs"]}
            runs[key] = FoldRun(old.member, old.fold, old.kind, epochs=line["step"], history=(*old.history, row))
        elif key in runs:
            old = runs[key]
            runs[key] = FoldRun(
                old.member,
                old.fold,
                old.kind,
                line["outcome"],
                line.get("value"),
                line.get("epochs") or old.epochs,
                line.get("best_epoch"),
                line.get("seconds") or 0.0,
                line.get("parameters"),
                old.history,
                failure_of(line.get("failure")),
            )
    return tuple(runs.values())


@dataclass(frozen=True)
class StackRecord:
    """A stored stack; ``comparison`` and ``meta`` are None until it has come that far."""

    folder: Path
    info: dict[str, Any]
    fold_runs: tuple[FoldRun, ...]
    status: Status
    reason: str
    seconds: float
    lines: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def comparison(self) -> dict[str, Any] | None:
        return _json(self.folder / "comparison.json")

    @cached_property
    def meta(self) -> dict[str, Any] | None:
        return _json(self.folder / "meta.json")

    @property
    def note(self) -> str | None:
        """What to think of out-of-fold scores, where members were chosen on the rows that these are measured on."""
        runs = dict.fromkeys(str(m["run"]) for m in self.info["members"] if m.get("cv"))
        if not runs:
            return None
        of = ", ".join(runs)
        return f"out-of-fold scores are optimistic: members of {of} are the best of many on the rows that chose them"

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return _arrays(self.folder, name)

    def to_json(self) -> dict[str, Any]:
        """The document of ``--json``."""
        c = self.comparison
        return {
            "kind": "stack",
            "run": self.name,
            "status": self.status,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "members": [m["name"] for m in self.info["members"]],
            "comparison": c["rows"] if c else [],
            "verdict": c["verdict"]["sentence"] if c else None,
            "verdict_kind": c["verdict"]["kind"] if c else None,
            "best_single": c["best_single"] if c else None,
            "chosen": c["chosen"] if c else None,
            "left_out": c["left_out"] if c else [],
            "folds": [
                {
                    "member": f.member,
                    "fold": f.fold,
                    "kind": f.kind,
                    "state": f.state,
                    "value": f.value,
                    "epochs": f.epochs,
                    "seconds": round(f.seconds, 3),
                }
                for f in self.fold_runs
            ],
            "note": self.note,
        }


def open_record(path: str | Path) -> SearchRecord | StackRecord:
    """Read a run folder, also one that another process is writing.

    Raises:
        RunError: No run there, a damaged one, or one of a newer protocol.
    """
    folder = Path(path).resolve()
    info = read_info(Path(path))
    lines = read_journal(folder / "journal.jsonl")
    status, reason, seconds = ending(lines, is_held(folder))
    if info["kind"] == "search":
        return SearchRecord(folder, info, Trials(lines).all(), status, reason, seconds)
    return StackRecord(folder, info, fold_runs(lines), status, reason, seconds, lines)
