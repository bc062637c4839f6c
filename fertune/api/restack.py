"""``fertune stack --from-oof``, ``ft.stack(from_oof=...)``: the meta stage alone, over probabilities made elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fertune.api.describe import fertune_version, machine, shown_command, typed_command
from fertune.api.runs import StackRun
from fertune.config import StackOptions
from fertune.errors import ConfigError, Interrupted, RunError
from fertune.searching import Interrupts, Observer
from fertune.stacking.outside import Outside, read_outside
from fertune.stacking.pieces import StackHalted
from fertune.store import RunFolder, open_record
from fertune.store.folder import free_name

TRAINING = ("top", "folds", "epochs", "bagging", "class_weights", "workers")
"""Options of the part that is not done here."""


def restack(
    source: str | Path | StackRun | None,
    path: Path | None,
    old: dict[str, Any] | None,
    options: StackOptions,
    given: dict[str, Any],
    *,
    observer: Observer,
    command: Sequence[str] | None,
    started: float,
) -> StackRun:
    """Stack what ``source`` holds; on resume what the run began with.

    Args:
        source: npz file, folder of a stack, or a StackRun; None on resume.
        path: The run's folder; None for ``runs/stack-<nn>``.
        old: ``run.json`` on resume.
        given: Options that were given, by name.

    Raises:
        ConfigError: Options that only training has.
        DataError: What is wrong with the probabilities.
        RunError: What the run began with is gone or changed.
        Interrupted: Ctrl-C or SIGTERM; what was tuned is kept.
    """
    idle = [f"--{name.replace('_', '-')}: nothing is trained here" for name in TRAINING if name in given]
    if idle:
        raise ConfigError(
            "these options do not go with --from-oof",
            details=idle,
            help="it takes --meta, --meta-trials, --time-budget, --seed and --out",
        )
    if source is None:
        source = (old or {})["from_oof"]["path"]
    where = source.path if isinstance(source, StackRun) else Path(source)
    outside = read_outside(where)
    if old is not None and outside.digest != old["from_oof"]["sha256"]:
        raise RunError(f"{where} has changed since this run began", help="begin another one, with another --out")
    for note in outside.notes:
        observer.warned(note)
    folder = _open(path, old, options, outside, where, command)
    try:
        return _sitting(folder, outside, options, observer, started)
    finally:
        folder.close()


def _open(
    path: Path | None,
    old: dict[str, Any] | None,
    options: StackOptions,
    outside: Outside,
    where: Path,
    command: Sequence[str] | None,
) -> RunFolder:
    if old is not None and path is not None:
        folder = RunFolder.reopen(path)
        folder.update_info(options=asdict(options))
        return folder
    target = path or free_name(Path("runs"), "stack")
    typed = list(command) if command is not None else typed_command(["fertune", "stack", "--from-oof", str(where)])
    stored = {m["name"]: m for m in (outside.info or {}).get("members", ())}
    folder = RunFolder.create(
        target,
        {
            "kind": "stack",
            "name": target.name,
            "created": round(time.time(), 3),
            "fertune": fertune_version(),
            "command": typed,
            "resume": shown_command(["fertune", "stack", "--out", str(target), "--resume"]),
            "options": asdict(options),
            "runs": list((outside.info or {}).get("runs", ())),
            "run_paths": [],
            "from_oof": {"path": str(where.resolve()), "sha256": outside.digest, "notes": list(outside.notes)},
            "members": [stored.get(name, {"name": name, "role": "single"}) for name in outside.oof.names],
            "data": _data(outside, where),
            **machine(),
        },
    )
    if outside.info is not None:
        for name in ("samples.npz", "gallery.npz"):
            if (where / name).exists():
                shutil.copyfile(where / name, target / name)
    return folder


def _data(outside: Outside, where: Path) -> dict[str, Any]:
    """The ``data`` part of ``run.json``: of the run it comes from, or what a file tells."""
    if outside.info is not None:
        return dict(outside.info["data"])
    k = len(outside.class_names)

    def counted(labels: Any) -> list[int]:
        return np.bincount(labels, minlength=k).tolist() if labels is not None else [0] * k

    return {
        "name": outside.name,
        "source": str(where),
        "options": {},
        "fingerprint": outside.digest,
        "folder": "",
        "shape": [],
        "classes": list(outside.class_names),
        "counts": {
            "train": counted(outside.oof.labels),
            "validation": [0] * k,
            "test": counted(None if outside.test is None else outside.test["labels"]),
        },
        "unlabelled": 0,
        "notes": list(outside.notes),
    }


def _sitting(
    folder: RunFolder, outside: Outside, options: StackOptions, observer: Observer, started: float
) -> StackRun:
    from fertune.stacking.restack import restack as run  # brings scikit-learn and more: only where it is needed

    folder.journal.write("session", workers=options.workers)
    try:
        with Interrupts() as interrupts:
            observer.stack_started(folder.info, [])
            run(
                folder,
                outside,
                options,
                observer=observer,
                stop_requested=lambda: interrupts.signum is not None,
                started=started,
            )
    except StackHalted:
        raise Interrupted(
            "Interrupted; every finished trial of a meta-learner is kept",
            signum=interrupts.signum or 2,
            resume=folder.info["resume"],
            run=folder.path,
        ) from None
    observer.stack_ended(open_record(folder.path))
    return StackRun(folder.path)
