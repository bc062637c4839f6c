"""What a fold of a cross-validated trial is worth, and whether its trial is worth another one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.evaluation import accuracy, log_loss, macro_f1, predicted, signed_rank
from fertune.searching.loop import BEHIND
from fertune.trial import Objective, State, Suggestion, TrainResult, Trial

LEVEL = 1e-5
"""A trial is stopped where chance alone would so rarely put so many more of its answers wrong than the best trial's.

A row's loss is whether its answer is wrong. Probabilities show more, and too much: a net trained with another seed is a
little surer everywhere. Of 8 trainings of one net on 3,500 faces of FER-2013 (``benchmarks/fold_race.py``) the less
accurate one's losses 1 - p lay above at p < 1e-5 in 14 of 28 pairs after one fold, its errors in none; of 10 on
builtin:digits its errors in none of 42 after one fold, in 5 of 44 after two. The test knows rows, not seeds, and is
repeated for each trial and fold: therefore far below 0.05.
"""
_MEASURES = {"val_accuracy": accuracy, "val_loss": log_loss, "val_macro_f1": macro_f1}


def held_out_of(trial: Path, fold: int) -> Path:
    """The probabilities of one fold's held-out rows."""
    return trial / f"fold-{fold}" / "held_out.npz"


class FoldJudge:
    """Measures a finished fold on its held-out rows, which its training never watched, and races it.

    It is compared with the best trial that has all folds, on the same held-out rows: where the objective's mean is
    worse and more of the rows are wrong (``signed_rank``, one row a group, p under ``LEVEL``), the trial is stopped.
    There is no race while no trial has all folds, nor after the last fold.

    Args:
        folder: ``trials`` of the run.
        labels, groups: Of the data set, by position.
        objective: What is measured.
        trials: All trials now.
    """

    def __init__(
        self,
        folder: Path,
        labels: npt.NDArray[Any],
        groups: npt.NDArray[Any],
        objective: Objective,
        trials: Callable[[], Sequence[Trial]],
    ) -> None:
        self._folder, self._labels, self._groups = folder, labels, groups
        self._objective, self._trials = objective, trials

    def __call__(self, trial: Trial, suggestion: Suggestion, result: TrainResult) -> TrainResult:
        """The result with the value of the held-out rows; ``ended_by`` is ``BEHIND`` where the race is lost.

        A fold that was broken off has no such rows: its value stays that of the rows that it watched.
        """
        if suggestion.fold is None:
            return result
        rows = self._rows(trial.id, suggestion.fold)
        if rows is None:
            return result
        positions, proba = rows
        value = float(_MEASURES[self._objective.name](proba, self._labels[positions]))
        result = replace(result, value=value)
        why = None if suggestion.share < 1 else self._behind(trial, suggestion.fold, value)
        return result if why is None else replace(result, ended_by=BEHIND, note=why)

    def _rows(self, trial: int, fold: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
        path = held_out_of(self._folder / str(trial), fold)
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            return stored["position"], stored["proba"]

    def _behind(self, trial: Trial, fold: int, value: float) -> str | None:
        of = trial.rungs[-1].tags["of"]
        values = {r.tags["fold"]: r.value for r in trial.folds if r.outcome == "completed" and r.value is not None}
        values[fold] = value
        leaders = [t for t in self._trials() if t.state is State.COMPLETED and t.folds_done == of and t.id != trial.id]
        if len(values) == of or not leaders:
            return None
        leader = min(leaders, key=lambda t: t.place(self._objective))
        theirs = [r.value for r in leader.folds if r.tags["fold"] in values and r.value is not None]
        mean, best = sum(values.values()) / len(values), sum(theirs) / len(theirs)
        if not self._objective.better(best, mean):
            return None
        pairs = [(self._rows(leader.id, i), self._rows(trial.id, i)) for i in sorted(values)]
        known = [(a, b) for a, b in pairs if a is not None and b is not None and np.array_equal(a[0], b[0])]
        if len(known) < len(pairs):
            return None
        p = signed_rank(
            np.concatenate([self._wrong(*a) for a, _ in known]),
            np.concatenate([self._wrong(*b) for _, b in known]),
            np.concatenate([self._groups[a[0]] for a, _ in known]),
        )
        if p >= LEVEL:
            return None
        return f"behind trial {leader.id} after {len(values)} of {of} folds, p {p:.1g}"

    def _wrong(self, positions: npt.NDArray[Any], proba: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.asarray(predicted(proba) != self._labels[positions], np.float64)
