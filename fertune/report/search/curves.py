"""``curves`` of a search: do they fit, overfit, stop well?"""

from __future__ import annotations

from collections.abc import Sequence

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.reading import Score, ranked, score_of, where
from fertune.report.shared.curve_figure import finite, grid, key, rate_drops, told_at
from fertune.report.words import count, listed, number, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import Trial

HEADING = "Learning curves"
SHOWN = 6


def rising(trial: Trial) -> bool:
    """Whether its best epoch was the last of all that it was given; a pruned trial does not tell."""
    return trial.best_epoch == trial.epochs and trial.epochs > 1 and trial.epochs >= trial.budget


def gap(trial: Trial) -> float | None:
    """Training accuracy minus validation accuracy at the best epoch."""
    for row in trial.history:
        if row.get("epoch") == trial.best_epoch and finite(row.get("accuracy")) and finite(row.get("val_accuracy")):
            return row["accuracy"] - row["val_accuracy"]
    return None


@telling
def finding(best: Sequence[Trial]) -> str:
    """Still rising, or overfitting, or stopped in time."""
    n, every = len(best), number(len(best))
    if all(t.epochs <= 1 for t in best):
        who = "The only trial shown was" if n == 1 else f"All {every} shown were"
        return f"{who} trained for one epoch: no curve yet."
    up = sum(1 for t in best if rising(t))
    wide = [g for g in map(gap, best) if g is not None and g > 0.1]
    if up * 2 >= n:
        some = f"{number(up)} of the best" if up < n else "All of the best"
        start = f"{some} {every} {verb(up, 'was', 'were') if up < n else 'were'}"
        start = "The best trial was" if n == 1 else start
        return f"{start} still improving at the last epoch: a larger --max-epochs may help."
    if wide and len(wide) * 2 >= n:
        some = f"{number(len(wide))} of the best {every} {verb(len(wide), 'is', 'are')}"
        start = "The best trial is" if n == 1 else some
        return (
            f"{start} over 10 points better on training rows than on validation rows: more dropout, augmentation or "
            "weight decay may help."
        )
    late = [t.epochs - t.best_epoch for t in best if t.best_epoch is not None and t.best_epoch < t.epochs]
    if not late:
        who = "The best trial was not" if n == 1 else f"None of the best {every} was"
        return f"{who} trained past its best epoch: whether they would overfit is open."
    who, its = f"{number(len(late))} of the best {every}", verb(len(late), "its", "their")
    if n == 1:
        who = "The best trial"
    elif len(late) == n:
        who = f"All of the best {every}"
    return (
        f"{who} passed {its} best epoch, at most {count(max(late), 'epoch')} before the end: training was long enough."
    )


def curves_of(trial: Trial) -> list[tuple[tuple[dict[str, float], ...], int | None]]:
    """(history, best epoch) of the trial, or of each of its folds."""
    folds = [(r.history, r.best_epoch) for r in trial.folds if r.history]
    return folds or [(trial.history, trial.best_epoch)]


def _score_key(objective: str) -> str:
    return "macro_f1" if objective == "val_macro_f1" else "accuracy"


def section(record: SearchRecord) -> Section:
    score: Score = score_of(record)
    order = [t for t in ranked(record.trials, record.objective) if t.history]
    if not order:
        why = "No trial has finished an epoch yet, so there are no curves."
        if record.trials and record.status != "running":
            why = "No trial that ended well kept its epochs, so there are no curves."
        return empty("curves", HEADING, why, f"fertune search --out {where(record)} --resume")
    best, others = order[:SHOWN], order[SHOWN:]
    text = finding(best)
    entries = [(str(t.id), f"trial {t.id} · {score.text(t.value)}", curves_of(t), t.epochs < t.budget) for t in best]
    figure = grid(entries, others, _score_key(record.objective.name), text)
    columns = (
        Column("trial", True),
        Column("best epoch", True),
        Column("epochs", True),
        Column("training loss", True),
        Column("validation loss", True),
        Column("training accuracy", True),
        Column("validation accuracy", True),
        Column("rate dropped at", priority=2),
    )
    rows = tuple(
        Row(
            (
                cell(str(t.id), t.id),
                cell(number(t.best_epoch), t.best_epoch),
                cell(number(t.epochs), t.epochs),
                *(told_at(t.history, k, t.best_epoch) for k in ("loss", "val_loss", "accuracy", "val_accuracy")),
                cell(listed([str(e) for e in rate_drops(t.history)]) or "never"),
            ),
            trial=t.id,
        )
        for t in best
    )
    how = (
        f"The best {count(len(best), 'trial')} on shared axes. Training figures are taken with dropout and "
        "augmentation on, so they may lie below validation; the loss is cross-entropy without the weight penalty."
        if len(best) > 1
        else "Training figures are taken with dropout and augmentation on, so they may lie below validation."
    )
    if score.folds:
        how += " A curve for each fold, on the rows that it watched; the table is of the first fold."
    return Section(
        "curves",
        HEADING,
        text,
        "full",
        (key(len(others) >= 3, True), figure),
        how,
        Table(columns, rows, "At the best epoch"),
        ("optimistic",),
    )
