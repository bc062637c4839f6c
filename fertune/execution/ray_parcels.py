"""What a job needs and leaves behind on a machine that does not see the coordinator's folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import methodcaller
from pathlib import Path, PurePosixPath

from fertune.files import write_binary
from fertune.trial import Job, PredictJob, Rows, TrainJob

HERE = "{here}"
"""Begins a path that is below a folder which the worker chooses."""

Files = dict[str, bytes]
"""Path with slashes, below that folder or below ``out`` -> content."""

Change = Callable[[str, str], str]
"""(role, path) -> path; roles are ``rows`` and ``model`` (files), ``resume`` and ``out`` (folders; of a PredictJob
``out`` is a file)."""


def with_paths(job: Job, change: Change) -> Job:
    """The job with each of its paths, except that of its data, changed."""

    def rows(given: Rows) -> Rows:
        return given if given.file is None else replace(given, file=change("rows", given.file))

    if isinstance(job, TrainJob):
        return replace(
            job, fit=rows(job.fit), stop=rows(job.stop), predict={n: rows(r) for n, r in job.predict.items()},
            resume=None if job.resume is None else change("resume", job.resume), out=change("out", job.out),
        )  # fmt: skip
    if isinstance(job, PredictJob):
        return replace(job, rows=rows(job.rows), model=change("model", job.model), out=change("out", job.out))
    return job


def pack(job: Job, apart: Callable[[str], bool]) -> tuple[Job, Files]:
    """A job that can be done elsewhere, and the files that go with it.

    Args:
        apart: Whether the worker cannot see a path.

    Returns:
        The job, the paths that do not travel replaced by such below ``HERE``; and what has to lie there.

    Raises:
        OSError: A file cannot be read.
    """
    files: Files = {}
    known: dict[str, str] = {}

    def change(role: str, path: str) -> str:
        if not apart(path):
            return path
        if role == "out":
            return f"{HERE}/out/{Path(path).name}" if isinstance(job, PredictJob) else f"{HERE}/out"
        if path not in known:
            known[path] = f"in/{len(known)}-{Path(path).name}"
            if role == "resume":
                files.update({f"{known[path]}/{name}": content for name, content in _state(Path(path)).items()})
            else:
                files[known[path]] = Path(path).read_bytes()
        return f"{HERE}/{known[path]}"

    return with_paths(job, change), files


def unpack(job: Job, files: Mapping[str, bytes], folder: Path) -> Job:
    """The job as it can be done here, its files written below ``folder``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return with_paths(job, lambda role, path: path.replace(HERE, str(folder), 1) if path.startswith(HERE) else path)


def collect(folder: Path) -> Files:
    """All that was left in ``folder / "out"``; nothing where the job wrote elsewhere."""
    out = folder / "out"
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def deliver(job: Job, files: Mapping[str, bytes]) -> None:
    """Write what a job left elsewhere to where it wants its output, each file whole or not at all.

    Raises:
        ValueError: A name that leads out of the folder.
    """
    out = Path(getattr(job, "out", ""))
    base = out.parent if isinstance(job, PredictJob) else out
    for name, content in files.items():
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError(f"a worker sent a file named {name!r}")
        write_binary(base.joinpath(*parts.parts), methodcaller("write", content))


def _state(folder: Path) -> Files:
    """What a training goes on from: the folder ``state``, or the folder itself where it is one."""
    inner = folder / "state"
    base = inner if inner.is_dir() else folder
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(base.rglob("*"))
        if p.is_file() and not p.name.startswith(".")
    }
