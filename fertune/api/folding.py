"""What a search with ``--cv`` has beside the others: its folds, its jobs, its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.folds import check_folds, make_folds
from fertune.searching.judging import held_out_of
from fertune.store import write_arrays
from fertune.store.checkpoints import resumable
from fertune.store.fold_files import read_folds, write_folds
from fertune.trial import Objective, Rows, State, Suggestion, TrainJob, Trial

FOLD_FILES = ("model.keras", "stop.npz", "held_out.npz")


def cut_folds(run: Path, data: ImageDataset, options: SearchOptions) -> None:
    """Make ``folds.npz`` of the train and validation rows, as a stack of the same seed does; a resumed run has it.

    Raises:
        ConfigError: So many folds are impossible for these rows.
    """
    path = run / "folds.npz"
    rows = data.positions("train", "validation")
    if path.exists():
        folds = read_folds(path, options.cv)
    else:
        folds = make_folds(rows, data.labels, data.groups, k=options.cv, seed=options.seed)
        write_folds(path, folds)
    check_folds(folds, rows, data.groups)


def fold_job(job: TrainJob, run: Path, trial: Trial, suggestion: Suggestion, seed: int) -> TrainJob:
    """The job of one fold: ``fit`` rows by gradient, ``stop`` rows watched, ``held_out`` predicted at the end."""
    fold = suggestion.fold
    if fold is None:
        return job

    def rows(part: str) -> Rows:
        return Rows(file=str(run / "folds.npz"), key=f"fold{fold}_{part}")

    out = run / "trials" / str(trial.id) / f"fold-{fold}"
    return replace(
        job,
        fit=rows("fit"),
        stop=rows("stop"),
        predict={"held_out": rows("held_out")},
        out=str(out),
        seed=int(np.random.SeedSequence([seed, trial.id, fold]).generate_state(1)[0] % 2**31),
        resume=resumable(out),
        told=0,
        keep_state=False,
        horizon=None,
    )


def files_of(run: Path, trial: Trial) -> list[Path]:
    """Files of a trial that are kept while it is among the best, and dropped afterwards."""
    folder = run / "trials" / str(trial.id)
    own = [folder / "model.keras", folder / "stop.npz"]
    return own + [folder / f"fold-{r.tags['fold']}" / name for r in trial.folds for name in FOLD_FILES]


def kept_trials(trials: Sequence[Trial], objective: Objective, keep: int, cv: int = 0) -> set[int]:
    """Ids of the trials whose files stay: the best ones; once one has all ``cv`` folds, only such ones."""
    ranked = sorted((t for t in trials if t.scored), key=lambda t: t.place(objective))
    whole = [t for t in ranked if t.state is State.COMPLETED and t.folds_done == cv]
    return {t.id for t in (whole if cv and whole else ranked)[:keep]}


def write_held_out(run: Path, best: Trial, data: ImageDataset) -> None:
    """``validation.npz`` of a cross-validated run: the best trial's held-out rows of all its folds, once each."""
    parts = []
    for rung in best.folds:
        path = held_out_of(run / "trials" / str(best.id), rung.tags["fold"])
        if path.exists():
            with np.load(path, allow_pickle=False) as stored:
                parts.append({name: stored[name] for name in ("row", "position", "proba")})
    if not parts:
        return
    whole = {name: np.concatenate([p[name] for p in parts]) for name in ("row", "position", "proba")}
    order = np.argsort(whole["position"], kind="stable")
    whole = {name: array[order] for name, array in whole.items()}
    write_arrays(run / "validation.npz", labels=np.asarray(data.labels[whole["position"]], np.int32), **whole)
