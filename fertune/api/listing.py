"""``fertune runs`` and ``ft.list_runs``: what lies in a folder of runs, read no deeper than its table needs."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fertune.errors import FertuneError, RunError, did_you_mean
from fertune.store.folder import LEFT_OVER, is_held, read_info
from fertune.store.known_trials import goal_of
from fertune.store.records import ending
from fertune.store.room import bytes_in
from fertune.store.trials import Trials
from fertune.trial import Objective

if TYPE_CHECKING:
    import pandas as pd

EPOCH_LINES = (b'{"event": "epoch"', b'{"event": "fold_epoch"')
"""Most of a journal's bytes; nothing in the table comes from them."""


@dataclass(frozen=True)
class Listed:
    """One run of the table.

    Attributes:
        run: Name of its folder.
        kind: ``search`` or ``stack``.
        state: ``finished``, ``running``, or ``interrupted`` where no process holds an unfinished run.
        trials: Trials that ended; None for a stack.
        goal: Trials asked for; None where the engine decides, and for a stack.
        value: Best search score, optimistic; None while there is none, and for a stack.
        objective: Of ``value``; None for a stack.
        verdict: ``helped``, ``hurt``, ``none`` or ``no_test``; None for a search, and before there is one.
        difference: Of the chosen stack to the best single model, fraction, with its 95 % interval beside it.
        space: Name of the space; None for a stack.
        members: Of a stack; None for a search.
        data: Name of the data.
        created: Seconds since 1970.
        updated: When it was last written to, seconds since 1970.
        seconds: Wall time of all sessions.
        bytes: Of all its files.
    """

    run: str
    path: str
    kind: str
    state: str
    trials: int | None
    goal: int | None
    value: float | None
    objective: str | None
    verdict: str | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    space: str | None
    members: int | None
    data: str
    created: float
    updated: float
    seconds: float
    bytes: int


@dataclass(frozen=True)
class Runs:
    """The runs of a folder, the one written to last first.

    Attributes:
        broken: (name, why) of folders that are no readable runs.
    """

    folder: Path
    runs: tuple[Listed, ...]
    broken: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune runs --json``; its schema is ``docs/schema/runs.json``."""
        return {
            "kind": "runs",
            "folder": str(self.folder),
            "runs": [asdict(run) for run in self.runs],
            "broken": [{"name": name, "reason": reason} for name, reason in self.broken],
        }

    def frame(self) -> pd.DataFrame:
        """One row a run; the columns are those of ``Listed``."""
        import pandas as pd

        return pd.DataFrame([asdict(run) for run in self.runs], columns=list(Listed.__dataclass_fields__))


def list_runs(folder: str | Path = "runs") -> Runs:
    """What lies in a folder of runs.

    Raises:
        RunError: There is no such folder, or it cannot be read.
    """
    root = Path(folder)
    try:
        entries = sorted((e for e in os.scandir(root) if e.is_dir()), key=lambda e: e.name)
    except FileNotFoundError:
        near = [str(p) for p in root.parent.glob("*") if p.is_dir()] if root.parent.is_dir() else []
        raise RunError(
            f"there is no folder {root}{did_you_mean(str(root), near)}",
            help="fertune search --space leaky_cnn   # makes runs/leaky_cnn-01",
        ) from None
    except OSError as error:
        raise RunError(f"{root} cannot be read: {error.strerror}") from None
    runs: list[Listed] = []
    broken: list[tuple[str, str]] = []
    for entry in entries:
        if entry.name.startswith("."):
            if LEFT_OVER in entry.name:
                broken.append((entry.name, "left over from a removal that was cut off; nothing needs it"))
            continue
        try:
            runs.append(_listed(Path(entry.path)))
        except FertuneError as error:
            why = error.message.replace(f"{entry.path}/", "").replace(f"{entry.path} ", "")
            whole = (Path(entry.path) / "run.json").exists()
            broken.append((entry.name, why if whole else "holds no run.json: no run, or half of one"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            broken.append((entry.name, f"cannot be read: {type(error).__name__}: {error}"))
    return Runs(root, tuple(sorted(runs, key=lambda r: (-r.updated, r.run))), tuple(broken))


def _listed(path: Path) -> Listed:
    info = read_info(path)
    journal = path / "journal.jsonl"
    lines, last = _outline(journal)
    held = is_held(path)
    state, _, seconds = ending([*lines, *last], held)
    created = float(info.get("created") or 0.0)
    updated = journal.stat().st_mtime if journal.exists() else (path / "run.json").stat().st_mtime
    search = info["kind"] == "search"
    value, ended = _best(info, lines) if search else (None, None)
    comparison = None if search else _comparison(path)
    chosen = _chosen(comparison)
    return Listed(
        run=path.name,
        path=str(path),
        kind=info["kind"],
        state=state,
        trials=ended,
        goal=goal_of(info["options"].get("trials"), lines) if search else None,
        value=value,
        objective=info["objective"]["name"] if search else None,
        verdict=comparison["verdict"]["kind"] if comparison else None,
        difference=chosen.get("difference"),
        difference_low=chosen.get("difference_low"),
        difference_high=chosen.get("difference_high"),
        space=info["space"]["name"] if search else None,
        members=None if search else len(info["members"]),
        data=str(info["data"]["name"]),
        created=created,
        updated=time.time() if state == "running" else updated,
        seconds=round(seconds, 3),
        bytes=bytes_in(path),
    )


def _outline(journal: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All lines but those of epochs, and the last line where it is one.

    Raises:
        RunError: A line before the last is damaged.
    """
    data = journal.read_bytes() if journal.exists() else b""
    raw = data.split(b"\n")[:-1]  # what a kill cut short has no end of line
    lines: list[dict[str, Any]] = []
    for number, text in enumerate(raw, start=1):
        if text.startswith(EPOCH_LINES):
            continue
        try:
            line = json.loads(text)
            line["event"]
        except (ValueError, KeyError, TypeError):
            if number == len(raw):
                break
            raise RunError(f"{journal.name} is damaged at line {number}") from None
        lines.append(line)
    try:
        last = [json.loads(raw[-1])] if raw and raw[-1].startswith(EPOCH_LINES) else []
    except ValueError:
        last = []
    return lines, last


def _best(info: dict[str, Any], lines: list[dict[str, Any]]) -> tuple[float | None, int]:
    """Best value, and how many trials ended."""
    unequal = any(line["event"] == "known" or "share" in line or "side" in line for line in lines)
    if info["options"].get("cv") or unequal:
        trials = Trials(lines).all()
        objective = Objective(**info["objective"])
        best = min((t for t in trials if t.scored), key=lambda t: t.place(objective), default=None)
        return None if best is None else best.value, sum(t.ended is not None for t in trials)
    values: dict[int, float] = {}
    ended: dict[int, str] = {}
    for line in lines:
        if line["event"] != "told":
            continue
        ended[line["trial"]] = line["outcome"]
        if line.get("value") is not None and line["outcome"] != "failed":
            values[line["trial"]] = line["value"]
    key = Objective(**info["objective"]).sort_key
    scored = [v for t, v in values.items() if ended[t] in ("completed", "pruned", "stopped")]
    return min(scored, key=key, default=None), sum(outcome != "stopped" for outcome in ended.values())


def _comparison(path: Path) -> dict[str, Any] | None:
    file = path / "comparison.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else None


def _chosen(comparison: dict[str, Any] | None) -> dict[str, Any]:
    rows = comparison["rows"] if comparison else []
    return next((row for row in rows if comparison and row["name"] == comparison["chosen"]), {})
