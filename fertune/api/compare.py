"""``fertune compare`` and ``ft.compare``: runs side by side, and paired where their stored rows are the same.

Needs no data set and no model: searches are compared by ``validation.npz``, on the rows that chose, stacks by
``test.npz``, on rows that chose nothing. The first run is the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fertune.api.runs import SearchRun, StackRun
from fertune.errors import RunError
from fertune.evaluation import holm, judge, mcnemar, paired_bootstrap, predicted
from fertune.evaluation.verdict import FEW, POWER
from fertune.evaluation.words import count, decimals_for, percent, pictures, points
from fertune.store import SearchRecord, StackRecord, open_record

if TYPE_CHECKING:
    import pandas as pd

CHOSE = "the rows used to choose"
TESTED = "test rows"
VERDICTS = {"helped": "better", "hurt": "worse", "none": "no difference shown"}
Run = str | Path | SearchRun | StackRun


@dataclass(frozen=True)
class Compared:
    """Runs side by side.

    Attributes:
        kind: ``search`` or ``stack``.
        runs: One mapping a run, in the order given: what it is, its score, its cost.
        differ: Path of what was asked for -> its values, one a run; only where they differ.
        pairs: Each later run against the first, over the same rows; empty where there are none in common.
        notes: What the numbers do not say by themselves.
    """

    kind: str
    runs: tuple[dict[str, Any], ...]
    differ: dict[str, list[Any]]
    pairs: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune compare --json``; its schema is ``docs/schema/compare.json``."""
        return {
            "kind": "compare",
            "of": self.kind,
            "runs": list(self.runs),
            "differ": self.differ,
            "pairs": list(self.pairs),
            "notes": list(self.notes),
        }

    def frame(self) -> pd.DataFrame:
        """One row a run; its paired difference to the first one, where there is one, stands beside it."""
        import pandas as pd

        beside = ("difference", "difference_low", "difference_high", "p_value", "p_holm", "verdict")
        pairs = {pair["path"]: pair for pair in self.pairs}
        return pd.DataFrame([{**run, **{k: pairs.get(run["path"], {}).get(k) for k in beside}} for run in self.runs])

    def __repr__(self) -> str:
        names = ", ".join(run["run"] for run in self.runs)
        return "\n".join([f"{self.kind}: {names}", *(pair["sentence"] for pair in self.pairs)])


def compare(*runs: Run, seed: int = 0) -> Compared:
    """Two or more searches, or two or more stacks, side by side.

    Args:
        runs: Folders, or runs.
        seed: Of the resamples behind the intervals.

    Raises:
        RunError: Fewer than two, one twice, no such run, or a search beside a stack.
    """
    paths = [run.path if isinstance(run, SearchRun | StackRun) else Path(run) for run in runs]
    if len(paths) < 2:
        raise RunError(f"{count(len(paths))} run{'' if len(paths) == 1 else 's'} given; a comparison needs two or more")
    twice = sorted({str(p) for p in paths if [q.resolve() for q in paths].count(p.resolve()) > 1})
    if twice:
        raise RunError(f"{', '.join(twice)}: is given twice")
    records = [open_record(path) for path in paths]
    searches = [r for r in records if isinstance(r, SearchRecord)]
    stacks = [r for r in records if isinstance(r, StackRecord)]
    if searches and stacks:
        raise RunError(
            "a search and a stack cannot be compared: their scores come from other rows",
            details=[f"{p}: is a {r.info['kind']}" for p, r in zip(paths, records, strict=True)],
            help=f"a stack compares its own members: fertune show {paths[records.index(stacks[0])]}",
        )
    shown = (
        [_search(p, r) for p, r in zip(paths, searches, strict=True)]
        if searches
        else [_stack(p, r) for p, r in zip(paths, stacks, strict=True)]
    )
    notes = _data_notes(records)
    pairs: list[dict[str, Any]] = []
    if not notes:
        pairs = _pairs(records, shown, notes, seed)
    if searches:
        notes.append("search scores are optimistic: the best of many on the rows that chose it")
        if len({r.objective.name for r in searches}) > 1:
            notes.append("the searches have other objectives: their scores are no common scale")
    return Compared(records[0].info["kind"], tuple(shown), _differences(records), tuple(pairs), tuple(notes))


def _common(path: Path, record: SearchRecord | StackRecord) -> dict[str, Any]:
    data = record.info["data"]
    return {
        "run": record.name,
        "path": str(path),
        "state": record.status,
        "data": data["name"],
        "data_fingerprint": data["fingerprint"],
        "seconds": round(record.seconds, 3),
    }


def _search(path: Path, record: SearchRecord) -> dict[str, Any]:
    best = record.best
    states = [t.state.value for t in record.trials]
    return {
        **_common(path, record),
        "space": record.info["space"]["name"],
        "engine": record.info["engine"],
        "objective": record.objective.name,
        "direction": record.objective.direction,
        "value": None if best is None else best.value,
        "best_trial": None if best is None else best.id,
        "params": {} if best is None else dict(best.params),
        "trials": len(states),
        "completed": states.count("completed"),
        "pruned": states.count("pruned"),
        "failed": states.count("failed"),
        "train_seconds": round(sum(t.seconds for t in record.trials), 3),
    }


def _stack(path: Path, record: StackRecord) -> dict[str, Any]:
    found = record.comparison
    rows = {row["name"]: row for row in found["rows"]} if found else {}
    chosen = rows.get(found["chosen"], {}) if found else {}
    return {
        **_common(path, record),
        "members": [m["name"] for m in record.info["members"]],
        "chosen": found["chosen"] if found else None,
        "best_single": found["best_single"] if found else None,
        "accuracy": chosen.get("accuracy"),
        "accuracy_low": chosen.get("accuracy_low"),
        "accuracy_high": chosen.get("accuracy_high"),
        "oof_accuracy": chosen.get("oof_accuracy"),
        "n_test": found["n_test"] if found else 0,
        "verdict": found["verdict"]["sentence"] if found else None,
        "train_seconds": chosen.get("seconds"),
        "predict_seconds": chosen.get("predict_seconds"),
    }


def _data_notes(records: Sequence[SearchRecord | StackRecord]) -> list[str]:
    prints = {r.info["data"]["fingerprint"] for r in records}
    if len(prints) == 1:
        return []
    listed = ", ".join(f"{r.name}: {r.info['data']['name']} ({r.info['data']['fingerprint'][:12]})" for r in records)
    return [f"the runs were made on different data ({listed}): no paired difference"]


def _differences(records: Sequence[SearchRecord | StackRecord]) -> dict[str, list[Any]]:
    """What was asked for where it is not the same in all runs, by its path, e.g. ``space.params.dropout.high``."""
    flat = [dict(_leaves(_asked(r.info), "")) for r in records]
    names = list(dict.fromkeys(name for one in flat for name in one))
    same = ("options.workers", "options.time_budget")
    differ = {name: [one.get(name) for one in flat] for name in names if not name.startswith(same)}
    return {name: values for name, values in differ.items() if any(v != values[0] for v in values)}


def _asked(info: Mapping[str, Any]) -> dict[str, Any]:
    """What a run was asked for; of a stack that trained nothing only what its meta-learners were."""
    asked = {key: info.get(key) for key in ("engine", "options", "space", "members", "backend")}
    if "from_oof" in info:
        asked["options"] = {k: v for k, v in info["options"].items() if k in ("meta", "meta_trials", "seed")}
    return asked


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key, v in value.items() for leaf in _leaves(v, f"{path}.{key}" if path else str(key))]
    if path == "members":
        return [(path, [member["name"] for member in value or ()])] if value else []
    return [] if value is None else [(path, value)]


def _pairs(
    records: Sequence[SearchRecord | StackRecord], shown: Sequence[dict[str, Any]], notes: list[str], seed: int
) -> list[dict[str, Any]]:
    stored = [_answers(record, one) for record, one in zip(records, shown, strict=True)]
    on = CHOSE if isinstance(records[0], SearchRecord) else TESTED
    if stored[0] is None:
        notes.append(f"{records[0].name} has no stored predictions for {on}: no paired difference")
        return []
    pairs = []
    for record, one, answers in zip(records[1:], shown[1:], stored[1:], strict=True):
        if answers is None:
            notes.append(f"{record.name} has no stored predictions for {on}: no paired difference")
        elif not np.array_equal(answers.rows, stored[0].rows) or not np.array_equal(answers.labels, stored[0].labels):
            notes.append(f"{record.name} predicted other rows than {records[0].name}: no paired difference")
        else:
            pairs.append(_pair(records[0].name, record.name, one["path"], stored[0], answers, on, seed))
    for pair, adjusted in zip(pairs, holm([p["p_value"] for p in pairs]), strict=True):
        pair["p_holm"] = adjusted
    if pairs and on == TESTED and stored[0].groups is None:
        notes.append("the older of these runs stored no twin clusters: intervals take each test row by itself")
    return pairs


@dataclass(frozen=True, eq=False)
class _Answers:
    """Stored probabilities in the order of rows.

    Attributes:
        rows: (n,) int, names of the rows.
        labels, guess: (n,) int.
        groups: (n,) int, twin clusters; None where they were not stored.
    """

    rows: np.ndarray
    labels: np.ndarray
    guess: np.ndarray
    groups: np.ndarray | None


def _answers(record: SearchRecord | StackRecord, shown: dict[str, Any]) -> _Answers | None:
    """Of the best trial, or of the chosen stack; None where they are not stored."""
    arrays = record.arrays("validation" if isinstance(record, SearchRecord) else "test")
    if arrays is None:
        return None
    proba = arrays["proba"]
    if isinstance(record, StackRecord):
        proba = proba[:, [str(name) for name in arrays["names"]].index(shown["chosen"])]
    order = np.argsort(arrays["row"], kind="stable")
    groups = arrays.get("groups")
    groups = None if groups is None else groups[order]
    return _Answers(arrays["row"][order], arrays["labels"][order], predicted(proba)[order], groups)


def _pair(a: str, b: str, path: str, first: _Answers, second: _Answers, on: str, seed: int) -> dict[str, Any]:
    correct = np.stack([first.guess == first.labels, second.guess == second.labels], axis=1)
    n = len(correct)
    found = paired_bootstrap(correct, np.arange(n) if first.groups is None else first.groups, seed=seed)
    test = mcnemar(correct[:, 0], correct[:, 1])
    low, high = float(found.difference_low[1]), float(found.difference_high[1])
    pair = {
        "reference": a,
        "run": b,
        "path": path,
        "on": on,
        "n": n,
        "accuracy_reference": float(found.accuracy[0]),
        "accuracy": float(found.accuracy[1]),
        "difference": float(found.difference[1]),
        "difference_low": low,
        "difference_high": high,
        "gained": test.gained,
        "lost": test.lost,
        "p_value": test.p,
        "p_holm": test.p,
        "verdict": VERDICTS[judge(low, high, test.gained, test.lost)],
        "same_answers": bool(np.all(first.guess == second.guess)),
    }
    error = float(found.standard_error[1])
    return {**pair, "sentence": _sentence(pair, POWER * error if error > 0 else None)}


def _sentence(pair: dict[str, Any], detectable: float | None) -> str:
    """What a pair came to, and on which rows."""
    a, b, n = pair["reference"], pair["run"], pair["n"]
    rows = pictures(n, "test") if pair["on"] == TESTED else f"{pictures(n)} used to choose"
    if pair["same_answers"]:
        return f"No difference: {b} and {a} give the same answer on all {rows}."
    difference, low, high = pair["difference"], pair["difference_low"], pair["difference_high"]
    few = pair["gained"] + pair["lost"] < FEW
    counts = f"; {count(pair['gained'])} gained, {count(pair['lost'])} lost" if few else ""
    if pair["verdict"] != VERDICTS["none"]:
        digits = decimals_for(difference, low if difference > 0 else high)
        size = points(abs(difference), digits).lstrip("+")
        return (
            f"{b} is {pair['verdict']}: right on {percent(pair['accuracy'])} of {rows}, {size} points "
            f"{'more' if difference > 0 else 'less'} than {a} "
            f"(95 % interval {points(low, digits)} to {points(high, digits)}{counts})."
        )
    missed = (
        f" One under about {percent(detectable, decimals_for(detectable))[:-2]} points would likely have been missed."
        if detectable is not None and detectable < 1
        else ""
    )
    return (
        f"No difference between {b} and {a} that these {rows} can show: {points(difference)} points "
        f"({points(low)} to {points(high)}{counts}).{missed}"
    )
