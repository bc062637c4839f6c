"""Models that a search has trained already go into a stack as they are: nothing is trained twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fertune.stacking.members import Found, Member
from fertune.stacking.pieces import Piece
from fertune.store import Journal
from fertune.store.fold_files import folds_fingerprint, share_file
from fertune.store.records import fold_runs
from fertune.trial import PredictJob

FILES = ("model.keras", "stop.npz", "held_out.npz")


def take_over(
    member: Member,
    pieces: Sequence[Piece],
    folds: Path,
    journal: Journal,
    *,
    said: Callable[[str], None],
    predict: Callable[[list[PredictJob]], Any],
) -> int:
    """Have the models and held-out rows of a member's folds here, and write down where they come from.

    Args:
        member: With what its search ``found``.
        pieces: Its folds in this stack.
        folds: ``folds.npz`` of this stack; only equal folds are taken.
        journal: Of this stack. A fold that it knows already is left alone.
        said: Is told why nothing can be taken.
        predict: Does jobs; held-out rows that the search did not predict are predicted by its model.

    Returns:
        How many models were taken.
    """
    if not member.found:
        return 0
    if folds_fingerprint(member.found[0].folds) != folds_fingerprint(folds):
        said(f"{member.name} is trained anew: its search cut the rows in another way (other --cv, --holdout or --seed)")
        return 0
    known = {(r.member, r.fold) for r in fold_runs(journal.lines) if r.state in ("completed", "failed")}
    by_fold = {found.fold: found for found in member.found}
    taken: list[tuple[Piece, Found]] = []
    for piece in pieces:
        found = by_fold.get(piece.fold)
        if piece.kind != "fold" or found is None or (piece.member, piece.fold) in known:
            continue
        for name in FILES:
            if (found.folder / name).exists():
                share_file(found.folder / name, piece.folder / name)
        taken.append((piece, found))
    predict([_held_out(piece) for piece, _ in taken])
    for piece, found in taken:
        _write(journal, piece, found)
    return len(taken)


def _held_out(piece: Piece) -> PredictJob:
    job = piece.job
    return PredictJob(
        id=f"held-out/{job.id}",
        data=job.data,
        fingerprint=job.fingerprint,
        rows=job.predict["held_out"],
        model=str(piece.folder / "model.keras"),
        out=str(piece.folder / "held_out.npz"),
    )


def _write(journal: Journal, piece: Piece, found: Found) -> None:
    """The lines of a trained fold, with its epochs; its value is the one of its ``stop`` rows, as that of others."""
    member, fold, rung = piece.member, piece.fold, found.rung
    origin = {"run": found.run, "trial": found.trial, "fold": found.fold}
    journal.write("fold", member=member, fold=fold, kind=piece.kind, origin=origin)
    for row in rung.history:
        logs = {name: value for name, value in row.items() if name not in ("epoch", "value")}
        journal.write(
            "fold_epoch", lasting=False, member=member, fold=fold, step=row["epoch"], value=row["value"], logs=logs
        )
    journal.write(
        "fold_told",
        member=member,
        fold=fold,
        outcome="completed",
        value=next((row["value"] for row in rung.history if row["epoch"] == rung.best_epoch), rung.value),
        best_epoch=rung.best_epoch,
        epochs=rung.epochs,
        seconds=rung.seconds,
        parameters=found.parameters,
        origin=origin,
    )
