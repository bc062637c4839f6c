"""``fertune rm`` and ``ft.remove_runs``: whole run folders, or none of those asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fertune.errors import FertuneError, RunError
from fertune.store.folder import LEFT_OVER, holding, is_held, near_run, read_info, runs_in
from fertune.store.room import bytes_in

_WAS = ("was", "were")


@dataclass(frozen=True)
class Removal:
    """A run that may be removed.

    Attributes:
        kind: ``search`` or ``stack``; ``damaged`` where its ``run.json`` cannot be read.
        bytes: What it takes.
    """

    path: Path
    kind: str
    bytes: int


def plan_removal(paths: Sequence[str | Path], *, force: bool = False) -> list[Removal]:
    """What would be removed; nothing is touched.

    Args:
        force: Also a search that a stack beside it was made from, and a damaged run.

    Raises:
        RunError: Any of them is no run, is held by a process, or is needed by a stack; all faults at once.
    """
    if not paths:
        raise RunError("no run is named", help="fertune runs    # lists them")
    found: dict[Path, Removal] = {}
    faults: list[str] = []
    for path in map(Path, paths):
        try:
            removal = _checked(path, force)
            found.setdefault(removal.path.resolve(), removal)
        except RunError as error:
            faults.append(error.message)
    for removal in () if force else found.values():
        stacks = [name for name in _stacks_of(removal) if (removal.path.resolve().parent / name) not in found]
        if stacks:
            faults.append(f"{removal.path} is a search that {', '.join(stacks)} {_WAS[len(stacks) > 1]} made from")
    if faults:
        one = len(faults) == 1
        raise RunError(
            faults[0] if one else f"{len(faults)} of {len(paths)} runs cannot be removed; nothing was removed",
            details=() if one else faults,
            help="--force removes it all the same" if any("made from" in f or "damaged" in f for f in faults) else None,
        )
    return list(found.values())


def _checked(path: Path, force: bool) -> Removal:
    if path.is_symlink():
        raise RunError(f"{path} is a link; name the folder that it leads to")
    if not path.is_dir():
        raise RunError(f"there is no run at {path}{near_run(path)}")
    if not (path / "run.json").is_file():
        raise RunError(f"{path} is no run: it holds no run.json")
    try:
        kind = str(read_info(path)["kind"])
    except FertuneError as error:
        if not force or not (path / "journal.jsonl").is_file():
            raise RunError(f"{path} is damaged, or no run: {error.message}") from None
        kind = "damaged"
    if is_held(path):
        raise RunError(f"another process is working on {path}")
    return Removal(path, kind, bytes_in(path))


def _stacks_of(removal: Removal) -> list[str]:
    """Names of the stacks in the same folder that were made from this search."""
    if removal.kind != "search":
        return []
    root = removal.path.resolve().parent
    found = []
    for name in runs_in(root):
        try:
            info = read_info(root / name)
        except FertuneError:
            continue
        if info["kind"] == "stack" and removal.path.resolve().name in info.get("runs", ()):
            found.append(name)
    return found


def remove(removals: Sequence[Removal]) -> int:
    """Remove them, and return the bytes that this freed.

    A run is renamed first and loses its ``run.json`` next: whenever this is cut off, no half of a run is left that
    looks like one. Links inside are removed, never followed.

    Raises:
        RunError: A process has taken one meanwhile, or a folder cannot be changed.
    """
    freed = 0
    for removal in removals:
        path = removal.path.resolve()
        aside = path.with_name(f".{path.name}{LEFT_OVER}{os.getpid()}")
        try:
            with holding(path):
                path.rename(aside)
                (aside / "run.json").unlink()
                shutil.rmtree(aside)
        except OSError as error:
            raise RunError(f"{removal.path} cannot be removed: {error.strerror or error}") from error
        freed += removal.bytes
    return freed


def remove_runs(*paths: str | Path, force: bool = False) -> int:
    """Remove whole runs; the bytes that this freed. See ``plan_removal`` for what is refused."""
    return remove(plan_removal(paths, force=force))
