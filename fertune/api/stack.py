"""``fertune stack`` and ``ft.stack``: one stack over finished searches, new or resumed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fertune.api.describe import (
    fertune_version,
    keep_samples,
    machine,
    shown_command,
    starting_words,
    typed_command,
    watcher_for,
)
from fertune.api.observing import watched
from fertune.api.restack import restack
from fertune.api.runs import SearchRun, StackRun
from fertune.api.spaces import find_space, pickled_build
from fertune.config import StackOptions, Where, options_given
from fertune.data import ImageDataset, ReadOptions, open_dataset
from fertune.errors import AllTrialsFailed, ConfigError, Interrupted, RunError
from fertune.execution import check_where, make_executor
from fertune.searching import Interrupts, Observer
from fertune.space import Space
from fertune.stacking.members import Member, choose, cut_of, members_of, same_data
from fertune.stacking.pieces import StackHalted
from fertune.store import RunFolder, SearchRecord, open_record
from fertune.store.folder import free_name
from fertune.store.room import writing
from fertune.watching import check_tensorboard

if TYPE_CHECKING:
    from fertune.stacking.meta import OwnMetaLearner

FREE_ON_RESUME = ("time_budget", *(f.name for f in fields(Where)))


def stack(
    runs: Sequence[str | Path | SearchRun] = (),
    *,
    top: int | None = None,
    folds: int | None = None,
    holdout: float | None = None,
    epochs: int | None = None,
    bagging: int | None = None,
    class_weights: Sequence[str] | None = None,
    from_oof: str | Path | StackRun | None = None,
    meta: str | OwnMetaLearner | Sequence[str | OwnMetaLearner] | None = None,
    meta_trials: int | None = None,
    time_budget: str | float | None = None,
    seed: int | None = None,
    workers: int | str | None = None,
    gpus: str | None = None,
    per_gpu: int | None = None,
    trial_timeout: str | float | None = None,
    log_dir: str | Path | None = None,
    executor: str | None = None,
    address: str | None = None,
    data: Any = None,
    allow_pickle: bool = False,
    spaces: Sequence[str | Path | Space] = (),
    out: str | Path | None = None,
    resume: bool = False,
    verbose: bool = True,
    observer: Observer | None = None,
    command: Sequence[str] | None = None,
) -> StackRun:
    """Train the best configurations of searches across folds, stack them, and compare honestly.

    Single models and ensembles are compared with the same kind of member (the mean of a configuration's fold models).
    What is chosen is chosen on out-of-fold rows; the labels of the test rows are read once, at the end. Where a search
    with ``cv`` compared several configurations, its best ones were chosen on these very rows: their out-of-fold scores
    are optimistic then.

    Args:
        runs: Searches over the same data.
        top: Best distinct configurations of each; default 2.
        folds: Default 5, or as many as the first search with ``cv`` has; its trials are then not trained again.
        holdout: In place of folds: part of the train and validation rows, such as 0.1, that is held out once. Each
            configuration is one model then, and meta-learners have these rows alone. Default: that of the first search
            with ``holdout``, whose trained models are taken as they are.
        epochs: Most epochs of a fold's model; default: ``max_epochs`` of its search.
        bagging: Bootstrap models of the best single configuration, as one more row; default 0.
        class_weights: Class-weight variants of the best single configuration, of ``none``, ``sqrt``, ``balanced``.
        from_oof: In place of ``runs``: out-of-fold probabilities made elsewhere (npz, see docs/oof-file.md), or the
            folder of another stack; nothing is trained then but meta-learners.
        meta: Meta-learners that are fitted, by name or as objects of a class of your own derived from
            ``OwnMetaLearner``; default ``["all"]``, which is all of fertune's. ``mean`` always is.
        meta_trials: Trials of each tuned meta-learner; default 10.
        time_budget: Seconds or ``"2h"`` for everything; configurations whose folds did not finish are left out, named.
        seed: Default 0, or that of the first search with ``cv`` or ``holdout``.
        workers: Processes at work side by side, or ``auto`` (the default): what suits the machine.
        gpus: ``auto`` (all there are), ``none``, or numbers such as ``"0,1"``.
        per_gpu: Workers that share a GPU; default 1.
        trial_timeout: Seconds, or ``"20m"``, after which a model's training is killed and counts as timed out.
        log_dir: Folder below which each model's curves are written for TensorBoard; needs ``fertune[tensorboard]``.
        executor: ``local`` (the default) or ``ray``.
        address: Of the Ray cluster; by default one is begun on this machine.
        data: Only where the data moved since the searches; must be the same by content.
        allow_pickle: Consent to unpickle an npy file where the data must be read again; it runs code of whoever wrote
            the file, and no run stores it.
        spaces: Spaces with their own build function, given again.
        out: The run's folder; by default ``runs/stack-<nn>``.
        resume: Go on with the stack in ``out``.
        verbose: As in ``search``.
        observer: As in ``search``.
        command: As in ``search``.

    Returns:
        The finished stack.

    Raises:
        FertuneError: Bad options or runs, different data, or nothing could be trained.
        Interrupted: Ctrl-C or SIGTERM; finished folds are kept.
    """
    started = time.monotonic()
    watcher = watcher_for(observer, verbose)
    given = options_given(
        top=top, folds=folds, holdout=holdout, epochs=epochs, bagging=bagging, class_weights=class_weights,
        meta=None if meta is None else _meta_names(meta), meta_trials=meta_trials, time_budget=time_budget, seed=seed,
        workers=workers, gpus=gpus, per_gpu=per_gpu, trial_timeout=trial_timeout, log_dir=log_dir, executor=executor,
        address=address,
    )  # fmt: skip
    path = Path(out) if out is not None else None
    old = None
    if resume:
        if path is None:
            raise ConfigError("--resume needs the run", help="fertune stack --out runs/stack-01 --resume")
        if (path / "run.json").exists():
            old = open_record(path).info
            if old["kind"] != "stack":
                raise RunError(f"{path} is a search, not a stack", help=f"fertune search --out {path} --resume")
    elif path is not None and (path / "run.json").exists():
        raise RunError(f"{path} holds a run already", help="add --resume to go on with it, or choose another --out")
    options = _options(old, given)
    if from_oof is not None and runs:
        raise ConfigError("runs and --from-oof do not go together", help="fertune stack --from-oof oof.npz")
    if from_oof is not None or "from_oof" in (old or {}):
        try:
            return restack(from_oof, path, old, options, given, observer=watcher, command=command, started=started)
        finally:
            if observer is None:
                watcher.close()
    folders = [r.path if isinstance(r, SearchRun) else Path(r) for r in runs] or [
        Path(p) for p in (old or {}).get("run_paths", [])
    ]
    if not folders:
        raise ConfigError("no runs to stack", help="fertune stack runs/leaky_cnn-01 runs/relu_cnn-01")
    records = []
    for folder in folders:
        record = open_record(folder)
        if not isinstance(record, SearchRecord):
            raise RunError(f"{folder} is a stack; only searches can be stacked")
        records.append(record)
    same_data(records)
    other_cut = {"folds", "holdout"} & given.keys()
    cut = {name: value for name, value in cut_of(records).items() if name == "seed" or not other_cut}
    if old is None and cut:  # what a search has trained already is not trained again
        options = _options(None, {**cut, **given})
        other = [r.name for r in records if options.epochs not in (None, r.info["options"]["max_epochs"])]
        if other:
            watcher.said(f"--epochs {options.epochs} are not those of {', '.join(other)}: trained anew")
    builds = {}
    for given_space in spaces:
        found = find_space(given_space)
        pickled = pickled_build(found)
        if pickled is not None:
            builds[found.fingerprint] = pickled
    picks = choose(records, options.top) if old is None else [(m["run"], m["trial"]) for m in old["members"]]
    members = members_of(picks, records, epochs=options.epochs, builds=builds)
    dataset = _dataset(data, records[0], watcher, allow_pickle)
    check_tensorboard(options.log_dir)
    check_where(options)
    if not options.holdout:
        _warn_of_thin_classes(dataset, options.folds, watcher)
    with writing(path or Path("runs")):
        run = _open(path, old, members, options, dataset, records, folders, command)
    try:
        with writing(run.path):
            return _sitting(run, dataset, members, options, watcher, started)
    finally:
        run.close()
        if observer is None:
            watcher.close()


def _meta_names(meta: str | OwnMetaLearner | Sequence[str | OwnMetaLearner]) -> tuple[str, ...]:
    """Names of what was given; a user's own are registered.

    Raises:
        ConfigError: One is no meta-learner.
    """
    several = meta if isinstance(meta, Sequence) and not isinstance(meta, str) else (meta,)
    if all(isinstance(one, str) for one in several):
        return tuple(str(one) for one in several)
    from fertune.stacking.meta import register_meta_learner

    return tuple(one if isinstance(one, str) else register_meta_learner(one).name for one in several)


def _own() -> tuple[str, ...]:
    """Names of the meta-learners that the user registered."""
    from fertune.stacking.meta import OWN

    return tuple(OWN)


def _options(old: dict[str, Any] | None, given: dict[str, Any]) -> StackOptions:
    if old is None:
        return StackOptions(**({"folds": 1, **given} if given.get("holdout") else given)).check(own=_own())
    stored = {**asdict(StackOptions()), **old["options"]}
    stored |= {name: tuple(stored[name]) for name in ("class_weights", "meta")}
    faults = [
        f"--{k.replace('_', '-')}: {v!r}; the run has {stored[k]!r}"
        for k, v in given.items()
        if k not in FREE_ON_RESUME and v != stored[k]
    ]
    if faults:
        raise ConfigError(
            "a resumed stack keeps its options",
            details=faults,
            help="leave them out, or start another with another --out",
        )
    free = {k: v for k, v in given.items() if k in FREE_ON_RESUME}
    return StackOptions(**{**stored, "time_budget": None, **free}).check(own=_own())


def _warn_of_thin_classes(data: ImageDataset, folds: int, observer: Observer) -> None:
    """Say which classes have fewer pictures (twins count once) than there are folds."""
    rows = data.positions("train", "validation")
    for label, name in enumerate(data.class_names):
        different = len(np.unique(data.groups[rows[data.labels[rows] == label]]))
        if different < folds:
            observer.warned(f"class {name} has {different:,} different pictures for {folds:,} folds: some lack it")


def _dataset(data: Any, record: SearchRecord, observer: Observer, allow_pickle: bool) -> ImageDataset:
    info = record.info["data"]
    folder = Path(info["folder"])
    if data is None and folder.exists():
        return ImageDataset.open(folder, fingerprint=info["fingerprint"])
    dataset = open_dataset(
        data if data is not None else info["source"],
        options=ReadOptions(allow_pickle=allow_pickle).over(info.get("options")),
        say=observer.said,
        progress=observer.progress,
    )
    if dataset.fingerprint != info["fingerprint"]:
        raise RunError(
            f"the searches were made on other data: {info['name']} ({info['fingerprint'][:12]}), not "
            f"{dataset.name} ({dataset.fingerprint[:12]})",
            help="give the same file again with --data",
        )
    return dataset


def _open(
    path: Path | None,
    old: dict[str, Any] | None,
    members: list[Member],
    options: StackOptions,
    data: ImageDataset,
    records: list[SearchRecord],
    folders: list[Path],
    command: Sequence[str] | None,
) -> RunFolder:
    if old is not None and path is not None:
        folder = RunFolder.reopen(path)
        folder.update_info(options=asdict(options))
        return folder
    where = path or free_name(Path("runs"), "stack")
    typed = list(command) if command is not None else typed_command(["fertune", "stack", *map(str, folders)])
    folder = RunFolder.create(
        where,
        {
            "kind": "stack",
            "name": where.name,
            "created": round(time.time(), 3),
            "fertune": fertune_version(),
            "command": typed,
            "resume": shown_command(["fertune", "stack", "--out", str(where), "--resume"]),
            "options": asdict(options),
            "runs": [r.name for r in records],
            "run_paths": [str(f) for f in folders],
            "members": [m.to_json() for m in members],
            "data": records[0].info["data"],
            **machine(),
        },
    )
    keep_samples(data, where, seed=options.seed)
    return folder


def _sitting(
    folder: RunFolder,
    data: ImageDataset,
    members: list[Member],
    options: StackOptions,
    observer: Observer,
    started: float,
) -> StackRun:
    from fertune.stacking.stack import Stack  # brings scikit-learn and more: only where it is needed

    folder.journal.write("session", workers=options.workers)
    models = len(members) * options.folds + len(options.class_weights) * options.folds + options.bagging
    executor = make_executor(options, log_dir=folder.path / "logs", most=models)
    observer = pulse = watched(observer, executor, folder, options.log_dir)
    try:
        with Interrupts() as interrupts:
            jobs = [(m.name, i, "fold") for m in members for i in range(options.folds)]
            observer.stack_started(folder.info, jobs)
            observer.progress(starting_words(), 0)
            Stack(
                folder=folder,
                dataset=data,
                members=members,
                options=options,
                executor=executor,
                observer=observer,
                stop_requested=lambda: interrupts.signum is not None,
                started=started,
            ).run()
    except StackHalted:
        raise Interrupted(
            "Interrupted; every finished fold is kept",
            signum=interrupts.signum or 2,
            resume=folder.info["resume"],
            run=folder.path,
        ) from None
    except AllTrialsFailed as error:
        error.run = folder.path
        raise
    finally:
        pulse.stop()
        executor.close()
    observer.stack_ended(open_record(folder.path))
    return StackRun(folder.path)
