"""The road of a stack whose members were trained elsewhere: meta-learners, and one reading of the test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fertune.config import StackOptions
from fertune.evaluation import Contender, accuracy, compare
from fertune.searching import Observer
from fertune.stacking.learners import META_SHARE, Learned, learn_all
from fertune.stacking.outcome import write_outcome, write_test
from fertune.stacking.outside import Outside
from fertune.stacking.pieces import StackHalted
from fertune.store import RunFolder


def restack(
    folder: RunFolder,
    outside: Outside,
    options: StackOptions,
    *,
    observer: Observer,
    stop_requested: Callable[[], bool],
    started: float,
) -> dict[str, Any]:
    """Fit the meta-learners, choose on out-of-fold rows, and only then look at the labels of the test rows.

    Args:
        folder: The run, open for writing.
        started: ``time.monotonic()`` from which the time budget counts.

    Returns:
        The comparison.

    Raises:
        StackHalted: The user interrupted; the journal says so.
    """
    oof = outside.oof
    oof.save(folder.path / "oof.npz")
    learned, left_out = learn_all(
        oof,
        folder.path,
        class_names=outside.class_names,
        trials=options.meta_trials,
        seed=options.seed,
        deadline=None if options.time_budget is None else started + META_SHARE * options.time_budget,
        stop_requested=stop_requested,
        observer=observer,
        names=options.meta,
    )
    if stop_requested():
        folder.journal.write("ended", status="interrupted", reason="interrupted")
        raise StackHalted
    scores = [accuracy(oof.proba[:, i], _labels(outside)) for i in range(len(oof.names))]
    best = oof.names[int(np.argmax(scores))]
    chosen = max(learned, key=lambda x: (x.oof_accuracy, -x.oof_log_loss)).name
    comparison = _compare(folder, outside, learned, best, chosen, options.seed, left_out)
    folder.journal.write("ended", status="finished", reason="compared")
    return comparison


def _labels(outside: Outside) -> np.ndarray:
    if outside.oof.labels is None:
        raise ValueError("a matrix without labels cannot be stacked")
    return outside.oof.labels


def _compare(
    folder: RunFolder,
    outside: Outside,
    learned: Sequence[Learned],
    best: str,
    chosen: str,
    seed: int,
    left_out: Sequence[dict[str, str]],
) -> dict[str, Any]:
    oof, test = outside.oof, outside.test
    member_test = None if test is None else test["proba"]
    n, whole = len(oof), sum(outside.seconds.values())
    contenders = [
        Contender(
            name,
            "single",
            None if member_test is None else member_test[:, i],
            oof.proba[:, i],
            n,
            outside.seconds.get(name, 0.0),
        )
        for i, name in enumerate(oof.names)
    ]
    contenders += [
        Contender(
            x.name,
            x.role,
            None if member_test is None else x.fitted.predict_proba(member_test),
            x.oof_proba,
            n,
            whole + x.seconds,
        )
        for x in learned
    ]
    comparison = compare(
        contenders,
        test_labels=None if test is None else test["labels"],
        test_groups=None if test is None else test.get("groups"),
        test_twin=None if test is None else test.get("twin"),
        oof_labels=_labels(outside),
        reference=best,
        chosen=chosen,
        seed=seed,
        predictor="probabilities as they were given",
        left_out=left_out,
    )
    if test is not None:
        write_test(
            folder.path,
            comparison,
            contenders,
            row=test["row"].astype(np.int32),
            labels=test["labels"].astype(np.int32),
            twin=test.get("twin", np.zeros(len(test["row"]), dtype=bool)),
            **({"groups": test["groups"].astype(np.int32)} if "groups" in test else {}),
        )
    write_outcome(folder.path, comparison, learned, outside.oof)
    return comparison
