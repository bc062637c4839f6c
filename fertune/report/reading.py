"""What the sections ask of a stored search: its score's units, its order, its parameters. Pure."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fertune.report.words import gap, line, number, percent
from fertune.store.records import SearchRecord, StackRecord
from fertune.trial import Objective, State, Trial, Value

_NAMES = {"val_accuracy": "accuracy", "val_macro_f1": "macro-F1", "val_loss": "loss"}


@dataclass(frozen=True)
class Score:
    """How an objective's values are said and drawn.

    Attributes:
        objective: Of the run.
        rows: How many rows it was measured on; 0 where unknown.
        folds: Where trials are cross-validated, of how many folds; 0 otherwise.
    """

    objective: Objective
    rows: int = 0
    folds: int = 0

    @property
    def rows_text(self) -> str:
        """Which rows these are: ``validation rows``, ``held-out rows of 3 folds``."""
        return f"held-out rows of {self.folds} folds" if self.folds else "validation rows"

    @property
    def is_share(self) -> bool:
        """Whether values are shares of rows, said in percent."""
        return "accuracy" in self.objective.name

    @property
    def name(self) -> str:
        """``accuracy``, ``macro-F1``, ``loss``."""
        return _NAMES.get(self.objective.name, self.objective.name)

    @property
    def axis(self) -> str:
        unit = ", %" if self.is_share else ""
        low = " (lower is better)" if self.objective.direction == "min" else ""
        return f"{'held-out' if self.folds else 'validation'} {self.name}{unit}{low}"

    def text(self, value: float | None) -> str:
        return percent(value) if self.is_share else number(value, 3)

    def bare(self, value: float | None) -> str:
        """Without the unit, for a column whose head has it."""
        return number(None if value is None else 100 * value, 1) if self.is_share else number(value, 3)

    def plot(self, value: float) -> float:
        return 100 * value if self.is_share else value

    def gap(self, difference: float) -> str:
        """A difference without its sign: ``0.8 points``."""
        return f"{gap(difference)} points" if self.is_share else number(abs(difference), 3)

    def error(self, value: float) -> float | None:
        """Standard error of one score, sqrt(p (1 - p) / n); None where rows of the objective are not stored."""
        if not self.is_share or self.rows < 1 or not 0 <= value <= 1:
            return None
        return math.sqrt(value * (1 - value) / self.rows)

    @property
    def superlative(self) -> str:
        return "highest" if self.objective.direction == "max" else "lowest"


def where(record: SearchRecord | StackRecord) -> str:
    """How the run is named in a command: its path as it was typed unless that is absolute; quoted for a shell."""
    out = (record.info.get("options") or {}).get("out")
    relative = isinstance(out, str) and out and not out.startswith(("/", "~", "\\")) and ":" not in out
    return shlex.quote(line(out) if relative else f"runs/{line(record.name)}")


def resume_of(record: SearchRecord | StackRecord) -> str:
    """The command that goes on with the run."""
    return f"fertune {record.info['kind']} --out {where(record)} --resume"


def rows_of(info: Mapping[str, Any], split: str) -> int:
    """How many rows a split has; 0 where not recorded."""
    return int(sum(info.get("data", {}).get("counts", {}).get(split, ()) or ()))


def score_of(record: SearchRecord) -> Score:
    return Score(record.objective, record.score_rows, (record.info.get("options") or {}).get("cv") or 0)


def scored(trials: Iterable[Trial]) -> list[Trial]:
    """Those that take part in a ranking and have a finite value."""
    return [t for t in trials if t.scored and t.value is not None and math.isfinite(t.value)]


def ranked(trials: Iterable[Trial], objective: Objective) -> list[Trial]:
    """Highest budget first, then value, then shorter time: scores of different budgets are never one list.

    Before the budget comes the share of the rows and the size of the pictures that a score was measured with.
    """
    return sorted(scored(trials), key=lambda t: (t.place(objective)[0], -t.budget, *t.place(objective)[1:]))


def failed(trials: Iterable[Trial]) -> list[Trial]:
    return [t for t in trials if t.state is State.FAILED]


def level(trial: Trial) -> tuple[float, float, int]:
    """What its score was measured with: share of the rows, size of the pictures, epochs given. More is greater."""
    rung = trial.measured
    return (*(rung.fidelity if rung is not None else (1.0, math.inf)), trial.budget)


def top_level(trials: Sequence[Trial]) -> tuple[float, float, int]:
    """The greatest level of any score."""
    return max((level(t) for t in scored(trials)), default=(1.0, math.inf, 0))


def in_order(trials: Iterable[Trial]) -> list[Trial]:
    """By when they ended; those without a time by number."""
    return sorted(trials, key=lambda t: (t.ended if t.ended is not None else math.inf, t.id))


@dataclass(frozen=True)
class Axis:
    """A declared parameter, as far as the run knows it.

    Attributes:
        kind: ``number`` or ``choice`` (switches too).
        low, high: Bounds of a number.
        values: Of a choice, in declared order.
        conditional: Whether another parameter switches it on.
        step: Between whole numbers.
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    values: tuple[Value, ...] = ()
    conditional: bool = False
    step: int = 1

    @property
    def numeric(self) -> bool:
        """Whether all its values are numbers."""
        return self.kind == "number" or all(_is_number(v) for v in self.values)


def _declared(space: Mapping[str, Any]) -> list[dict[str, Any]]:
    params = space.get("params", ())
    if isinstance(params, Mapping):
        return [{"name": name, **(spec if isinstance(spec, Mapping) else {})} for name, spec in params.items()]
    return [dict(p) for p in params if isinstance(p, Mapping) and "name" in p]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _axis(name: str, spec: Mapping[str, Any], seen: list[Value]) -> Axis | None:
    conditional = bool(spec.get("when"))
    values = spec.get("values")
    low, high = spec.get("low"), spec.get("high")
    numbers = [float(v) for v in seen if _is_number(v)]
    if values is None and seen and len(numbers) == len(seen) and all(math.isfinite(v) for v in numbers):
        low = float(low) if isinstance(low, (int, float)) else min(numbers)
        high = float(high) if isinstance(high, (int, float)) else max(numbers)
        whole = all(isinstance(v, int) for v in seen)
        log = bool(spec.get("log")) and low > 0
        step = spec.get("step")
        return Axis(name, "number", low, high, log, whole, (), conditional, step if isinstance(step, int) else 1)
    if not seen:
        return None
    order = list(values or ())
    order += sorted({v for v in seen if v not in order}, key=lambda v: (str(type(v)), v if _is_number(v) else str(v)))
    return Axis(name, "choice", values=tuple(order), conditional=conditional)


def axes_of(record: SearchRecord) -> list[Axis]:
    """Parameters that vary between trials: in declared order, then those that only trials know."""
    trials = record.trials
    specs = {str(p["name"]): p for p in _declared(record.info.get("space", {}))}
    for trial in trials:
        for name in trial.params:
            specs.setdefault(name, {})
    found = []
    for name, spec in specs.items():
        seen = [t.params[name] for t in trials if name in t.params]
        distinct = {repr(v) for v in seen} | ({"off"} if len(seen) < len(trials) else set())
        axis = _axis(name, spec, seen)
        if axis is not None and len(distinct) > 1:
            found.append(axis)
    return found


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rho with mid-ranks; None where one side does not vary."""

    def ranks(values: Sequence[float]) -> list[float]:
        return [sum(1 for w in values if w < v) + (sum(1 for w in values if w == v) - 1) / 2 for v in values]

    ra, rb = ranks(a), ranks(b)
    mean = (len(a) - 1) / 2
    va, vb = sum((x - mean) ** 2 for x in ra), sum((x - mean) ** 2 for x in rb)
    if not va or not vb:
        return None
    return sum((x - mean) * (y - mean) for x, y in zip(ra, rb, strict=True)) / math.sqrt(va * vb)
