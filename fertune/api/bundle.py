"""``fertune bundle``, ``ft.bundle`` and ``ft.load``: a run's model as one file, and back again."""

from __future__ import annotations

from pathlib import Path

from fertune.api.runs import SearchRun, StackRun
from fertune.bundles import TrainedModel, load_model, pack
from fertune.store import open_record


def bundle(
    run: str | Path | SearchRun | StackRun,
    out: str | Path | None = None,
    *,
    trial: int | None = None,
    force: bool = False,
) -> Path:
    """Write a run's model to one file that may be moved, renamed and read on another machine.

    It holds models, the fitted meta-learner and a manifest with classes, shapes, versions and hashes: no pictures, no
    labels, no pickle. (A k-nearest-neighbours meta-learner is made of out-of-fold probabilities; it holds these.) The
    bytes depend on the run alone.

    Args:
        run: A finished stack (its chosen ensemble), or a search (its best model), or their folder.
        out: Name of the file, ending in ``.fertune``; by default the run's name in the working folder.
        trial: Of a search: a trial whose model was kept (the best 3 are).
        force: Replace a file that stands there.

    Returns:
        The path of the file.

    Raises:
        ConfigError: Another ending, a file that stands there without ``force``, or a trial of a stack.
        RunError: No model, layers of the user's own class that are not registered, or a file that cannot be written.
    """
    path = run.path if isinstance(run, (SearchRun, StackRun)) else Path(run).expanduser()
    record = open_record(path)
    return pack(record, Path(out) if out is not None else Path(f"{record.name}.fertune"), trial=trial, force=force)


def load(model: str | Path | SearchRun | StackRun, *, trial: int | None = None) -> TrainedModel:
    """A model that is there to predict.

    Args:
        model: A bundle file, or a run (the best model of a search, the chosen ensemble of a stack), or its folder.
        trial: Of a search: a trial whose model was kept.

    Returns:
        With ``class_names``, ``image_shape``, ``predict_proba(images)`` and ``predict(paths)``.

    Raises:
        RunError: Nothing there, no model in it, or a file that was refused, with every reason.
    """
    return load_model(model.path if isinstance(model, (SearchRun, StackRun)) else model, trial=trial)
