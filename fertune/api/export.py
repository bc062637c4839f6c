"""``fertune export`` and ``ft.export_...``: a run in the formats of others, from its journal alone."""

from __future__ import annotations

from pathlib import Path

from fertune.exports import export_study, export_table
from fertune.exports.optuna import require_search
from fertune.searching import Observer
from fertune.store import SearchRecord, open_record
from fertune.watching import Curves, check_tensorboard


def export_optuna(
    run: str | Path,
    storage: str,
    *,
    study: str | None = None,
    overwrite: bool = False,
    observer: Observer | None = None,
) -> str:
    """Write a search into an Optuna storage, for optuna-dashboard and Optuna's own plots.

    All trials are there, with their distributions, states, the value of each epoch, and epochs, seconds, parameters and
    failures as user attributes; conditional parameters only where they were active. A search that still runs is
    written as it stands.

    Args:
        run: The run's folder.
        storage: A URL as Optuna takes it, such as ``sqlite:///study.db``.
        study: Name of the study; by default the run's.
        overwrite: Take the place of a study of that name.
        observer: Is told how far it has come.

    Returns:
        Name of the study.

    Raises:
        ConfigError: There is a study of that name already, or the storage cannot be opened.
        RunError: There is no such run, or it is a stack.
        MissingPackage: The driver of that database is not installed.
    """
    told = observer or Observer()
    return export_study(
        require_search(open_record(run)), storage, study=study, overwrite=overwrite, progress=told.progress
    )


def export_csv(run: str | Path, path: str | Path) -> Path:
    """Write a csv file with a row for each trial of a search, or each model of a stack.

    Args:
        run: The run's folder.
        path: Of the file; one that is there is written anew.

    Returns:
        ``path``.

    Raises:
        RunError: There is no such run, or the file cannot be written.
    """
    export_table(open_record(run), Path(path))
    return Path(path)


def export_curves(run: str | Path, log_dir: str | Path) -> Path:
    """Write the curves of a run for TensorBoard, as ``--log-dir`` does while it goes on.

    Epochs that stand there already are not written twice.

    Args:
        run: The run's folder.
        log_dir: Folder that TensorBoard is given.

    Returns:
        The run's folder in it.

    Raises:
        RunError: There is no such run.
        ConfigError: The folder cannot be made.
        MissingPackage: ``tensorboard`` is not installed.
    """
    record = open_record(run)
    check_tensorboard(log_dir)
    folder = Path(log_dir) / record.name
    curves = Curves(folder)
    if isinstance(record, SearchRecord):
        curves.search_started(record.info, None, ())
        for trial in record.trials:
            curves.trial_ended(trial, None)
    else:
        curves.stack_started(record.info, ())
        for fold_run in record.fold_runs:
            curves.fold_ended(fold_run)
    curves.close()
    return folder
