"""``fertune predict``: probabilities of a model for the rows of a data set, and classes of picture files."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fertune.api.bundle import load
from fertune.api.runs import SearchRun, StackRun
from fertune.bundles import PicturePredictions, TrainedModel
from fertune.config import Where
from fertune.data import SPLITS, ImageDataset, ReadOptions, open_dataset
from fertune.errors import ConfigError, DataError, RunError, did_you_mean
from fertune.execution import make_executor
from fertune.searching import Observer
from fertune.store import open_record, write_arrays
from fertune.trial import Failed, Finished, PredictJob, Rows


def predict(
    run: str | Path | SearchRun | StackRun | TrainedModel,
    data: Any = None,
    *,
    data_options: ReadOptions | Mapping[str, Any] | None = None,
    split: str = "test",
    out: str | Path = "proba.npz",
    workers: int | str = 1,
    trial: int | None = None,
    observer: Observer | None = None,
) -> Path:
    """Write probabilities of a search's best model, or of a stack's chosen ensemble, for the rows of a data set.

    For picture files: ``ft.load(run).predict(paths)``.

    Args:
        run: A run, its folder, or a bundle file.
        data: As for ``search``; by default the data the run was made on, which a bundle does not name.
        data_options: How ``data`` is read; by default as it was for the run.
        split: ``test``, ``unlabelled``, ``validation`` or ``train``.
        out: npz with ``row`` int32 (n,) and ``proba`` float32 (n, classes), classes in the run's order.
        workers: Child processes side by side, or ``auto``.
        trial: Of a search: a trial whose model was kept; by default the best.
        observer: Is told how far reading is.

    Returns:
        The path of the file.

    Raises:
        ConfigError: No such split, it has no rows, or ``workers`` is no such number.
        DataError: Pictures of another shape, or other classes, than the run was trained on.
        RunError: The run has no model.
    """
    watcher = observer or Observer()
    if split not in SPLITS:
        raise ConfigError(f"no split named {split!r}; legal: {', '.join(SPLITS)}{did_you_mean(split, SPLITS)}")
    where = Where(workers=workers)
    if faults := where.where_faults():
        raise ConfigError(faults[0])
    model = run if isinstance(run, TrainedModel) else load(run, trial=trial)
    stored = _trained_on(model)
    source = data if data is not None else stored.get("source")
    if source is None:
        raise ConfigError(
            f"{model.source} is a bundle, which holds no data",
            help=f"fertune predict {shlex.quote(str(model.source))} PICTURE...    # or --data fer2013.csv --split test",
        )
    # predicting keeps no rows together, so other data need no groups
    inherited = {k: v for k, v in (stored.get("options") or {}).items() if data is None or k != "group_column"}
    options = ReadOptions.of(data_options).over(inherited)
    dataset = open_dataset(source, options=options, say=watcher.said, progress=watcher.progress, run=stored or None)
    if dataset.image_shape != model.image_shape:
        raise DataError(
            f"{dataset.name} has pictures of shape {dataset.image_shape}; {model.name} was trained on "
            f"{model.image_shape}",
            help=_size_help(dataset.image_shape, model.image_shape),
        )
    if dataset.class_names != model.class_names:
        raise DataError(
            f"{dataset.name} has the classes {', '.join(dataset.class_names)}; {model.name} was trained on "
            f"{', '.join(model.class_names)}"
        )
    at = dataset.positions(split)
    if len(at) == 0:
        have = [s for s in SPLITS if len(dataset.positions(s))]
        raise ConfigError(f"{dataset.name} has no {split} rows; it has {', '.join(have)}")
    proba = _run(model, dataset, split, where)
    target = Path(out)
    try:
        write_arrays(target, row=dataset.row_ids[at].astype(np.int32), proba=proba.astype(np.float32))
    except OSError as error:
        raise RunError(f"cannot write {target}: {error.strerror or error}", help="choose another --out") from error
    return target


def _trained_on(model: TrainedModel) -> Mapping[str, Any]:
    """``data`` of the run's ``run.json``; empty for a bundle."""
    if model.document is not None:
        return {}
    data: Mapping[str, Any] = open_record(model.source).info["data"]
    return data


def _size_help(have: tuple[int, int, int], want: tuple[int, int, int]) -> str | None:
    if have[2] != want[2]:
        return None
    return f"--image-size {want[0]}" if want[0] == want[1] else f"--image-size {want[1]}x{want[0]}"


def _run(model: TrainedModel, data: ImageDataset, split: str, where: Where) -> np.ndarray:
    """Every model in a child; the weighted mean of each member's models; the meta-learner over these."""
    members = model.ensemble.members
    with tempfile.TemporaryDirectory() as scratch:
        jobs = [
            PredictJob(
                f"{i}-{j}",
                str(data.folder),
                data.fingerprint,
                Rows(splits=(split,)),
                str(path),
                str(Path(scratch) / f"{i}-{j}.npz"),
            )
            for i, member in enumerate(members)
            for j, path in enumerate(member.models)
        ]
        executor = make_executor(where, log_dir=Path(scratch), most=len(jobs))
        try:
            for job in jobs:
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
        for i, member in enumerate(members):
            parts = []
            for j in range(len(member.models)):
                with np.load(Path(scratch) / f"{i}-{j}.npz", allow_pickle=False) as stored:
                    parts.append(stored["proba"].astype(np.float64))
            means.append(np.average(parts, axis=0, weights=member.weights))
    combined: np.ndarray = model.ensemble.learner.predict_proba(np.stack(means, axis=1))
    return combined


def predict_pictures(
    model: str | Path | SearchRun | StackRun | TrainedModel,
    paths: Sequence[str | Path],
    *,
    trial: int | None = None,
    out: Path | None = None,
    observer: Observer | None = None,
) -> PicturePredictions:
    """Classes of picture files: ``ft.load(model).predict(paths)`` with its progress told and libraries kept quiet.

    Args:
        model: A run, its folder, a bundle file, or a loaded model.
        paths: Files, and folders with all pictures in and below them.
        trial: Of a search: a trial whose model was kept; by default the best.
        out: A csv file to write: one row a picture, those that could not be read with their error at the end.
        observer: Is told how far it is.

    Returns:
        One row a picture that could be read; the others are named in ``unreadable``.

    Raises:
        RunError: No model there, one that was refused, or ``out`` cannot be written.
        DataError: The model takes pictures that no file gives.
    """
    watcher = observer or Observer()
    trained = model if isinstance(model, TrainedModel) else load(model, trial=trial)
    found = trained.predict(
        paths, progress=lambda done, total: watcher.progress("predicting", done, total, "pictures"), quiet=True
    )
    if out is not None:
        try:
            found.write_csv(out)
        except OSError as error:
            raise RunError(f"cannot write {out}: {error.strerror or error}", help="choose another -o") from error
    return found
