"""A run as one csv file: a row for each trial of a search, or each model of a stack."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fertune.errors import RunError
from fertune.files import replace_with
from fertune.store import SearchRecord, StackRecord

TRIAL = (
    "id", "state", "value", "epochs", "best_epoch", "budget", "seconds", "parameters", "failure", "message", "note",
    "bracket", "rung", "started", "ended",
)  # fmt: skip
FOLDS = ("folds", "spread")
"""How many folds a trial's value is the mean of, and their standard deviation."""
FOLD = (
    "member",
    "fold",
    "kind",
    "state",
    "value",
    "epochs",
    "best_epoch",
    "seconds",
    "parameters",
    "failure",
    "message",
)


def export_table(record: SearchRecord | StackRecord, path: Path) -> int:
    """Write ``path``, whole or not at all; what there is not is an empty cell, times are UTC.

    Columns of a search: ``TRIAL``, ``FOLDS`` where it was cross-validated, the values of a second objective, then the
    parameters of the space in their declared order (``param_<name>`` where that name is taken).

    Returns:
        Number of rows.

    Raises:
        RunError: The file cannot be written.
    """
    head, rows = _search(record) if isinstance(record, SearchRecord) else _stack(record)

    def write(draft: Path) -> None:
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows(rows)

    try:
        replace_with(path, write)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}", help="choose another --csv") from error
    return len(rows)


def _search(record: SearchRecord) -> tuple[list[str], list[Sequence[Any]]]:
    names = list(record.info["space"]["params"])
    second, cv = record.second_objective, bool(record.info["options"].get("cv"))
    own = [*TRIAL, *(FOLDS if cv else ()), *((second.name,) if second is not None and second.name not in TRIAL else ())]
    rows: list[Sequence[Any]] = []
    for t in record.trials:
        tags = t.rungs[-1].tags if t.rungs else {}
        row: list[Any] = [
            t.id, t.state.value, t.value, t.epochs, t.best_epoch, t.budget, round(t.seconds, 3), t.parameters,
            t.failure.kind.value if t.failure else None, t.failure.message if t.failure else None, t.note or None,
            tags.get("bracket"), tags.get("rung"), moment(t.started), moment(t.ended),
        ]  # fmt: skip
        row += [len(t.fold_values), t.spread] if cv else []
        row += [t.values.get(name) for name in own[len(row) :]]
        rows.append([*row, *(t.params.get(n) for n in names)])
    return [*own, *(f"param_{n}" if n in own else n for n in names)], rows


def _stack(record: StackRecord) -> tuple[list[str], list[Sequence[Any]]]:
    rows = [
        (
            r.member, r.fold, r.kind, r.state, r.value, r.epochs, r.best_epoch, round(r.seconds, 3), r.parameters,
            r.failure.kind.value if r.failure else None, r.failure.message if r.failure else None,
        )
        for r in record.fold_runs
    ]  # fmt: skip
    return list(FOLD), list(rows)


def moment(seconds: float | None) -> str | None:
    """``2025-03-01T12:00:00+00:00``; None where there is none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
