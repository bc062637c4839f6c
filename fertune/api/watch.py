"""``fertune watch`` and ``ft.watch``: a run seen from another process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fertune.api.describe import watcher_for
from fertune.console.search_view import within_budget
from fertune.searching import Observer
from fertune.store import open_record
from fertune.trial import State, Trial
from fertune.watching import Follower

EVERY = 1.0
"""Seconds between two looks into the journal."""
FRAME = 0.2
"""Seconds between two ticks of the console in between."""


@dataclass(frozen=True)
class Watched:
    """How a run stands.

    Attributes:
        run: Its name.
        run_kind: ``search`` or ``stack``.
        status: ``running``, ``finished``, or ``interrupted``, also where its process was killed.
        reason: Why it ended, one clause; empty while it runs.
        seconds: Wall seconds of all sessions, up to the last line of the journal.
        done, goal: Trials of a search, models of a stack; goal None where nobody knows it yet.
        failed: How many of those done failed.
        best: Of a search: ``trial``, ``value`` (optimistic) and ``objective``; else None.
        running: One dict each of what is being trained: ``trial`` or ``member``, ``fold`` and ``kind``; ``epochs``,
            ``budget``, ``seconds``.
        workers: One dict each: ``number``, ``job_id``, ``ready``, ``seconds`` (since it took the job, or became idle),
            ``memory`` (bytes), ``threads``, ``device``, ``jobs``; empty where the run's process tells nothing.
        memory: Resident bytes of all its processes; None where unknown.
        disk: Bytes of the run's folder when it was last measured; None where unknown.
        left: Seconds that the rest will take at the pace of this session; None where that cannot be said.
        resume: The command that goes on with it.
    """

    run: str
    run_kind: str
    status: str
    reason: str
    seconds: float
    done: int
    goal: int | None
    failed: int
    best: dict[str, Any] | None
    running: list[dict[str, Any]]
    workers: list[dict[str, Any]]
    memory: int | None
    disk: int | None
    left: float | None
    resume: str

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune watch RUN --json``; its schema is in ``docs/schema``."""
        return {"kind": "watch", **vars(self)}


def watch(
    run: str | Path,
    *,
    follow: bool = True,
    every: float = EVERY,
    verbose: bool = True,
    observer: Observer | None = None,
) -> Watched:
    """Watch a run that another process works on, until it ends. Nothing in its folder is changed.

    The journal is read on from where the last look ended, so a long run costs no more than a short one, and a network
    disk will do. Ctrl-C leaves; the run goes on.

    Args:
        run: The run's folder.
        follow: False takes one look.
        every: Seconds between two looks.
        verbose: Print what happens to standard output; a live table on a terminal, plain lines elsewhere.
        observer: Is told what happens instead.

    Returns:
        How it stands at the end, or at that one look.

    Raises:
        RunError: There is no run, or its journal is damaged.
    """
    if not follow:
        return stand(Follower(Path(run)))
    watcher = watcher_for(observer, verbose)
    follower = Follower(Path(run), watcher)
    try:
        follower.tell()
        while follower.stage == "running":
            until = time.monotonic() + every
            while time.monotonic() < until:
                watcher.tick()
                time.sleep(max(min(FRAME, until - time.monotonic()), 0.0))
            follower.poll()
        if follower.stage == "killed":
            watcher.warned(f"no process works on this run any more; to go on: {follower.info.get('resume', '')}")
        follower.finish()
    finally:
        if observer is None:
            watcher.close()
    return stand(follower)


def stand(follower: Follower) -> Watched:
    """How the run of a follower stands."""
    stage = "interrupted" if follower.stage == "killed" else follower.stage
    record = open_record(follower.path)
    search = follower.info["kind"] == "search"
    ended: list[Any] = (
        [t for t in follower.trials if t.state is not State.RUNNING]
        if search
        else [r for r in follower.folds.values() if r.state not in ("running", "stopped")]
    )
    status = follower.status if stage == "running" else None
    now = time.monotonic()
    workers = [
        {
            "number": w.number, "job_id": w.job_id, "ready": w.ready, "threads": w.threads, "device": w.device,
            "memory": w.memory, "jobs": w.jobs, "seconds": round(now - w.since, 1) if w.since else None,
        }
        for w in (status.workers if status else ())
    ]  # fmt: skip
    running = _running(follower, now) if stage == "running" else []
    return Watched(
        run=follower.path.resolve().name,
        run_kind=follower.info["kind"],
        status=stage,
        reason=follower.reason,
        seconds=round(record.seconds, 3),
        done=len(ended),
        goal=follower.goal,
        failed=sum(str(e.state) == "failed" for e in ended),
        best=_best(follower),
        running=running,
        workers=workers,
        memory=status.memory if status else None,
        disk=status.disk if status else None,
        left=_left(follower, len(ended), now) if stage == "running" else None,
        resume=str(follower.info.get("resume", "")),
    )


def _best(follower: Follower) -> dict[str, Any] | None:
    best = follower.best
    if best is None:
        return None
    return {"trial": best.id, "value": best.value, "objective": follower.info["objective"]["name"]}


def _running(follower: Follower, now: float) -> list[dict[str, Any]]:
    since = {key: round(now - begun, 1) for key, begun in follower.since().items()}
    trials: dict[int, Trial] = {t.id: t for t in follower.trials}
    if trials:
        return [
            {"trial": i, "epochs": trials[i].epochs, "budget": trials[i].budget, "seconds": s} for i, s in since.items()
        ]
    budgets = {m["name"]: m.get("epochs") for m in follower.info.get("members") or ()}
    return [
        {
            "member": member, "fold": fold, "kind": kind, "epochs": follower.folds[member, fold, kind].epochs,
            "budget": budgets.get(member), "seconds": s,
        }
        for (member, fold, kind), s in since.items()
    ]  # fmt: skip


def _left(follower: Follower, done: int, now: float) -> float | None:
    """As the live table reckons it."""
    elapsed = now - follower.begun()
    missing = None if follower.goal is None else follower.goal - done
    if missing == 0:
        return None
    paced = None
    if missing is not None and follower.ended_here:
        paced = elapsed / follower.ended_here * missing
    left = within_budget(paced, elapsed, follower.info)
    return None if left is None else round(max(left, 0.0), 1)
