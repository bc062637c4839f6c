"""Stored runs that live in memory: every shape that a report must stand."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fertune.evaluation import Contender, compare
from fertune.store.records import FoldRun, SearchRecord, StackRecord
from fertune.trial import Failure, FailureKind, Rung, State, Trial

FER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
COUNTS = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
START = 1_790_000_000.0
NASTY = ("<script>alert(1)</script>", "$x$", "_a", "[/red]", "a\u202eb\x1b[31m", "\U0001f600", "w" * 200)
SPACE = {
    "name": "leaky_cnn",
    "model": "conv",
    "fixed": {},
    "recipe": {},
    "params": {
        "blocks": {"type": "int", "low": 2, "high": 4},
        "filters": {"type": "choice", "values": [16, 32, 48, 64]},
        "batch_norm": {"type": "bool"},
        "dropout": {"type": "float", "low": 0.0, "high": 0.5},
        "filters_4": {"type": "int", "low": 64, "high": 256, "step": 64, "when": {"blocks": [4]}},
        "learning_rate": {"type": "float", "low": 1e-4, "high": 3e-2, "log": True},
    },
}


@dataclass(frozen=True)
class MemorySearch(SearchRecord):
    """A search whose arrays are in memory."""

    stored: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return self.stored.get(name)


@dataclass(frozen=True)
class MemoryStack(StackRecord):
    """A stack whose arrays, comparison and meta-learners are in memory."""

    stored: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    compared: dict[str, Any] | None = None
    learned: dict[str, Any] | None = None

    @property
    def comparison(self) -> dict[str, Any] | None:  # type: ignore[override]
        return self.compared

    @property
    def meta(self) -> dict[str, Any] | None:  # type: ignore[override]
        return self.learned

    def arrays(self, name: str) -> dict[str, np.ndarray] | None:
        return self.stored.get(name)


def faces(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n, 48, 48, 1) uint8: a disc with a mouth that depends on the class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:48, 0:48]
    out = []
    for label in labels:
        picture = 40 + 20 * rng.random((48, 48)) + 130 * ((x - 24) ** 2 + (y - 24) ** 2 < 400)
        bend = (int(label) % 7 - 3) * 0.012
        mouth = np.abs(y - 33 - bend * (x - 24) ** 2) < 2
        picture[mouth & (np.abs(x - 24) < 10)] = 40
        for ex in (17, 31):
            picture[(x - ex) ** 2 + (y - 19) ** 2 < 7] = 30
        out.append(np.clip(picture, 0, 255))
    return np.asarray(out, np.uint8)[..., None].reshape(-1, 48, 48, 1)


def probabilities(
    labels: np.ndarray, classes: int, skill: float, seed: int, shared: np.ndarray | None = None
) -> np.ndarray:
    """(n, classes): softmax of noise with the true class lifted."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(labels), classes))
    if shared is not None:
        logits = 0.5 * logits + shared
    logits[np.arange(len(labels)), labels] += skill
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def info(kind: str, name: str, classes: tuple[str, ...] = FER, counts: dict[str, Any] | None = None) -> dict[str, Any]:
    counts = counts or {k: list(v) for k, v in COUNTS.items()}
    both = {
        "protocol": 1,
        "kind": kind,
        "name": name,
        "created": START,
        "fertune": "0.1.0",
        "command": [
            "/home/ann/.venv/bin/fertune",
            kind,
            "--space",
            "leaky_cnn",
            "--data",
            "/home/ann/data/fer2013.csv",
        ],
        "resume": f"fertune {kind} --out /home/ann/runs/{name} --resume",
        "options": {"seed": 7, "trials": 30, "max_epochs": 9, "folds": 5, "out": f"/home/ann/runs/{name}"},
        "data": {
            "name": "fer2013",
            "source": "/home/ann/data/fer2013.csv",
            "fingerprint": "a3f1" * 16,
            "shape": [48, 48, 1],
            "classes": list(classes),
            "counts": counts,
            "unlabelled": 0,
            "twins": {"train_extra": 1237, "validation_in_train": 280, "test_in_train": 287},
            "flat": 12,
            "notes": [],
        },
        "versions": {"python": "3.11.9", "keras": "3.15.1", "tensorflow": "2.21.0"},
        "backend": "tensorflow",
        "cores": 4,
        "devices": ["CPU"],
    }
    if kind == "search":
        both |= {
            "space": SPACE,
            "space_fingerprint": "9c" * 32,
            "space_source": "# leaky_cnn\nparams:\n  blocks: 2..4\n",
            "objective": {"name": "val_accuracy", "direction": "max"},
            "engine": "hyperband",
        }
    return both


def history(level: float, epochs: int, rng: np.random.Generator, rate: float = 0.001) -> tuple[dict[str, float], ...]:
    rows = []
    for e in range(1, epochs + 1):
        up = 1 - math.exp(-e / 3)
        train = 0.2 + (level + 0.06 - 0.2) * up * (1 + 0.012 * e)
        valid = 0.2 + (level - 0.2) * up - 0.004 * max(0, e - 7) + rng.normal(0, 0.006)
        rows.append(
            {
                "epoch": e,
                "loss": 2.0 - 1.6 * train,
                "accuracy": train,
                "val_loss": 2.1 - 1.7 * valid,
                "val_accuracy": valid,
                "val_macro_f1": valid - 0.04,
                "value": valid,
                "learning_rate": rate * (0.5 if e >= 6 else 1.0),
                "seconds": 6.5,
            }
        )
    return tuple(rows)


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


def _predicted(classes: int, counts: tuple[int, ...], skill: float, seed: int) -> dict[str, np.ndarray]:
    labels = np.repeat(np.arange(classes), counts)
    rows = np.random.default_rng(seed).permutation(len(labels))
    return {
        "row": np.arange(len(labels), dtype=np.int32) + 28709,
        "labels": labels[rows].astype(np.int32),
        "proba": probabilities(labels, classes, skill, seed)[rows].astype(np.float32),
    }


def _pictures(from_rows: dict[str, np.ndarray], seed: int = 3) -> dict[str, np.ndarray]:
    picked = np.sort(np.random.default_rng(seed).permutation(len(from_rows["labels"]))[:25])
    labels = from_rows["labels"][picked]
    return {"images": faces(labels, seed), "labels": labels, "row": from_rows["row"][picked]}


def _samples(classes: int) -> dict[str, np.ndarray]:
    labels = np.repeat(np.arange(classes), 8).astype(np.int32)
    return {"images": faces(labels, 5), "labels": labels, "row": np.arange(len(labels), dtype=np.int32)}


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
    arrays: dict[str, dict[str, np.ndarray]] = {"samples": _samples(len(classes))}
    if stored and any(t.scored for t in made):
        validation = _predicted(len(classes), tuple(record_info["data"]["counts"]["validation"]), 2.0, 1)
        arrays |= {"validation": validation, "gallery": _pictures(validation)}
    return MemorySearch(Path("runs") / name, record_info, made, status, "all trials are done", 1180.0, arrays)  # type: ignore


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
) -> MemoryStack:
    """A stack whose chosen meta-learner helped, hurt or tied; numbers come from fertune's own comparison."""
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
        contenders.append(Contender(label, role, seen if labels else None, out, m, seconds, 1.5 * seconds / 500))  # type: ignore
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
        "gallery": _pictures({**test_arrays, "labels": test_labels.astype(np.int32)}),
        "samples": _samples(k),
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


def many_classes(
    k: int, empty_class: int | None = None, train: int = 100
) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """Names and counts of ``k`` classes, one of them without rows."""
    counts = {
        "train": [train + 7 * i for i in range(k)],
        "validation": [20 + i for i in range(k)],
        "test": [22 + i for i in range(k)],
    }
    if empty_class is not None:
        for values in counts.values():
            values[empty_class] = 0
    return tuple(f"class {i:02d}" for i in range(k)), counts


def _two(kind: str) -> Any:
    names, counts = many_classes(2)
    return (
        search(8, classes=names, counts=counts)
        if kind == "search"
        else stack(classes=names, counts=counts, chosen="mean")
    )


def _forty(kind: str) -> Any:
    names, counts = many_classes(40)
    return search(8, classes=names, counts=counts) if kind == "search" else stack(classes=names, counts=counts)


def _hollow(kind: str) -> Any:
    """A class without a row anywhere."""
    counts = {k: [v if i != 1 else 0 for i, v in enumerate(COUNTS[k])] for k in COUNTS}
    return search(8, counts=counts) if kind == "search" else stack(counts=counts)


MAKERS: dict[str, Any] = {
    "search-30": lambda: search(30),
    "search-0": lambda: search(0),
    "search-1": lambda: search(1),
    "search-2": lambda: search(2),
    "search-all-failed": all_failed,
    "search-running": running,
    "search-loss": by_loss,
    "search-2-classes": lambda: _two("search"),
    "search-40-classes": lambda: _forty("search"),
    "search-empty-class": lambda: _hollow("search"),
    "search-nasty": lambda: search(24, classes=NASTY, name="<script>alert(1)<", made=nasty_trials()),
    "stack-helped": lambda: stack("helped"),
    "stack-tie": lambda: stack("tie", chosen="xgboost", seed=5),
    "stack-hurt": lambda: stack("hurt", chosen="decision_tree"),
    "stack-no-test": lambda: stack(labels=False, chosen="greedy"),
    "stack-one-member": lambda: stack(members=1),
    "stack-unfinished": lambda: stack(done=False),
    "stack-2-classes": lambda: _two("stack"),
    "stack-40-classes": lambda: _forty("stack"),
    "stack-empty-class": lambda: _hollow("stack"),
    "stack-nasty": lambda: stack(classes=NASTY, names=("<script>alert(1)</script>", "$x$", "_a", "[/red]" + "w" * 200)),
}


def nasty_trials() -> tuple[Trial, ...]:
    """Parameter names and values, messages and notes that want to be more than text."""
    out = []
    for t in trials(24):
        params = {**t.params, "<script>alert(1)</script>": NASTY[t.id % len(NASTY)], "_hidden": t.id, "$x$": t.id % 3}
        failure = t.failure and Failure(t.failure.kind, "</script><script>alert(1)</script>\x1b[31m $x$")
        out.append(t.but(params=params, failure=failure))
    return tuple(out)


def every() -> dict[str, Any]:
    """Name -> record, all shapes."""
    return {name: make() for name, make in MAKERS.items()}


def html_sections(text: str) -> set[str]:
    """Ids of the sections of a page."""
    return set(re.findall(r'<section id="([\w-]+)"', text))
