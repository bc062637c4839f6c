"""One TrainJob, from its rows to its files. The only caller of ``model.fit``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras

from fertune.data import ImageDataset
from fertune.errors import ConfigError
from fertune.models import build_model
from fertune.training import state
from fertune.training.batches import Batches
from fertune.training.compiling import compile_model
from fertune.training.context import Context
from fertune.training.latency import milliseconds_a_picture
from fertune.training.load import save_model
from fertune.training.memory import resident
from fertune.training.predict import Predictor, picture_dtype, write_proba
from fertune.training.progress import Progress
from fertune.training.recipe import Recipe
from fertune.training.rows import Part, labelled, positions_of
from fertune.training.watch import Watch
from fertune.training.weights import class_weights
from fertune.trial import OBJECTIVES, TrainJob, TrainResult


def train(job: TrainJob, context: Context) -> TrainResult:
    """Build, train to the budget (or until a rule, the searcher or the clock ends it), keep the best epoch.

    Gradients see ``fit`` rows; early stopping, the learning rate and the choice of the best epoch see ``stop`` rows;
    the rows of ``predict`` are predicted at the very end. Files in ``job.out``: ``model.keras``, ``stop.npz`` (``row``,
    ``position``, ``labels``, ``proba`` of the best epoch), ``<name>.npz`` for each name in ``predict``, and
    ``state/state.npz`` where ``keep_state``. An epoch that was broken off counts as not begun; a job that was told to
    stop does not take the time to predict the rows of ``predict``.

    Returns:
        The result; where no epoch was finished, ``epochs`` is 0, ``value`` NaN, and no file is written.

    Raises:
        FertuneError: A setting, a row, the data set or the earlier state is not what it must be.
        NanLoss: The loss is no number any more.
        Exception: Whatever building or training raises.
    """
    begun = time.perf_counter()
    if job.objective.name not in OBJECTIVES:
        raise ConfigError(f"no objective named {job.objective.name!r}; legal: {', '.join(OBJECTIVES)}")
    recipe = Recipe.of(job.settings, job.family)
    dataset = ImageDataset.open(job.data, job.fingerprint)
    fit, stop = labelled(job.fit, dataset, "fit"), labelled(job.stop, dataset, "stop")
    later = {name: positions_of(rows, dataset) for name, rows in job.predict.items()}
    out = Path(job.out)
    out.mkdir(parents=True, exist_ok=True)

    keras.utils.set_random_seed(job.seed % 2**32)
    model = build_model(job.family, job.settings, dataset.image_shape, dataset.n_classes, job.build)
    targets = compile_model(model, recipe, dataset.n_classes)
    progress = Progress.fresh(job.objective, recipe)
    identity = _identity(job, fit, stop)
    earlier = None if job.resume is None else state.load(Path(job.resume), identity)
    if earlier is not None:
        state.restore(earlier, model, progress)

    predictor = Predictor(model, dataset.images)
    batches = Batches(
        dataset.images, fit, size=recipe.batch_size, seed=job.seed % 2**32, targets=targets,
        weights=class_weights(fit.labels, dataset.n_classes, job.class_weight), dtype=picture_dtype(model),
    )  # fmt: skip
    watch = Watch(
        batches, predictor, stop, progress, context, out / "state" if job.keep_state else None, identity, earlier
    )
    if progress.stopped_early:
        watch.ended_by = "early stopping"
    elif progress.epoch < job.budget:
        model.fit(batches, epochs=job.budget, initial_epoch=progress.epoch, callbacks=[watch], verbose=0, shuffle=False)
    watch.save()

    latency = None
    if progress.best_epoch and progress.best_proba is not None:
        model.set_weights(progress.best_weights)
        if job.latency and watch.ended_by != "stopped":
            latency = milliseconds_a_picture(model, dataset.images, stop.positions)
        for name, positions in later.items() if watch.ended_by != "stopped" else ():
            write_proba(out / f"{name}.npz", dataset, positions, predictor(positions))
        write_proba(out / "stop.npz", dataset, stop.positions, progress.best_proba, labels=stop.labels)
        save_model(model, out / "model.keras")
    return TrainResult(
        value=progress.best_value, best_epoch=progress.best_epoch, epochs=progress.epoch,
        seconds=time.perf_counter() - begun, parameters=int(model.count_params()), ended_by=watch.ended_by,
        memory=resident(), latency=latency,
    )  # fmt: skip


def _identity(job: TrainJob, fit: Part, stop: Part) -> dict[str, Any]:
    """What two stretches of one trial have in common."""
    return {
        "data": job.fingerprint, "fit": fit.digest, "stop": stop.digest, "family": job.family,
        "settings": {name: job.settings[name] for name in sorted(job.settings)}, "objective": job.objective.name,
        "seed": job.seed, "class_weight": job.class_weight,
    }  # fmt: skip
