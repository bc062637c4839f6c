"""Made-up searches: like Hyperband, with failures, running, by loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fertune.trial import Failure, FailureKind, Rung, State, Trial
from tests.report.made import FER, START, MemorySearch, history, info, pictures, predicted, samples


def trial(
    i: int,
    rng: np.random.Generator,
    budgets: tuple[int, ...] = (3, 9),
    ladder: int = 2,
    fail: FailureKind | None = None,
    **changes: Any,
) -> Trial:
    blocks = int(rng.integers(2, 5))
    params: dict[str, Any] = {
        "blocks": blocks,
        "filters": int(rng.choice([16, 32, 48, 64])),
        "batch_norm": bool(rng.random() < 0.6),
        "dropout": float(rng.uniform(0, 0.5)),
    }
    if blocks == 4:
        params["filters_4"] = int(rng.choice([64, 128, 192, 256]))
    params["learning_rate"] = float(np.exp(rng.uniform(np.log(1e-4), np.log(3e-2))))
    if fail is FailureKind.NAN_LOSS:
        params["learning_rate"] = float(rng.uniform(0.022, 0.03))
    elif params["learning_rate"] > 0.02:
        params["learning_rate"] = 0.019
    started = START + 60 * i
    if fail is not None:
        message = {
            FailureKind.NAN_LOSS: "loss is NaN at epoch 1",
            FailureKind.INVALID_SHAPE: "block 6 pools a 1x1 map (48x48 input, halved in each block)",
        }
        return Trial(
            i,
            params,
            State.FAILED,
            (Rung(budgets[0], {"bracket": 1, "rung": 0}, None, 1, 6.0),),
            failure=Failure(
                fail, message.get(fail, "/home/ann/fertune/training/runner.py: ResourceExhausted"), "trace"
            ),
            started=started,
            ended=started + 6,
        )
    level = (
        0.5
        + 0.08 * params["batch_norm"]
        - 0.09 * (np.log10(params["learning_rate"]) + 3) ** 2
        + 0.02 * (blocks - 3)
        + 0.0006 * params["filters"]
        + rng.normal(0, 0.015)
    )
    level = float(max(0.22, level))
    given = budgets[:ladder]
    rows = history(level, given[-1], rng, params["learning_rate"])
    rungs, spent = [], 0
    for n, b in enumerate(given):
        best = max(r["val_accuracy"] for r in rows[:b])
        rungs.append(Rung(b, {"bracket": 1, "rung": n}, best, b, 6.5 * (b - spent)))
        spent = b
    best_row = max(rows, key=lambda r: r["val_accuracy"])
    made = Trial(
        i,
        params,
        State.COMPLETED if ladder == len(budgets) else State.PRUNED,
        tuple(rungs),
        rows,
        best_row["val_accuracy"],
        int(best_row["epoch"]),
        100_000 + 37_000 * blocks,
        None,
        started,
        started + 6.5 * given[-1],
    )
    return made.but(**changes)


def trials(n: int, failures: int = 3, seed: int = 0) -> tuple[Trial, ...]:
    """Hyperband-like: every third is promoted."""
    rng = np.random.default_rng(seed)
    out = []
    bad = {n // 3: FailureKind.NAN_LOSS, n // 2: FailureKind.NAN_LOSS, n - 4: FailureKind.INVALID_SHAPE}
    for i in range(n):
        fail = bad.get(i) if failures and n > 6 else None
        out.append(trial(i, rng, ladder=2 if i % 3 == 1 else 1, fail=fail))
    return tuple(out)


def search(
    n: int = 30,
    *,
    status: str = "finished",
    failures: int = 3,
    classes: tuple[str, ...] = FER,
    name: str = "leaky-01",
    stored: bool = True,
    counts: dict[str, Any] | None = None,
    made: tuple[Trial, ...] | None = None,
) -> MemorySearch:
    """A search with ``n`` trials."""
    made = trials(n, failures) if made is None else made
    record_info = info("search", name, classes, counts)
    arrays: dict[str, dict[str, np.ndarray]] = {"samples": samples(len(classes))}
    if stored and any(t.scored for t in made):
        validation = predicted(len(classes), tuple(record_info["data"]["counts"]["validation"]), 2.0, 1)
        arrays |= {"validation": validation, "gallery": pictures(validation)}
    return MemorySearch(Path("runs") / name, record_info, made, status, "all trials are done", 1180.0, arrays)


def all_failed(n: int = 5) -> MemorySearch:
    rng = np.random.default_rng(1)
    made = tuple(trial(i, rng, fail=FailureKind.INVALID_SHAPE) for i in range(n))
    return search(made=made, name="leaky-03", stored=False)


def running() -> MemorySearch:
    made = (*trials(11), Trial(11, {"blocks": 3}, State.RUNNING, (Rung(9),), (), started=START + 700))
    return search(made=made, status="running")


def by_loss() -> MemorySearch:
    """Lower is better."""
    record = search(14)
    made = tuple(
        t.but(
            value=2.1 - 1.7 * t.value,
            rungs=tuple(Rung(r.budget, r.tags, 2.1 - 1.7 * (r.value or 0), r.epochs, r.seconds) for r in t.rungs),
        )
        if t.value
        else t
        for t in record.trials
    )
    changed = {**record.info, "objective": {"name": "val_loss", "direction": "min"}}
    return MemorySearch(record.folder, changed, made, "finished", "", 600.0, record.stored)
