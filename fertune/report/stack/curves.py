"""``curves`` of a stack: the folds of each member."""

from __future__ import annotations

from collections.abc import Sequence

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.reading import resume_of
from fertune.report.shared.curve_figure import grid, key, told_at
from fertune.report.words import count, fitted, number, short, telling, verb
from fertune.store.records import FoldRun, StackRecord

HEADING = "Learning curves"


@telling
def finding(runs: Sequence[FoldRun]) -> str:
    done = [r for r in runs if r.state != "failed" and r.best_epoch is not None]
    if not done:
        return "No fold has finished."
    last = sum(1 for r in done if r.best_epoch == r.epochs and r.epochs > 1)
    span = sorted(r.best_epoch or 0 for r in done)
    if last * 2 >= len(done) and last:
        return (
            f"{number(last)} of {count(len(done), 'fold model')} {verb(last, 'was', 'were')} still improving at the "
            "last epoch: more epochs may help."
        )
    first, final = number(span[0]), number(span[-1])
    words = f"at epoch {first}" if first == final else f"between epochs {first} and {final}"
    return f"{count(len(done), 'fold model')} {verb(len(done), 'has its', 'have their')} best epoch {words}."


def section(record: StackRecord) -> Section:
    """Folds of each member, one panel a member."""
    members = list(dict.fromkeys(r.member for r in record.fold_runs if r.history))
    if not members:
        return empty("curves", HEADING, "No epoch of a fold is stored yet, so there are no curves.", resume_of(record))
    text = finding(record.fold_runs)
    entries, rows = [], []
    for i, name in enumerate(members):
        runs = [r for r in record.fold_runs if r.member == name]
        entries.append((str(i), fitted(name, 250), [(r.history, r.best_epoch) for r in runs if r.history], False))
        rows += [
            Row(
                (
                    cell(short(name, 40), name),
                    cell(str(r.fold), r.fold),
                    cell(r.kind),
                    cell(r.state),
                    cell(number(r.best_epoch), r.best_epoch),
                    cell(number(r.epochs), r.epochs),
                    told_at(r.history, "val_loss", r.best_epoch),
                    told_at(r.history, "val_accuracy", r.best_epoch),
                )
            )
            for r in runs
        ]
    columns = (
        Column("member"),
        Column("fold", True),
        Column("kind"),
        Column("state"),
        Column("best epoch", True),
        Column("epochs", True),
        Column("loss", True),
        Column("accuracy", True),
    )
    how = (
        "One line a fold or bag. Validation here means the rows cut from the fit part for stopping; the held-out rows "
        "of a fold are never watched."
    )
    return Section(
        "curves",
        HEADING,
        text,
        "full",
        (key(False, False), grid(entries, (), "accuracy", text)),
        how,
        Table(columns, tuple(rows), "Each fold model at its best epoch"),
    )
