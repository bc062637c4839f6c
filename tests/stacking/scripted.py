"""Folds of a stack that no worker trains."""

from __future__ import annotations

from pathlib import Path

from fertune.stacking.pieces import Piece
from fertune.trial import OBJECTIVES, Rows, TrainJob


def piece(root: Path, member: str, fold: int, budget: int = 1) -> Piece:
    """A fold whose files will lie in ``<root>/<member>/<fold>``."""
    job = TrainJob(
        id=f"{member}/{fold}",
        data="",
        fingerprint="",
        fit=Rows(),
        stop=Rows(),
        family="conv",
        settings={},
        budget=budget,
        objective=OBJECTIVES["val_accuracy"],
        seed=0,
        out=str(root / member / str(fold)),
    )
    return Piece(member, fold, "fold", job)


def leave_models(job: TrainJob) -> None:
    """What a trained fold leaves, empty."""
    Path(job.out).mkdir(parents=True, exist_ok=True)
    for name in ("model.keras", "held_out.npz"):
        (Path(job.out) / name).write_bytes(b"")
