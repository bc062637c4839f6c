"""``fertune search`` and ``ft.search``: one search, new or resumed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fertune.api.describe import (
    describe_data,
    fertune_version,
    keep_gallery,
    keep_samples,
    machine,
    shown_command,
    typed_command,
    watcher_for,
)
from fertune.api.fidelity import check_fidelity
from fertune.api.folding import check_cut
from fertune.api.hints import with_range
from fertune.api.resuming import new_options, resumed_options, same_searcher, same_space
from fertune.api.runs import SearchRun
from fertune.api.sitting import Sitting
from fertune.api.spaces import find_space, narrowed_space, source_text
from fertune.api.warm import begin_with, known_of, warm_paths
from fertune.config import SearchOptions, options_given
from fertune.data import ImageDataset, ReadOptions, open_dataset
from fertune.errors import AllTrialsFailed, ConfigError, RunError
from fertune.execution import check_where
from fertune.searchers import Own, check_needs, engine_notes, find_own
from fertune.searchers.start import start_notes
from fertune.searching import Observer
from fertune.space import Space
from fertune.store import RunFolder
from fertune.store.folder import free_name, open_head
from fertune.store.room import writing
from fertune.trial import Searcher, objectives
from fertune.watching import check_tensorboard


def search(
    space: str | Path | Space | None = None,
    data: Any = None,
    *,
    data_options: ReadOptions | Mapping[str, Any] | None = None,
    tuner: str | Callable[..., Searcher] | None = None,
    pruner: str | None = None,
    set: Mapping[str, Any] | None = None,
    ranges: Mapping[str, Any] | None = None,
    trials: int | None = None,
    max_epochs: int | None = None,
    time_budget: str | float | None = None,
    seed: int | None = None,
    objective: str | None = None,
    fidelity: str | None = None,
    class_weight: str | None = None,
    cv: int | None = None,
    holdout: float | None = None,
    warm_start: str | Path | Sequence[str | Path] | None = None,
    max_params: int | None = None,
    max_disk: str | int | None = None,
    workers: int | str | None = None,
    gpus: str | None = None,
    per_gpu: int | None = None,
    trial_timeout: str | float | None = None,
    log_dir: str | Path | None = None,
    executor: str | None = None,
    address: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    verbose: bool = True,
    observer: Observer | None = None,
    command: Sequence[str] | None = None,
) -> SearchRun:
    """Search a space for the configuration with the best score on the validation rows.

    The scores of a search are optimistic: the best of many was chosen on the rows that measured it. ``stack`` gives an
    honest estimate.

    Args:
        space: A shipped name, the path of a .yaml or .py file, or a Space. On resume it may be left out, except for a
            space with its own build function, which a run never stores.
        data: A csv of Kaggle's FER shape, a table of paths and labels (csv, parquet), a folder of class folders, an npz
            or npy file, ``builtin:faces`` (the default), ``builtin:digits``; an ImageDataset, arrays as
            (pictures, labels), a tf.data.Dataset, a Hugging Face data set, a pandas DataFrame.
        data_options: How ``data`` is read: ``image_size``, ``skip_bad_rows``, ... (see ``ReadOptions``).
        tuner: ``random``, ``hyperband``, ``bayesian``, ``grid`` (Keras Tuner), ``tpe``, ``gp``, ``cmaes``, ``qmc`` or
            ``nsga2`` (Optuna), ``asha`` or ``sprint`` (fertune); by default ``sprint`` where only a time budget is
            given, else what the space names. Or your own: a class or function that makes a ``Searcher`` from
            ``(space, *, objective, seed, trials, max_epochs)``, or ``"my_file.py:MySearcher"``.
        pruner: Of tpe, gp, cmaes and qmc: ``none``, ``median``, ``hyperband`` or ``asha``.
        set: Parameters and settings of the space to fix, as ``{"dropout": 0.3}``.
        ranges: Parameters to search in another range, as ``{"units": (32, 128), "filters_1": [16, 32]}`` or
            ``{"units": "32..128:log"}``; wider than the space's own, too, where the model allows it.
        trials: Distinct configurations; default 20, for hyperband one whole iteration of its brackets. Without limit
            for sprint, and for asha with a time budget.
        max_epochs: Most epochs for one configuration; default 30, for sprint 60.
        time_budget: Seconds, or ``"30m"``; holds with the running trial, which keeps its best epoch.
        seed: Of everything drawn; default 0.
        objective: ``val_accuracy`` (default), ``val_loss`` or ``val_macro_f1``; a trial's value is its best epoch's.
            With nsga2 also two, as in ``"val_accuracy,parameters"`` or ``"val_accuracy,latency"``.
        fidelity: What the rungs of hyperband and asha give more of: ``epochs`` (default), ``data`` (a ninth, a third,
            all of the training rows) or ``resolution`` (pictures of half the side up to all of it).
        class_weight: ``none`` (default), ``sqrt`` or ``balanced``.
        cv: Folds of train and validation rows on which each configuration is trained; weak ones are stopped after one
            or two. Default 0: trained on the training rows, measured on the validation rows.
        holdout: Part of the train and validation rows, such as 0.1, that no trial trains on or is measured with. A
            stack fits its meta-learners on them and takes this search's models as they are. Default 0: none.
        warm_start: Earlier searches of the same space, data and options: their finished trials are known from the
            start, and none of them is tried again.
        max_params: Configurations whose model has more weights are infeasible: not trained, and told as failed.
        max_disk: Bytes that the run's folder may take, or ``"5GB"``. Models below the best one go first, then states
            from which trainings go on; the best model stays.
        workers: Processes at work side by side, or ``auto`` (the default): what suits the machine. With one, the same
            seed gives the same search; random and grid searches are the same with any number.
        gpus: ``auto`` (all there are), ``none``, or numbers such as ``"0,1"``.
        per_gpu: Workers that share a GPU; default 1.
        trial_timeout: Seconds, or ``"20m"``, after which a model's training is killed and counts as timed out.
        log_dir: Folder below which each model's curves are written for TensorBoard; needs ``fertune[tensorboard]``.
        executor: ``local`` (the default) or ``ray``.
        address: Of the Ray cluster; by default one is begun on this machine.
        out: The run's folder; by default ``runs/<space>-<nn>``.
        resume: Go on with the run in ``out``; makes it where there is none.
        verbose: Print what happens to standard output; a live table on a terminal, plain lines elsewhere.
        observer: Is told what happens instead.
        command: What ``run.json`` remembers as typed.

    Returns:
        The run.

    Raises:
        FertuneError: Bad data, space or options, a run that is held or exists (nothing is written then), or all trials
            failed.
        Interrupted: Ctrl-C or SIGTERM; every finished trial is in the run's folder.
    """
    started = time.monotonic()
    watcher = watcher_for(observer, verbose)
    own = find_own(tuner)
    given = options_given(
        tuner=own.name if own is not None else tuner, pruner=pruner, trials=trials, max_epochs=max_epochs,
        time_budget=time_budget, seed=seed, objective=objective, fidelity=fidelity, class_weight=class_weight, cv=cv,
        holdout=holdout, max_params=max_params, max_disk=max_disk, workers=workers, gpus=gpus, per_gpu=per_gpu,
        trial_timeout=trial_timeout, log_dir=log_dir, executor=executor, address=address,
    )  # fmt: skip
    path = Path(out) if out is not None else None
    if resume and path is None:
        raise ConfigError("--resume needs the run", help="fertune search --out runs/leaky_cnn-01 --resume")
    old = open_head(path) if resume and path is not None and (path / "run.json").exists() else None
    if old is not None:
        if old.info["kind"] != "search":
            raise RunError(f"{path} is a stack, not a search", help=f"fertune stack --out {path} --resume")
        same_searcher(old.info, own)
        chosen, notes = same_space(old.info, space, set, ranges)
        options = resumed_options(old.info, given)
        source = data if data is not None else old.info["data"]["source"]
        data_options = ReadOptions.of(data_options).over(old.info["data"].get("options"))
    else:
        if path is not None and (path / "run.json").exists():
            raise RunError(f"{path} holds a run already", help="add --resume to go on with it, or choose another --out")
        chosen, notes = narrowed_space(find_space(space if space is not None else "leaky_cnn"), set, ranges)
        options = new_options(chosen, given)
        if options.cv and "tuner" not in given and options.tuner != chosen.tuner:
            notes = [
                *notes,
                f"with --cv the tuner is {options.tuner}; {chosen.tuner} of space {chosen.name} has no folds",
            ]
        source = data if data is not None else "builtin:faces"
        if data is None:
            watcher.said("no --data given: using builtin:faces, drawn pictures; for real ones --data fer2013.csv")
    check_tensorboard(options.log_dir)
    check_where(options)
    warm = warm_paths(warm_start, old, own)
    before = old.info["options"]["trials"] if old is not None else None
    notes = [*notes, *_engine_ready(chosen, options, own, before)]
    # the split belongs to the data, not to the seed of a search
    stored = old.info["data"] if old is not None else None
    dataset = open_dataset(source, options=data_options, say=watcher.said, progress=watcher.progress, run=stored)
    for note in notes:
        watcher.noted(note)
    for note in dataset.notes:
        watcher.warned(note)
    if len(dataset.positions("train")) == 0 or len(dataset.positions("validation")) == 0:
        raise ConfigError(f"{dataset.name} has no rows to train on and to validate with")
    known = known_of(warm, chosen, options, dataset, watcher)
    check_fidelity(chosen, options, dataset)
    check_cut(options, dataset)
    with writing(path or Path("runs")):
        folder = _open(path, old is not None, chosen, options, own, dataset, command, warm)
    try:
        with writing(folder.path):
            if known:
                begin_with(folder, known, options, dataset)
            return Sitting(folder, chosen, options, own, dataset, watcher, started).run()
    except AllTrialsFailed as error:
        error.run = folder.path
        with_range(error, chosen, space if not isinstance(space, Space) else None, SearchRun(folder.path).record.trials)
        raise
    finally:
        folder.close()
        if observer is None:
            watcher.close()


def _engine_ready(space: Space, options: SearchOptions, own: Own | None, before: int | None) -> list[str]:
    """What people should know of the engine; raises where it could not begin, before anything is written.

    Args:
        before: Trials of the run that goes on.
    """
    if own is None:
        check_needs(options.tuner)
        return engine_notes(options.tuner, space, options.trials)
    first, _ = objectives(options.objective)
    made = own.make(space, objective=first, seed=options.seed, trials=options.trials, max_epochs=options.max_epochs)
    if before is not None and (options.trials or 0) > before and not made.extends:
        raise ConfigError(
            f"--trials {options.trials}: the run has {before}, and your searcher {own.label} has no extend(trials)",
            help="leave --trials out, or give it that method: the new number of distinct configurations comes in",
        )
    return start_notes(space, options.trials)


def _open(
    path: Path | None,
    exists: bool,
    space: Space,
    options: SearchOptions,
    own: Own | None,
    data: ImageDataset,
    command: Sequence[str] | None,
    warm: Sequence[str],
) -> RunFolder:
    if exists and path is not None:
        folder = RunFolder.reopen(path)
        stored = folder.info["data"]
        if stored["fingerprint"] != data.fingerprint:
            folder.close()
            raise RunError(
                f"{path} was made on other data: {stored['name']} ({stored['fingerprint'][:12]}), "
                f"not {data.name} ({data.fingerprint[:12]})",
                help="give the same --data again",
            )
        try:
            folder.update_info(options={**asdict(options)}, resume=_resume_command(path, own))
            _keep_pictures(data, path, options.seed)
        except OSError:
            folder.close()
            raise
        return folder
    where = path or free_name(Path("runs"), space.name)
    typed = list(command) if command is not None else typed_command(["fertune", "search", "--space", space.name])
    objective, second = objectives(options.objective)
    folder = RunFolder.create(
        where,
        {
            "kind": "search",
            "name": where.name,
            "created": round(time.time(), 3),
            "fertune": fertune_version(),
            "command": typed,
            "resume": _resume_command(where, own),
            "options": asdict(options),
            **({"warm_start": list(warm)} if warm else {}),
            "engine": options.tuner,
            "objective": asdict(objective),
            **({"second_objective": asdict(second)} if second is not None else {}),
            **({"tuner_source": own.source, "tuner_path": own.typed} if own is not None else {}),
            "space": space.to_dict(),
            "space_fingerprint": space.fingerprint,
            "space_source": source_text(space),
            "data": describe_data(data),
            **machine(),
        },
    )
    try:
        _keep_pictures(data, where, options.seed)
    except OSError:
        folder.close()
        shutil.rmtree(where, ignore_errors=True)  # nothing was trained: no half a run is left
        raise
    return folder


def _resume_command(path: Path, own: Own | None) -> str:
    """What goes on with the run where it lies now; it may have been moved since it was made."""
    again = ["--tuner", own.typed] if own is not None and own.typed else []
    return shown_command(["fertune", "search", "--out", str(path), "--resume", *again])


def _keep_pictures(data: ImageDataset, where: Path, seed: int) -> None:
    """Pictures for the report, where they are not there: a run may have been killed as soon as it was made."""
    if not (where / "samples.npz").exists():
        keep_samples(data, where, seed=seed)
    if not (where / "gallery.npz").exists():
        keep_gallery(data, where, "validation", seed=seed)
