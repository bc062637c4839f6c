"""``status.json`` of a run: how its workers are, for whoever watches from outside. No line of the journal, and passing.

It is written every few seconds while a coordinator is at work and removed at its end; one that a killed coordinator
left says nothing. Nobody needs it: without it the same run is watched without its workers.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fertune.trial import WorkerStatus

NAME = "status.json"


@dataclass(frozen=True)
class Status:
    """What the file says.

    Attributes:
        beat: Rises with each writing; two readings with different beats prove a live coordinator, whatever the clocks.
        time: Seconds since 1970, by the coordinator's clock.
        workers: ``since`` by the clock of this process.
        memory, disk: See ``Observer.workers``.
    """

    beat: int
    time: float
    workers: tuple[WorkerStatus, ...]
    memory: int = 0
    disk: int | None = None


def write_status(folder: Path, beat: int, workers: Sequence[WorkerStatus], memory: int, disk: int | None) -> None:
    """Write it whole or not at all; a disk that refuses is no matter of the run's."""
    now = time.monotonic()
    document = {
        "beat": beat,
        "time": round(time.time(), 3),
        "workers": [
            {**asdict(w), "since": round(now - w.since, 3) if w.since else None} for w in workers
        ],
        "memory": memory,
        "disk": disk,
    }  # fmt: skip
    draft = folder / f".part-{NAME}"  # one name: what a kill leaves is written over
    try:
        draft.write_text(json.dumps(document) + "\n", "utf-8")  # no fsync: it is worth nothing after a power cut
        os.replace(draft, folder / NAME)
    except OSError:
        with contextlib.suppress(OSError):  # what is left of it does no harm
            draft.unlink(missing_ok=True)


def remove_status(folder: Path) -> None:
    """Take it away."""
    with contextlib.suppress(OSError):  # an old one says nothing: its beat stands still
        (folder / NAME).unlink(missing_ok=True)


def read_status(folder: Path) -> Status | None:
    """The last one; None where there is none, or none that can be understood."""
    now = time.monotonic()
    try:
        stored = json.loads((folder / NAME).read_text("utf-8"))
        known = set(WorkerStatus.__dataclass_fields__)
        workers = []
        for row in stored["workers"]:
            worker = WorkerStatus(**{k: v for k, v in row.items() if k in known and k != "since"})
            ago = row.get("since")
            workers.append(replace(worker, since=0.0 if ago is None else now - float(ago)))
        return Status(int(stored["beat"]), float(stored["time"]), tuple(workers), int(stored["memory"]), stored["disk"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
