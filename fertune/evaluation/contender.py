"""One row of the comparison to be, and its scores on out-of-fold rows, the only ones that anything is picked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fertune.evaluation.metrics import accuracy, log_loss

ROLES = ("single", "variant", "average", "meta")


@dataclass(frozen=True, eq=False)
class Contender:
    """One row of the table to be.

    Attributes:
        name: Shown, unique in the table.
        role: ``single``, ``variant``, ``average`` or ``meta``.
        test_proba: (n, classes) float, rows in the order of ``test_labels``; None where there is no labelled test row.
        oof_proba: (m, classes) float, out-of-fold probabilities in the order of ``oof_labels``; a row that nobody
            predicted out of fold (rows that every bag drew) is NaN throughout. None where there are none at all.
        oof_rows: Rows of ``oof_proba`` that are not NaN; counted where None.
        seconds: Training time of all that it needs.
        predict_seconds: Time for the test rows; None where it was not measured.
    """

    name: str
    role: str
    test_proba: npt.NDArray[np.floating] | None
    oof_proba: npt.NDArray[np.floating] | None
    oof_rows: int | None = None
    seconds: float = 0.0
    predict_seconds: float | None = None

    def covered(self) -> npt.NDArray[np.bool_]:
        """(m,) bool, rows with out-of-fold probabilities; (0,) where there are none."""
        if self.oof_proba is None:
            return np.zeros(0, dtype=bool)
        return np.asarray(~np.isnan(self.oof_proba).any(axis=1))


@dataclass(frozen=True)
class OutOfFold:
    """Attributes:
    accuracy: Fraction over ``rows``; None without rows.
    log_loss: Nats; None without rows.
    rows: How many.
    """

    accuracy: float | None
    log_loss: float | None
    rows: int


def out_of_fold(contender: Contender, labels: npt.NDArray[np.integer]) -> OutOfFold:
    """Scores over the rows that the contender has out-of-fold probabilities for.

    Raises:
        ValueError: Rows that do not fit the labels, or another number of them than ``oof_rows`` says.
    """
    covered = contender.covered()
    if contender.oof_proba is not None and len(covered) != len(labels):
        raise ValueError(f"{contender.name}: {len(covered)} out-of-fold rows where {len(labels)} have labels")
    rows = int(covered.sum())
    if contender.oof_rows is not None and contender.oof_rows != rows:
        raise ValueError(f"{contender.name}: oof_rows is {contender.oof_rows}, but {rows} rows have probabilities")
    if contender.oof_proba is None or rows == 0:
        return OutOfFold(None, None, 0)
    proba, true = contender.oof_proba[covered], labels[covered]
    return OutOfFold(accuracy(proba, true), log_loss(proba, true), rows)


def best_by_oof(
    contenders: Sequence[Contender], labels: npt.NDArray[np.integer], roles: Sequence[str] = ROLES
) -> Contender:
    """The contender to pick: highest out-of-fold accuracy, then lower log loss, then name. Never looks at test rows.

    Raises:
        ValueError: None of these roles has out-of-fold rows.
    """
    able = [c for c in contenders if c.role in roles and c.covered().any()]
    if not able:
        raise ValueError(f"no contender of role {', '.join(roles)} has out-of-fold rows")
    scores = {c.name: out_of_fold(c, labels) for c in able}
    return min(able, key=lambda c: rank(c, scores[c.name]))


def rank(contender: Contender, oof: OutOfFold) -> tuple[float, float, str]:
    """Ascending order of this key is best first: out-of-fold accuracy, then log loss, then name; no rows come last."""
    if oof.accuracy is None or oof.log_loss is None:
        return (float("inf"), float("inf"), contender.name)
    return (-oof.accuracy, oof.log_loss, contender.name)
