"""``fertune doctor`` and ``ft.doctor``: whether this machine can train, and how it does it best."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from fertune.checkup import Facts, Finding, Measured, ask_backend, findings, gather
from fertune.checkup import measure as measure_splits
from fertune.checkup.facts import to_json
from fertune.checkup.measure import BUSY, busy
from fertune.execution.make import automatic_workers
from fertune.execution.split import Split, remember, remembered
from fertune.searching import Observer


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Attributes:
        usable: Whether training can work.
        facts: Versions, cores, memory, disks, GPUs.
        backend: What the backend said of itself in a child process: ``works``, ``backend``, ``devices``, ``bfloat16``,
            ``seconds``; or ``error``.
        findings: What is wrong or could be better, and what to type.
        measured: Images a second of each split that was tried just now; empty where nothing was measured.
        split: What was measured here and remembered; None where nothing was.
        auto: What ``--workers auto`` means now; 0 threads: the cores are shared out.
    """

    usable: bool
    facts: Facts
    backend: dict[str, Any]
    findings: tuple[Finding, ...]
    measured: tuple[Measured, ...]
    split: Split | None
    auto: Split

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune doctor --json``; its schema is in ``docs/schema``."""
        return {
            "kind": "doctor",
            "usable": self.usable,
            **to_json(self.facts),
            "backend": {"asked": self.facts.backend, **self.backend},
            "findings": [asdict(f) for f in self.findings],
            "measured": [asdict(m) for m in self.measured],
            "split": None if self.split is None else asdict(self.split),
            "auto": {"workers": self.auto.workers, "threads": self.auto.threads},
        }

    def __repr__(self) -> str:
        from fertune.console.doctor import checkup_text

        return checkup_text(self.to_json())


def doctor(*, measure: bool | None = None, observer: Observer | None = None) -> Checkup:
    """Look at this machine: versions, backend, devices, cores, memory, disks, and the best split into workers.

    The backend is asked in a child process. What was measured is remembered, and ``--workers auto`` goes by it.

    Args:
        measure: Measure how many workers do most: about 15 s for each split that is tried. By default only where
            nothing is remembered of this machine, it has no GPU in use, and it is quiet.
        observer: Is told how far it has come.

    Returns:
        What was found; its ``findings`` say what to type.
    """
    told = observer or Observer()
    told.progress("asking the backend", 0)
    facts, probe = gather(), ask_backend()
    told.progress("asking the backend", 1, 1)
    found = findings(facts, probe, os.environ)
    usable = not any(f.level == "problem" for f in found)
    on_gpu = any(not d.lower().startswith("cpu") for d in probe.get("devices") or ())
    gpus = facts.gpus if on_gpu else ()
    known = remembered(gpus)
    wanted = measure if measure is not None else known is None and not on_gpu
    measured: tuple[Measured, ...] = ()
    if usable and wanted and on_gpu:
        found.append(Finding("warning", "splits are measured on the processor only; GPUs take one worker each", ""))
    elif usable and wanted:
        load = busy()
        if load > BUSY and measure is None:
            text = f"{load:.0%} of the cores are at work for others: the best split was not measured"
            found.append(Finding("warning", text, "fertune doctor --measure    # when it is quiet"))
        else:
            known, measured = _measured(told, known, found)
    return Checkup(usable, facts, probe, tuple(found), measured, known, automatic_workers(gpus))


def _measured(told: Observer, known: Split | None, found: list[Finding]) -> tuple[Split | None, tuple[Measured, ...]]:
    """Measure, and remember the best; what went wrong is a finding."""
    measured = tuple(measure_splits(progress=lambda what, done, total: told.progress(what, done, total, "splits")))
    for one in (m for m in measured if m.problem):
        found.append(Finding("warning", f"{one.workers} x {one.threads} could not be measured: {one.problem}", ""))
    good = [m for m in measured if m.images_a_second > 0]
    if not good:
        return known, measured
    best = max(good, key=lambda m: m.images_a_second)
    split = Split(best.workers, best.threads, round(best.images_a_second, 1), time.strftime("%Y-%m-%d %H:%M"))
    try:
        remember(split, ())
    except OSError as error:
        found.append(
            Finding(
                "warning",
                f"the measured split cannot be kept: {error.strerror or error}",
                "export FERTUNE_CONFIG=/a/folder/that/can/be/written",
            )
        )
        return replace(split, measured=""), measured
    return split, measured
