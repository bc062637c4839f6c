"""What a search with ``--cv`` or ``--holdout`` has beside the others: its folds, its jobs, its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.searching.judging import held_out_of
from fertune.stacking.cutting import folds_at, make_cut
from fertune.store import write_arrays
from fertune.store.checkpoints import resumable
from fertune.trial import Objective, Rows, State, Suggestion, TrainJob, Trial

FOLD_FILES = ("model.keras", "stop.npz", "held_out.npz")


def check_cut(options: SearchOptions, data: ImageDataset) -> None:
    """Check that the rows can be divided so, before anything is written.

    Raises:
        ConfigError: They cannot.
    """
    if options.cv or options.holdout:
        make_cut(data, k=options.cv, holdout=options.holdout, seed=options.seed)


def cut_folds(run: Path, data: ImageDataset, options: SearchOptions) -> None:
    """Make ``folds.npz`` of the train and validation rows, as a stack of the same seed does; a resumed run has it.

    Raises:
        ConfigError: So many folds, or such a part held out, are impossible for these rows.
    """
    if options.cv or options.holdout:
        folds_at(run / "folds.npz", data, k=options.cv, holdout=options.holdout, seed=options.seed)


def fold_job(job: TrainJob, run: Path, trial: Trial, suggestion: Suggestion, options: SearchOptions) -> TrainJob:
    """The job of one fold: ``fit`` rows by gradient, ``stop`` rows watched, ``held_out`` predicted at the end.

    With a single cut there is but the one, and a stack predicts what it holds out.
    """
    fold = suggestion.fold

    def rows(part: str) -> Rows:
        return Rows(file=str(run / "folds.npz"), key=f"fold{fold or 0}_{part}")

    if fold is None:
        return replace(job, fit=rows("fit"), stop=rows("stop")) if options.holdout else job
    out = run / "trials" / str(trial.id) / f"fold-{fold}"
    return replace(
        job,
        fit=rows("fit"),
        stop=rows("stop"),
        predict={"held_out": rows("held_out")},
        out=str(out),
        seed=int(np.random.SeedSequence([options.seed, trial.id, fold]).generate_state(1)[0] % 2**31),
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
