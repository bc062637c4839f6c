"""Invented records and streams for the console's tests."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from fertune.store.records import FoldRun, SearchRecord, StackRecord
from fertune.trial import Failure, FailureKind, Rung, State, Trial

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Stream(io.StringIO):
    """A stream that says what it is asked to say of itself."""

    def __init__(self, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:
        return self._encoding


def wide(text: str) -> int:
    """Cells of the widest line, escape sequences not counted."""
    return max((cell_len(line) for line in ESCAPE.sub("", text).splitlines()), default=0)


def info(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "search",
        "name": "leaky-01",
        "created": 1.0,
        "resume": "fertune search --out runs/leaky-01 --resume",
        "options": {"trials": 30, "workers": 1},
        "engine": "hyperband",
        "cores": 4,
        "devices": ["CPU"],
        "objective": {"name": "val_accuracy", "direction": "max"},
        "space": {"name": "leaky_cnn", "params": {"learning_rate": {}, "blocks": {}, "filters": {}, "dropout": {}}},
        "data": {
            "name": "fer2013",
            "fingerprint": "f" * 64,
            "shape": [48, 48, 1],
            "classes": ["a", "b"],
            "counts": {"train": [20000, 8709], "validation": [3000, 589], "test": [3000, 589]},
        },
        **changes,
    }


def trial(
    number: int,
    state: State = State.COMPLETED,
    value: float | None = 0.5,
    epochs: int = 9,
    seconds: float = 62.0,
    failure: Failure | None = None,
    params: dict[str, Any] | None = None,
    **changes: Any,
) -> Trial:
    drawn = {"learning_rate": 0.001 * (number + 1), "blocks": 2 + number % 4, "filters": 32 + number, "dropout": 0.22}
    history = changes.pop("history", None) or tuple(
        {"epoch": float(e), "value": 0.3 + e / 50, "val_accuracy": 0.3 + e / 50} for e in range(1, epochs + 1)
    )
    return Trial(
        number,
        params if params is not None else drawn,
        state,
        (Rung(9, {"bracket": 2, "rung": 0}, value, epochs, seconds),),
        history=history,
        value=value,
        failure=failure,
        best_epoch=epochs or None,
        ended=None if state is State.RUNNING else 2.0,
        **changes,
    )


def thirty() -> tuple[Trial, ...]:
    """27 completed, 2 pruned, 1 failed; trial 7 leads."""
    trials = [trial(i, value=0.6312 if i == 7 else 0.40 + i / 1000) for i in range(27)]
    trials += [trial(i, State.PRUNED, 0.41, epochs=3, seconds=19) for i in (27, 28)]
    return (*trials, trial(29, State.FAILED, None, 1, 6, Failure(FailureKind.NAN_LOSS, "loss is nan in epoch 1")))


def search_record(
    folder: Path,
    trials: tuple[Trial, ...] = (),
    status: str = "finished",
    reason: str = "",
    seconds: float = 1180.0,
    **changes: Any,
) -> SearchRecord:
    return SearchRecord(folder, info(**changes), trials, status, reason, seconds)


def row(
    name: str,
    role: str,
    accuracy: float | None,
    difference: float | None,
    p: float | None = None,
    seconds: float = 100.0,
    **changes: Any,
) -> dict[str, Any]:
    half = 0.016
    return {
        "name": name,
        "role": role,
        "accuracy": accuracy,
        "accuracy_low": None if accuracy is None else accuracy - half,
        "accuracy_high": None if accuracy is None else accuracy + half,
        "difference": difference,
        "difference_low": None if difference is None else difference - 0.008,
        "difference_high": None if difference is None else difference + 0.008,
        "n": 0 if accuracy is None else 3589,
        "macro_f1": None,
        "log_loss": None,
        "p_value": p,
        "p_holm": p,
        "gained": None if difference is None else 60,
        "lost": None if difference is None else 20,
        "seconds": seconds,
        "oof_accuracy": 0.64,
        "oof_rows": 32298,
        "predict_seconds": None,
        "without_twins": None,
        **changes,
    }


SENTENCES = {
    "helped": "Stacking helped: logistic is right on 66.1 % of 3,589 test pictures, 1.2 points more than the best "
    "single model (95 % interval +0.4 to +2.0).",
    "hurt": "Stacking hurt: logistic is right on 63.7 % of 3,589 test pictures, 1.2 points less than the best single "
    "model (95 % interval −2.0 to −0.4).",
    "none": "No difference that these 3,589 pictures can show: +0.3 points (−0.5 to +1.1). One under about 1.1 points "
    "would likely have been missed.",
    "no_test": "No verdict: no labelled test rows",
}


def comparison(kind: str = "helped", **changes: Any) -> dict[str, Any]:
    gain = {"helped": 0.012, "hurt": -0.012, "none": 0.003, "no_test": None}[kind]

    def tested(x: float) -> float | None:
        return None if gain is None else x

    rows = [
        row("leaky_cnn 7", "single", tested(0.649), None),
        row("logistic", "meta", None if gain is None else 0.649 + gain, gain, tested(0.014), 520.0),
        row("square-root weights", "variant", tested(0.643), tested(-0.006), tested(0.28), 100.0),
        row("mean", "average", tested(0.659), tested(0.010), tested(0.043), 515.0),
        row("decision tree", "meta", tested(0.630), tested(-0.019), tested(0.0001), 520.0),
    ]
    return {
        "rows": rows,
        "best_single": "leaky_cnn 7",
        "chosen": "logistic",
        "n_test": 0 if gain is None else 3589,
        "n_oof": 32298,
        "n_test_twins": 0,
        "majority": tested(0.245),
        "predictor": "mean of 5 fold models",
        "verdict": {"kind": kind, "sentence": SENTENCES[kind], "detectable": None},
        "left_out": [],
        **changes,
    }


def stack_info(**changes: Any) -> dict[str, Any]:
    return info(
        kind="stack",
        name="stack-01",
        resume="fertune stack --out runs/stack-01 --resume",
        options={"workers": 1},
        members=[{"name": "leaky_cnn 7", "epochs": 9}, {"name": "relu_cnn 3", "epochs": 12}],
        **changes,
    )


def fold(
    member: str = "leaky_cnn 7",
    number: int = 0,
    kind: str = "fold",
    state: str = "completed",
    failure: Failure | None = None,
) -> FoldRun:
    return FoldRun(member, number, kind, state, None if failure else 0.631, 9, 8, 62.0, 1000, (), failure)


class FakeStack(StackRecord):
    """A stack whose comparison does not lie in a file."""

    table: dict[str, Any] | None = None

    @property
    def comparison(self) -> dict[str, Any] | None:
        return self.table


def stack_record(
    folder: Path,
    table: dict[str, Any] | None,
    runs: tuple[FoldRun, ...] = (),
    status: str = "finished",
    reason: str = "compared",
) -> FakeStack:
    record = FakeStack(folder, stack_info(), runs, status, reason, 640.0)
    object.__setattr__(record, "table", table)
    return record
