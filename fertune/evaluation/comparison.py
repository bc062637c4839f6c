"""One table: every contender on the same test rows, against the best single model. Law 9 is held here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.evaluation.bootstrap import RESAMPLES, Intervals, paired_bootstrap
from fertune.evaluation.contender import ROLES, Contender, OutOfFold, out_of_fold, rank
from fertune.evaluation.metrics import log_loss, macro_f1, predicted
from fertune.evaluation.paired import McNemar, holm, mcnemar
from fertune.evaluation.verdict import Verdict, judge, no_test, twins_sentence, write_verdict

_TEST_FIELDS = (
    "accuracy", "accuracy_low", "accuracy_high", "difference", "difference_low", "difference_high", "macro_f1",
    "log_loss", "p_value", "p_holm", "gained", "lost", "without_twins",
)  # fmt: skip


def compare(
    contenders: Sequence[Contender],
    *,
    test_labels: npt.NDArray[np.integer] | None,
    test_groups: npt.NDArray[np.integer] | None = None,
    test_twin: npt.NDArray[np.bool_] | None = None,
    oof_labels: npt.NDArray[np.integer],
    reference: str,
    chosen: str,
    seed: int = 0,
    resamples: int = RESAMPLES,
    predictor: str = "",
    left_out: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The comparison of a stack, as ``comparison.json`` stores it: plain Python numbers, None where there is none.

    Rows stand in an order that no test number can change: the reference, the chosen stack, then by role, inside a role
    by out-of-fold accuracy.

    Args:
        contenders: Names unique; ``reference`` and ``chosen`` are two of them, picked on out-of-fold rows.
        test_labels: (n,) int, all of them classes; None or empty where no test row has a label.
        test_groups: (n,) int, twin clusters of the test rows; None: no row has a twin among the test rows.
        test_twin: (n,) bool, rows that also stand among the rows trained on; None: none does.
        oof_labels: (m,) int.
        seed: Of the resamples.
        predictor: What predicts for a member, e.g. ``"mean of 5 fold models"``; the same for all rows.
        left_out: ``{"name", "reason"}`` of what could not be compared.

    Raises:
        ValueError: Contenders that cannot be compared: a bug of the caller.
    """
    by_name = {c.name: c for c in contenders}
    _check(contenders, by_name, reference, chosen)
    oof_labels = np.asarray(oof_labels)
    oof = {c.name: out_of_fold(c, oof_labels) for c in contenders}
    ordered = [by_name[reference], by_name[chosen]]
    others = [c for c in contenders if c.name not in (reference, chosen)]
    ordered += sorted(others, key=lambda c: (ROLES.index(c.role), *rank(c, oof[c.name])))
    labels = None if test_labels is None or len(test_labels) == 0 else np.asarray(test_labels)
    n = 0 if labels is None else len(labels)
    rows = [_blank(c, oof[c.name], n) for c in ordered]
    ruling = no_test()
    n_twins = 0 if test_twin is None or labels is None else int(np.sum(test_twin))
    if labels is not None:
        table = _Table(labels, ordered, test_groups, test_twin, seed, resamples)
        table.fill(rows)
        ruling = table.ruling(n_twins)
    return {
        "rows": rows,
        "best_single": reference,
        "chosen": chosen,
        "n_test": n,
        "n_oof": len(oof_labels),
        "n_test_twins": n_twins,
        "majority": None if labels is None else _majority(oof_labels, labels),
        "predictor": predictor,
        "verdict": ruling.to_json(),
        "left_out": [dict(one) for one in left_out],
    }


class _Table:
    """Test numbers of the contenders that have test probabilities; the reference is column 0, the chosen column 1."""

    def __init__(
        self,
        labels: npt.NDArray[np.integer],
        ordered: Sequence[Contender],
        groups: npt.NDArray[np.integer] | None,
        twin: npt.NDArray[np.bool_] | None,
        seed: int,
        resamples: int,
    ) -> None:
        n = len(labels)
        self.labels, self.seed, self.resamples = labels, seed, resamples
        self.groups = np.arange(n) if groups is None else np.asarray(groups)
        self.alone = np.ones(n, dtype=bool) if twin is None else ~np.asarray(twin, dtype=bool)
        if self.groups.shape != (n,) or self.alone.shape != (n,):
            raise ValueError(f"groups {self.groups.shape}, twins {self.alone.shape} where ({n},) is needed")
        self.names = [c.name for c in ordered if c.test_proba is not None]
        if self.names[:2] != [c.name for c in ordered[:2]]:
            raise ValueError("the reference and the chosen stack need test probabilities")
        self.probas = [c.test_proba for c in ordered if c.test_proba is not None]
        for name, proba in zip(self.names, self.probas, strict=True):
            if proba.ndim != 2 or len(proba) != n or not np.all(np.isfinite(proba)):
                raise ValueError(f"{name}: test probabilities {proba.shape} where {n} finite rows are needed")
        self.guess = np.stack([predicted(p) for p in self.probas], axis=1)
        self.correct = self.guess == labels[:, None]
        self.all = self._bootstrap(np.ones(n, dtype=bool))
        self.tests = [mcnemar(self.correct[:, 0], column) for column in self.correct.T]
        self.without = self._bootstrap(self.alone) if self.alone.any() and not self.alone.all() else None

    def fill(self, rows: Sequence[dict[str, Any]]) -> None:
        adjusted = holm([test.p for test in self.tests[1:]])
        at = {name: column for column, name in enumerate(self.names)}
        for row in rows:
            if row["name"] not in at:
                continue
            column = at[row["name"]]
            proba, test = self.probas[column], self.tests[column]
            row.update(
                accuracy=float(self.all.accuracy[column]),
                accuracy_low=float(self.all.low[column]),
                accuracy_high=float(self.all.high[column]),
                macro_f1=macro_f1(proba, self.labels),
                log_loss=log_loss(proba, self.labels),
                without_twins=self._without(column),
            )
            if column > 0:
                row.update(_differences(self.all, column))
                row.update(p_value=test.p, p_holm=adjusted[column - 1], gained=test.gained, lost=test.lost)

    def ruling(self, n_twins: int) -> Verdict:
        """The verdict on the chosen stack; one more sentence where it does not hold without twins."""
        row, test = self.all, self.tests[1]
        ruling = write_verdict(
            self.names[1],
            n=len(self.labels),
            accuracy=float(row.accuracy[1]),
            difference=float(row.difference[1]),
            low=float(row.difference_low[1]),
            high=float(row.difference_high[1]),
            gained=test.gained,
            lost=test.lost,
            standard_error=float(row.standard_error[1]),
            same=bool(np.all(self.guess[:, 0] == self.guess[:, 1])),
        )
        without = self._without(1)
        if without is None or without["verdict"] == ruling.kind:
            return ruling
        return Verdict(
            ruling.kind, f"{ruling.sentence} {twins_sentence(ruling.kind, n_twins, without)}", ruling.detectable
        )

    def _bootstrap(self, keep: npt.NDArray[np.bool_]) -> Intervals:
        return paired_bootstrap(self.correct[keep], self.groups[keep], seed=self.seed, resamples=self.resamples)

    def _without(self, column: int) -> dict[str, Any] | None:
        if self.without is None:
            return None
        numbers: dict[str, Any] = {"n": int(self.alone.sum()), "accuracy": float(self.without.accuracy[column])}
        if column == 0:
            return numbers | dict.fromkeys(("difference", "difference_low", "difference_high", "verdict"))
        test: McNemar = mcnemar(self.correct[self.alone, 0], self.correct[self.alone, column])
        low, high = float(self.without.difference_low[column]), float(self.without.difference_high[column])
        return numbers | _differences(self.without, column) | {"verdict": judge(low, high, test.gained, test.lost)}


def _differences(intervals: Intervals, column: int) -> dict[str, float]:
    return {
        "difference": float(intervals.difference[column]),
        "difference_low": float(intervals.difference_low[column]),
        "difference_high": float(intervals.difference_high[column]),
    }


def _blank(contender: Contender, oof: OutOfFold, n: int) -> dict[str, Any]:
    has_test = n > 0 and contender.test_proba is not None
    return {
        "name": contender.name,
        "role": contender.role,
        **dict.fromkeys(_TEST_FIELDS),
        "n": n if has_test else 0,
        "seconds": float(contender.seconds),
        "oof_accuracy": oof.accuracy,
        "oof_rows": oof.rows,
        "predict_seconds": None if contender.predict_seconds is None else float(contender.predict_seconds),
    }


def _majority(oof_labels: npt.NDArray[np.integer], test_labels: npt.NDArray[np.integer]) -> float | None:
    """Test accuracy of always answering the class that is most frequent among the out-of-fold rows."""
    if len(oof_labels) == 0:
        return None
    return float(np.mean(test_labels == np.argmax(np.bincount(oof_labels))))


def _check(contenders: Sequence[Contender], by_name: Mapping[str, Contender], reference: str, chosen: str) -> None:
    faults = [f"role {c.role!r} of {c.name} is none of {', '.join(ROLES)}" for c in contenders if c.role not in ROLES]
    if len(by_name) < len(contenders):
        faults.append("two contenders have one name")
    faults += [f"no contender named {name!r}" for name in (reference, chosen) if name not in by_name]
    if reference == chosen:
        faults.append(f"{reference!r} is both the reference and the chosen stack")
    if faults:
        raise ValueError("; ".join(faults))
