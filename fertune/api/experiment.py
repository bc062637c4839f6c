"""``fertune run``: a whole road from one file; started again, it goes on where it stood."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fertune.api.runs import SearchRun, StackRun
from fertune.api.search import search
from fertune.api.spaces import find_space
from fertune.api.stack import stack
from fertune.config import load_experiment
from fertune.data import ReadOptions
from fertune.searching import Observer


def run_experiment(
    path: str | Path,
    data: Any = None,
    *,
    data_options: ReadOptions | Mapping[str, Any] | None = None,
    root: str | Path = "runs",
    workers: int | None = None,
    observer: Observer | None = None,
    command: Sequence[str] | None = None,
) -> tuple[list[SearchRun], StackRun]:
    """Run every search of an experiment file, then its stack.

    Args:
        path: A file as in ``experiments/``.
        data: Wins over the file's own.
        data_options: How it is read; see ``ReadOptions``.
        root: Folder of the runs, named ``<experiment>-<search>`` and ``<experiment>-stack``. Parts that are
            finished are not run again; one that was cut off is resumed.
        workers: Wins over the file's own.
        observer, command: As in ``search``.

    Returns:
        The searches in the order of the file, and the stack over them.

    Raises:
        ConfigError: Faults of the file, all at once, before anything is run.
        FertuneError: As of ``search`` and ``stack``.
    """
    experiment = load_experiment(path)
    for given in experiment.searches.values():
        find_space(given["space"])
    source = data if data is not None else experiment.data
    common: dict[str, Any] = {"workers": workers or experiment.workers, "observer": observer, "resume": True}
    runs = []
    for name, given in experiment.searches.items():
        out = Path(root) / f"{experiment.name}-{name}"
        known = set(inspect.signature(search).parameters)
        keywords = {k: v for k, v in given.items() if k in known and not (k == "workers" and workers)}
        if (out / "run.json").exists() and SearchRun(out).record.status == "finished":
            runs.append(SearchRun(out))
            continue
        runs.append(search(data=source, data_options=data_options, out=out, command=command, **{**common, **keywords}))
    out = Path(root) / f"{experiment.name}-stack"
    if (out / "run.json").exists() and StackRun(out).record.status == "finished":
        return runs, StackRun(out)
    consent = ReadOptions.of(data_options).allow_pickle
    result = stack(runs, out=out, command=command, allow_pickle=consent, **{**common, **dict(experiment.stack)})
    return runs, result
