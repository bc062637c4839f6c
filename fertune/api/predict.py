"""``fertune predict``: probabilities of a run's model for the rows of a data set."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fertune.api.runs import SearchRun, StackRun, open_run
from fertune.data import SPLITS, ImageDataset, ReadOptions, open_dataset
from fertune.errors import ConfigError, DataError, RunError, did_you_mean
from fertune.execution import ProcessExecutor
from fertune.searching import Observer
from fertune.store import write_arrays
from fertune.trial import Failed, Finished, PredictJob, Rows


def predict(
    run: str | Path | SearchRun | StackRun,
    data: str | Path | ImageDataset | None = None,
    *,
    data_options: ReadOptions | Mapping[str, Any] | None = None,
    split: str = "test",
    out: str | Path = "proba.npz",
    workers: int = 1,
    observer: Observer | None = None,
) -> Path:
    """Write probabilities of a search's best model, or of a stack's chosen ensemble.

    Args:
        run: A run, or its folder.
        data: As for ``search``; by default the data the run was made on.
        data_options: How ``data`` is read; by default as it was for the run.
        split: ``test``, ``unlabelled``, ``validation`` or ``train``.
        out: npz with ``row`` int32 (n,) and ``proba`` float32 (n, classes), classes in the run's order.
        workers: Child processes side by side.

    Returns:
        The path of the file.

    Raises:
        ConfigError: No such split, or it has no rows.
        DataError: Pictures of another shape, or other classes, than the run was trained on.
        RunError: The run has no model.
    """
    watcher = observer or Observer()
    opened = open_run(run) if isinstance(run, (str, Path)) else run
    info = opened.record.info
    if split not in SPLITS:
        raise ConfigError(f"no split named {split!r}; legal: {', '.join(SPLITS)}{did_you_mean(split, SPLITS)}")
    models = _models(opened)
    source = data if data is not None else info["data"]["source"]
    dataset = open_dataset(source, options=data_options or info["data"].get("options"), say=watcher.said)
    if list(dataset.image_shape) != info["data"]["shape"]:
        raise DataError(
            f"{dataset.name} has pictures of shape {tuple(dataset.image_shape)}; "
            f"{opened.path.name} was trained on {tuple(info['data']['shape'])}"
        )
    if list(dataset.class_names) != info["data"]["classes"]:
        raise DataError(
            f"{dataset.name} has the classes {', '.join(dataset.class_names)}; {opened.path.name} was trained "
            f"on {', '.join(info['data']['classes'])}"
        )
    at = dataset.positions(split)
    if len(at) == 0:
        have = [s for s in SPLITS if len(dataset.positions(s))]
        raise ConfigError(f"{dataset.name} has no {split} rows; it has {', '.join(have)}")
    proba = _run(opened, models, dataset, split, workers)
    target = Path(out)
    try:
        write_arrays(target, row=dataset.row_ids[at].astype(np.int32), proba=proba.astype(np.float32))
    except OSError as error:
        raise RunError(f"cannot write {target}: {error.strerror or error}", help="choose another --out") from error
    return target


def _models(run: SearchRun | StackRun) -> list[list[Path]]:
    """The files of each member's models."""
    if isinstance(run, StackRun):
        return [list(member.models) for member in run.load().members]
    best = run.best
    path = run.path / "trials" / str(best.id if best else None) / "model.keras"
    if not path.exists():
        raise RunError(f"{run.path} has no model yet", help=f"fertune search --out {run.path} --resume")
    return [[path]]


def _run(
    run: SearchRun | StackRun, models: list[list[Path]], data: ImageDataset, split: str, workers: int
) -> np.ndarray:
    """Every model in a child; the mean of each member's models; the meta-learner where there is one."""
    with tempfile.TemporaryDirectory() as scratch:
        jobs = {}
        for i, member in enumerate(models):
            for j, model in enumerate(member):
                jobs[(i, j)] = PredictJob(
                    f"{i}-{j}",
                    str(data.folder),
                    data.fingerprint,
                    Rows(splits=(split,)),
                    str(model),
                    str(Path(scratch) / f"{i}-{j}.npz"),
                )
        executor = ProcessExecutor(workers=min(workers, len(jobs)), log_dir=Path(scratch))
        try:
            for job in jobs.values():
                executor.submit(job)
            left = len(jobs)
            while left:
                for event in executor.events(0.2):
                    if isinstance(event, Failed):
                        raise RunError(f"the model cannot predict: {event.failure.message}")
                    left -= isinstance(event, Finished)
        finally:
            executor.close()
        means = []
        for i, member in enumerate(models):
            parts = []
            for j in range(len(member)):
                with np.load(Path(scratch) / f"{i}-{j}.npz", allow_pickle=False) as stored:
                    parts.append(stored["proba"].astype(np.float64))
            means.append(np.mean(parts, axis=0))
    if isinstance(run, StackRun):
        combined: np.ndarray = run.load().learner.predict_proba(np.stack(means, axis=1))
        return combined
    single: np.ndarray = means[0]
    return single
