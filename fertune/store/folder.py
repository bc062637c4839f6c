"""A run folder: made once, held by one process, opened again by its path."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fertune.errors import RunError, did_you_mean
from fertune.store.files import write_json
from fertune.store.journal import Journal
from fertune.store.room import writing

PROTOCOL = 2
"""Raised whenever a reader of the last number would misread a folder; older numbers stay readable."""

LEFT_OVER = ".removed-"
"""Stands in the name of a folder that is being removed."""


def runs_in(folder: Path) -> list[str]:
    """Names of the runs in a folder, sorted; none where there is no such folder."""
    return sorted(p.parent.name for p in folder.glob("[!.]*/run.json")) if folder.is_dir() else []


def near_run(path: Path) -> str:
    """``"; did you mean 'a-01'?"`` where a run beside ``path``, or in ``runs``, has a name like it; else nothing."""
    return did_you_mean(path.name, runs_in(path.parent)) or did_you_mean(
        str(path), [f"runs/{name}" for name in runs_in(Path("runs"))]
    )


def read_info(path: Path) -> dict[str, Any]:
    """``run.json`` of a run.

    Raises:
        RunError: There is no run, its ``run.json`` is damaged, or it is of a newer protocol.
    """
    try:
        info = json.loads((path / "run.json").read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        where = runs_in(path.parent)
        raise RunError(
            f"no run at {path}{near_run(path)}",
            help=f"runs there: {', '.join(where[:8])}" if where else "fertune search --space leaky_cnn   # makes one",
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}/run.json cannot be read: {error}") from None
    if not isinstance(info, dict) or info.get("kind") not in ("search", "stack"):
        raise RunError(f"{path}/run.json is not the description of a fertune run")
    if info.get("protocol", 0) > PROTOCOL:
        raise RunError(
            f"{path} is of run protocol {info['protocol']}; this fertune reads up to {PROTOCOL}",
            help="pip install --upgrade fertune",
        )
    return info


@dataclass(frozen=True)
class Head:
    """A run without its journal, which may be long.

    Attributes:
        folder: Where it lies.
        info: ``run.json``.
    """

    folder: Path
    info: dict[str, Any]


def open_head(path: Path) -> Head:
    """``run.json`` of a run; raises as ``read_info`` does."""
    return Head(path.resolve(), read_info(path))


class RunFolder:
    """One run's folder, open for writing.

    Use ``create`` or ``reopen``; both take the lock, which ends with the process.
    """

    def __init__(self, path: Path, info: dict[str, Any], lock: FileLock) -> None:
        self.path = path
        self.info = info
        self._lock = lock
        self.journal = Journal(path / "journal.jsonl")

    @staticmethod
    def _take(path: Path) -> FileLock:
        lock = FileLock(path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"another process is working on {path}",
                help=f"fertune show {path}   # looks at it while it runs",
            ) from None
        return lock

    @classmethod
    def create(cls, path: Path, info: dict[str, Any]) -> RunFolder:
        """Make a run.

        Raises:
            RunError: The folder holds a run already, or something else, or cannot be made.
        """
        if (path / "run.json").exists():
            raise RunError(f"{path} holds a run already", help="add --resume to go on with it, or choose another --out")
        if path.is_file() or (path.is_dir() and not all(_left_by_a_kill(p.name) for p in path.iterdir())):
            raise RunError(f"{path} is not an empty folder", help="choose another --out")
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = cls._take(path)
            try:
                for draft in path.glob(".part-*"):
                    draft.unlink(missing_ok=True)
                write_json(path / "run.json", {"protocol": PROTOCOL, **info})
            except OSError:
                lock.release()
                shutil.rmtree(path, ignore_errors=True)
                raise
        except OSError as error:
            raise RunError(f"cannot make {path}: {error.strerror or error}", help="choose another --out") from error
        return cls(path, read_info(path), lock)

    @classmethod
    def reopen(cls, path: Path) -> RunFolder:
        """Open a run to go on with it.

        Raises:
            RunError: There is none, another process holds it, or it cannot be written to.
        """
        info = read_info(path)
        with writing(path):
            lock = cls._take(path)
        return cls(path, info, lock)

    def update_info(self, **fields: Any) -> None:
        """Change fields of ``run.json`` (a larger trial count on resume, say)."""
        self.info = {**self.info, **fields}
        write_json(self.path / "run.json", self.info)

    def close(self) -> None:
        self.journal.close()
        self._lock.release()


def _left_by_a_kill(name: str) -> bool:
    """Whether a process that is killed while it makes a run may leave a file of this name."""
    return name == "lock" or name.startswith(".part-")


def is_held(path: Path) -> bool:
    """Whether a live process holds the run."""
    if not (path / "lock").exists():
        return False
    lock = FileLock(path / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a read-only folder: nobody can be writing it
        return False
    lock.release()
    return False


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a run, so that no process begins to work on it meanwhile.

    Raises:
        RunError: Another process holds it.
        OSError: Its folder cannot be written to.
    """
    lock = RunFolder._take(path)
    try:
        yield
    finally:
        lock.release()


def free_name(root: Path, stem: str) -> Path:
    """``root/stem-01``, or the first number that is free."""
    number = 1
    while (root / f"{stem}-{number:02d}").exists():
        number += 1
    return root / f"{stem}-{number:02d}"
