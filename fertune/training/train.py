"""One TrainJob, from its rows to its files. The only caller of ``model.fit``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from fertune.data import ImageDataset
from fertune.errors import ConfigError
from fertune.models import build_model
from fertune.models.engine import computing_in
from fertune.models.fused import fused_normalisation
from fertune.training.augment import Moves
from fertune.training.batches import Batches
from fertune.training.compiling import compile_model, first_rate
from fertune.training.context import Context
from fertune.training.failures import check_size
from fertune.training.going_on import go_on, tell_again
from fertune.training.latency import milliseconds_a_picture
from fertune.training.load import save_model
from fertune.training.memory import resident
from fertune.training.pace import Pace, Work
from fertune.training.predict import Predictor, picture_dtype, write_proba
from fertune.training.progress import Progress
from fertune.training.recipe import Recipe
from fertune.training.rows import Part, labelled, part_of, positions_of
from fertune.training.views import Views
from fertune.training.watch import Watch, scores
from fertune.training.weights import class_weights
from fertune.trial import OBJECTIVES, TrainJob, TrainResult


def train(job: TrainJob, context: Context, clock: Callable[[], float] = time.perf_counter) -> TrainResult:
    """Build, train to the budget (or until a rule, the searcher or the clock ends it), keep the best epoch.

    Gradients see ``fit`` rows; early stopping, the learning rate and the choice of the best epoch see ``stop`` rows;
    the rows of ``predict`` are predicted at the very end. Files in ``job.out``: ``model.keras``, ``stop.npz`` (``row``,
    ``position``, ``labels``, ``proba`` of the best epoch), ``<name>.npz`` for each name in ``predict``, and
    ``state/state.npz`` where ``keep_state``. An epoch that was broken off counts as not begun; a job that was told to
    stop does not take the time to predict the rows of ``predict``.

    Args:
        clock: Seconds, of which ``job.seconds`` are counted.

    Returns:
        The result; where no epoch was finished, ``epochs`` is 0, ``value`` NaN, and no file is written.

    Raises:
        FertuneError: A setting, a row or the data set is not what it must be.
        NanLoss: The loss is no number any more.
        Exception: Whatever building or training raises.
    """
    begun = clock()
    if job.objective.name not in OBJECTIVES:
        raise ConfigError(f"no objective named {job.objective.name!r}; legal: {', '.join(OBJECTIVES)}")
    recipe = Recipe.of(job.settings, job.family)
    dataset = ImageDataset.open(job.data, job.fingerprint)
    fit = part_of(labelled(job.fit, dataset, "fit"), job.share, job.seed % 2**32)
    stop = labelled(job.stop, dataset, "stop")
    later = {name: positions_of(rows, dataset) for name, rows in job.predict.items()}
    out = Path(job.out)
    out.mkdir(parents=True, exist_ok=True)

    keras.utils.set_random_seed(job.seed % 2**32)
    with computing_in(recipe.precision) as precision:
        model = build_model(job.family, job.settings, dataset.image_shape, dataset.n_classes, job.build)
    check_size(model, job.max_params)
    highest = first_rate(model, recipe)
    targets = compile_model(model, recipe, dataset.n_classes)
    views = Views.of(model, recipe, dataset.image_shape)
    progress = Progress.fresh(job.objective, recipe)
    identity = _identity(job, fit, stop, precision)
    earlier, note = go_on(job, identity, model, progress)
    before = sum(row["seconds"] for row in progress.history[job.told :]) if job.told is not None else 0.0

    predictors = {small: Predictor(views.at(small), dataset.images) for small in (False, True)[: len(views.trained)]}
    batches = Batches(
        dataset.images, fit, size=recipe.batch_size, seed=job.seed % 2**32, targets=targets,
        weights=class_weights(fit.labels, dataset.n_classes, job.class_weight), dtype=picture_dtype(model),
        moves=Moves.of(job.family, job.settings, dataset.image_shape),
    )  # fmt: skip
    state_folder = out / "state" if job.keep_state or job.checkpoint is not None else None
    work = Work(
        steps=batches.num_batches, fit=len(fit), stop=len(stop), budget=job.budget, horizon=job.horizon or job.budget,
        after=views.looks.count * (sum(map(len, later.values())) + (len(stop) if views.looks.count > 1 else 0)),
        seconds=job.seconds, small_cost=views.small_cost,
    )  # fmt: skip
    pace = Pace(recipe, highest, work, progress, clock, begun)
    watch = Watch(batches, predictors, pace, stop, progress, context, state_folder, identity, earlier, job.checkpoint)
    if not tell_again(job, progress, context):
        watch.ended_by = "pruned"
    elif progress.stopped_early:
        watch.ended_by = "early stopping"
    else:
        _fit(views, batches, watch, pace, progress, job.budget)
    if job.keep_state or watch.ended_by == "stopped":
        watch.save()

    latency, value = None, progress.best_value
    if progress.best_epoch and progress.best_proba is not None:
        model.set_weights(progress.best_weights)
        proba, final = progress.best_proba, views.final(progress.best_small)
        predictor = predictors[progress.best_small]
        if views.looks.count > 1:
            predictor = Predictor(final, dataset.images)
            proba = predictor(stop.positions)
            value = scores(proba, stop.labels)[job.objective.name]
        if job.latency and watch.ended_by != "stopped":
            latency = milliseconds_a_picture(final, dataset.images, stop.positions)
        for name, positions in later.items() if watch.ended_by != "stopped" else ():
            write_proba(out / f"{name}.npz", dataset, positions, predictor(positions))
        try:
            write_proba(out / "stop.npz", dataset, stop.positions, proba, labels=stop.labels)
            save_model(final, out / "model.keras")
        except OSError as error:
            if later:  # somebody waits for these files; a trial of a search is worth its value without them
                raise
            note = f"its model could not be kept: {error.strerror or error}"
    return TrainResult(
        value=value, best_epoch=progress.best_epoch, epochs=progress.epoch,
        seconds=before + clock() - begun, parameters=int(model.count_params()), ended_by=watch.ended_by,
        memory=resident(), latency=latency, note=note or watch.note,
    )  # fmt: skip


def _fit(views: Views, batches: Batches, watch: Watch, pace: Pace, progress: Progress, budget: int) -> None:
    """Train, on small pictures and on full ones, until the watch says that it is over."""
    with fused_normalisation(*views.trained):
        while not watch.ended and not pace.finished:
            views.at(pace.small).fit(
                batches, epochs=budget, initial_epoch=progress.epoch, callbacks=[watch], verbose=0, shuffle=False
            )


def _identity(job: TrainJob, fit: Part, stop: Part, precision: str) -> dict[str, Any]:
    """What two stretches of one trial have in common."""
    return {
        "data": job.fingerprint, "fit": fit.digest, "stop": stop.digest, "family": job.family,
        "settings": {name: job.settings[name] for name in sorted(job.settings)}, "objective": job.objective.name,
        "seed": job.seed, "class_weight": job.class_weight,
        **({"precision": precision} if precision != "float32" else {}),
        **({"share": job.share} if job.share < 1 else {}),
    }  # fmt: skip
