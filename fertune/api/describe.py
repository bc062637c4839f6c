"""What ``run.json`` says of data, machine and command; enough to draw the report without any of them."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fertune.data import ImageDataset, audit
from fertune.data.samples import class_samples, split_samples
from fertune.searching import Observer
from fertune.store import write_arrays


def fertune_version() -> str:
    try:
        return importlib.metadata.version("fertune")
    except importlib.metadata.PackageNotFoundError:
        return "0+checkout"


def typed_command(default: list[str]) -> list[str]:
    """The command as typed where fertune is the program; else the command that would do the same."""
    program = Path(sys.argv[0]).name if sys.argv else ""
    if program in ("fertune", "fertune.exe") or program == "__main__.py" and "fertune" in sys.argv[0]:
        return ["fertune", *sys.argv[1:]]
    return default


def shown_command(words: list[str]) -> str:
    return shlex.join(words)


def watcher_for(observer: Observer | None, verbose: bool) -> Observer:
    """The given observer; else what fits standard output (live on a terminal, plain lines elsewhere), or silence."""
    if observer is not None or not verbose:
        return observer or Observer()
    from fertune.console import choose_console

    return choose_console(json=False, quiet=False, stdout=sys.stdout, stderr=sys.stderr)


def starting_words() -> str:
    """Why nothing is seen while the first worker starts."""
    from fertune.execution.machine import backend

    name = {"jax": "JAX", "torch": "PyTorch"}.get(backend(), "TensorFlow")
    return f"starting a worker: importing {name} takes 3 to 5 s"


def machine() -> dict[str, Any]:
    from fertune.execution.machine import backend, cores, system, versions

    return {"versions": versions(), "backend": backend(), "cores": cores(), "system": system()}


def describe_data(data: ImageDataset) -> dict[str, Any]:
    """The ``data`` part of ``run.json``."""
    twins = asdict(audit(data))
    counts = data.counts()
    return {
        "name": data.name,
        "source": data.source,
        "options": dict(data.options),
        "fingerprint": data.fingerprint,
        "folder": str(data.folder),
        "shape": list(data.image_shape),
        "classes": list(data.class_names),
        "counts": {s: [int(c) for c in counts[s]] for s in ("train", "validation", "test")},
        "unlabelled": len(data.positions("unlabelled")),
        "notes": list(data.notes),
        "flat": twins.pop("flat"),
        "twins": twins,
    }


def keep_samples(data: ImageDataset, folder: Path, *, seed: int = 0) -> None:
    """``samples.npz``: up to 8 training pictures of each class, drawn by seed."""
    write_arrays(folder / "samples.npz", **class_samples(data, seed=seed))


def keep_gallery(data: ImageDataset, folder: Path, split: str, *, seed: int = 0) -> None:
    """``gallery.npz``: 25 pictures of a split, drawn by seed."""
    write_arrays(folder / "gallery.npz", **split_samples(data, split, seed=seed))
