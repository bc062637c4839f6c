"""Made-up stacks that helped, hurt or tied; their numbers come from fertune's own comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fertune.evaluation import Contender, compare
from fertune.store.records import FoldRun
from fertune.trial import Failure, FailureKind
from tests.report.made import FER, MemoryStack, faces, history, info, pictures, probabilities, samples

EXPLAIN = {
    "mean": lambda names, classes: {"kind": "weights", "weights": {n: 1 / len(names) for n in names}},
    "greedy": lambda names, classes: {
        "kind": "weights",
        "weights": dict(zip(names, _weights(len(names)), strict=True)),
    },
    "logistic": lambda names, classes: {
        "kind": "coefficients",
        "features": [f"{n}: {c}" for n in names for c in classes],
        "classes": list(classes),
        "values": np.random.default_rng(4).normal(0.3, 0.4, (len(classes), len(names) * len(classes))).tolist(),
    },
    "xgboost": lambda names, classes: {
        "kind": "importances",
        "features": [f"{n}: {c}" for n in names for c in classes],
        "values": (np.arange(len(names) * len(classes), 0, -1) / sum(range(len(names) * len(classes) + 1))).tolist(),
    },
    "decision_tree": lambda names, classes: tree(names, classes),
}


def _weights(n: int) -> list[float]:
    raw = [max(0, n - 1 - i) for i in range(n)] if n > 1 else [1]
    return [r / sum(raw) for r in raw]


def tree(names: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    nodes, number = [], 0

    def grow(parent: int | None, side: str | None, depth: int, rows: int) -> None:
        nonlocal number
        mine, number = number, number + 1
        leaf = depth == 3 and side == "left" or (depth == 2 and side == "right")
        nodes.append(
            {
                "id": mine,
                "parent": parent,
                "side": side,
                "depth": depth,
                "rows": rows,
                "class": classes[(mine * 3) % len(classes)],
                "share": 0.4 + 0.05 * depth,
                "leaf": leaf,
                "feature": None if leaf else f"{names[mine % len(names)]}: {classes[mine % len(classes)]}",
                "threshold": None if leaf else 0.31 + 0.04 * depth,
            }
        )
        if not leaf and depth < 3:
            grow(mine, "left", depth + 1, rows * 2 // 3)
            grow(mine, "right", depth + 1, rows // 3)

    grow(None, None, 0, 32298)
    return {"kind": "tree", "depth": 6, "leaves": 31, "nodes": nodes}


def mistakes(test: dict[str, np.ndarray], column: int, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The 24 surest mistakes of one row of the table, as a stack stores them."""
    proba = test["proba"][:, column]
    wrong = np.flatnonzero(proba.argmax(axis=1) != labels)
    picked = wrong[np.argsort(-proba[wrong].max(axis=1), kind="stable")][:24]
    mine = labels[picked].astype(np.int32)
    return {"images": faces(mine, 6), "labels": mine, "row": test["row"][picked]}


def stack(
    verdict: str = "helped",
    *,
    classes: tuple[str, ...] = FER,
    members: int = 4,
    labels: bool = True,
    seed: int = 0,
    counts: dict[str, Any] | None = None,
    chosen: str = "logistic",
    name: str = "stack-01",
    done: bool = True,
    names: tuple[str, ...] | None = None,
    cv: int = 0,
) -> MemoryStack:
    """A stack whose chosen meta-learner helped, hurt or tied; numbers come from fertune's own comparison.

    Args:
        cv: Folds of the search that chose the members; 0 for none.
    """
    k = len(classes)
    record_info = info("stack", name, classes, counts)
    test_counts = tuple(record_info["data"]["counts"]["test"])
    names = names or tuple(["leaky_cnn 7", "leaky_cnn 12", "relu_cnn 3", "relu_cnn 9"][:members])
    rng = np.random.default_rng(seed)
    m = 4000
    oof_labels = rng.choice(
        k, m, p=np.array(record_info["data"]["counts"]["train"]) / sum(record_info["data"]["counts"]["train"])
    ).astype(np.int64)
    test_labels = np.repeat(np.arange(k), test_counts)[rng.permutation(sum(test_counts))]
    hard_oof, hard_test = rng.normal(size=(m, k)), rng.normal(size=(len(test_labels), k))
    lift = {"helped": 0.13, "hurt": -0.13, "tie": 0.01}.get(verdict, 0.1)
    contenders, oof, test = [], [], []

    def add(label: str, role: str, skill: float, seconds: float, i: int) -> None:
        out = probabilities(oof_labels, k, skill, 100 + i, hard_oof)
        seen = probabilities(test_labels, k, skill, 200 + i, hard_test)
        contenders.append(Contender(label, role, seen if labels else None, out, m, seconds, 1.5 * seconds / 500))
        oof.append(out)
        test.append(seen)

    for i, member in enumerate(names):
        add(member, "single", 2.05 - 0.08 * i, 500 - 40 * i, i)
    base = 2.05
    if members > 1 or len(names) > 1:
        add("square-root weights", "variant", base - 0.06, 505, 10)
        add(f"bagged {names[0]}"[:60], "variant", base + 0.02, 900, 11)
        add("mean", "average", base + lift * 0.8, 1840, 12)
        add("greedy", "average", base + lift * 0.9, 1840, 13)
        add("decision_tree", "meta", base - 0.2, 1850, 14)
        add("xgboost", "meta", base + lift * 0.4, 1900, 15)
    add("logistic", "meta", base + lift, 1860, 16)
    twin = rng.random(len(test_labels)) < 0.08
    comparison = compare(
        contenders,
        test_labels=test_labels if labels else None,
        test_twin=twin if labels else None,
        oof_labels=oof_labels,
        reference=names[0],
        chosen=chosen,
        resamples=400,
        predictor="mean of 5 fold models",
        left_out=[{"name": "relu_cnn 14", "reason": "3 of 5 folds when time was up"}],
    )
    folds = np.arange(m) % 5
    runs = []
    for member in names:
        for f in range(5):
            rows = history(0.58 + 0.01 * f, 12, rng)
            best = max(rows, key=lambda r: r["val_accuracy"])
            runs.append(
                FoldRun(
                    member, f, "fold", "completed", best["val_accuracy"], 12, int(best["epoch"]), 98.0, 1_170_000, rows
                )
            )
    runs.append(
        FoldRun("relu_cnn 14", 0, "fold", "failed", failure=Failure(FailureKind.OUT_OF_MEMORY, "OOM when allocating"))
    )
    record_info |= {
        "members": [
            {
                "name": n,
                "run": n.split(" ")[0] + "-01",
                "trial": i,
                "space": n.split(" ")[0],
                "params": {"blocks": 3, "learning_rate": 0.00061},
                "search_score": 0.63 - 0.01 * i,
                "class_weight": "none",
                **({"cv": cv} if cv else {}),
            }
            for i, n in enumerate(names)
        ],
        "runs": ["leaky-01", "relu-01"],
    }
    learners = [
        {
            "name": c.name,
            "role": c.role,
            "params": {"C": 0.31, "features": "log"} if c.name == "logistic" else {},
            "trials": 12 if c.role == "meta" else 1,
            "oof_accuracy": r["oof_accuracy"],
            "oof_log_loss": 1.02,
            "seconds": 14.0,
            "explain": EXPLAIN[c.name](names, classes),
        }
        for c in contenders
        if c.role in ("average", "meta")
        for r in comparison["rows"]
        if r["name"] == c.name
    ]
    rows = np.arange(len(test_labels), dtype=np.int32) + 32298
    test_arrays = {
        "row": rows,
        "labels": test_labels.astype(np.int32) if labels else np.full(len(rows), -1, np.int32),
        "twin": twin,
        "proba": np.stack(test, axis=1).astype(np.float32),
        "names": np.array([c.name for c in contenders]),
    }
    stored = {
        "oof": {
            "row": np.arange(m, dtype=np.int32),
            "labels": oof_labels,
            "groups": np.arange(m),
            "fold": folds.astype(np.int8),
            "proba": np.stack(oof[: len(names)], axis=1).astype(np.float32),
            "names": np.array(names),
        },
        "folds": {
            f"fold{i}_{part}": rows
            for i in range(5)
            for part, rows in (
                ("fit", np.flatnonzero((folds != i) & (np.arange(m) % 10 != 9 - i))),
                ("held_out", np.flatnonzero(folds == i)),
                ("stop", np.flatnonzero((folds != i) & (np.arange(m) % 10 == 9 - i))),
            )
        },
        "test": test_arrays,
        "mistakes": mistakes(test_arrays, [c.name for c in contenders].index(chosen), test_labels),
        "gallery": pictures({**test_arrays, "labels": test_labels.astype(np.int32)}),
        "samples": samples(k),
    }
    if not done:
        return MemoryStack(
            Path("runs") / name, record_info, tuple(runs[:7]), "interrupted", "", 700.0, [], {}, None, None
        )
    return MemoryStack(
        Path("runs") / name,
        record_info,
        tuple(runs),
        "finished",
        "compared",
        2950.0,
        [],
        stored,
        comparison,
        {"learners": learners},
    )
