"""Options of the verbs, and one experiment as data. All faults of an option set or a file are told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fertune.errors import ConfigError, did_you_mean
from fertune.trial import OWN, TUNERS, objectives

PRUNERS = ("none", "median", "hyperband", "asha")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")
META_LEARNERS = (
    "mean", "greedy", "decision_tree", "logistic", "lda", "knn", "mlp", "svm", "extra_trees", "random_forest",
    "xgboost",
)  # fmt: skip
FIDELITIES = ("epochs", "data", "resolution")
EXECUTORS = ("local", "ray")
AUTO = "auto"
DEFAULT_TRIALS = 20
"""Of all but hyperband, which by default runs one whole iteration of its brackets."""
DEFAULT_MAX_EPOCHS = 30
SPRINT_MAX_EPOCHS = 60
"""Of sprint, whose clock ends most trainings before."""

MOST_HELD_OUT = 0.5
"""Part of the rows that ``--holdout`` may take."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def parse_duration(text: str | float | int) -> float:
    """Seconds from ``90``, ``"90s"``, ``"30m"``, ``"1.5h"`` or ``"1h30m"``.

    Raises:
        ConfigError: Anything else, or nothing above zero.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = float(text)
    else:
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", str(text).strip().lower())
        if not parts or "".join(n + u for n, u in parts) != str(text).strip().lower().replace(" ", ""):
            raise ConfigError(f"{text!r} is not a duration; legal: 90s, 30m, 1.5h, 1h30m")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not seconds > 0:
        raise ConfigError(f"a time budget of {text!r} is not above zero; legal: 90s, 30m, 1.5h, 1h30m")
    return seconds


_SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def parse_size(text: str | float | int) -> int:
    """Bytes from ``500000``, ``"500MB"``, ``"5GB"`` or ``"1.5GiB"``.

    Raises:
        ConfigError: Anything else, or less than one byte.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", str(text).strip().lower())
    if isinstance(text, bool) or not found or found[2] not in _SIZES or float(found[1]) * _SIZES[found[2]] < 1:
        raise ConfigError(f"{text!r} is not a size; legal: 500MB, 5GB, 1.5GiB")
    return int(float(found[1]) * _SIZES[found[2]])


_KEPT: Mapping[str, Callable[[Any], Any]] = {
    "time_budget": parse_duration,
    "trial_timeout": parse_duration,
    "max_disk": parse_size,
    "log_dir": str,
    "class_weights": tuple,
}


def options_given(**options: Any) -> dict[str, Any]:
    """Those options of a verb that are not None, as a run keeps them: times in seconds, sizes in bytes, paths as text.

    Raises:
        ConfigError: No such time or size.
    """
    return {name: _KEPT.get(name, lambda v: v)(value) for name, value in options.items() if value is not None}


def _choice(faults: list[str], name: str, value: object, legal: Sequence[str]) -> None:
    if value not in legal:
        faults.append(f"{name}: {value!r} is none of {', '.join(legal)}{did_you_mean(str(value), legal)}")


def _whole(faults: list[str], name: str, value: object, low: int, more: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        faults.append(f"{name}: {value!r} is not a whole number of at least {low}{more}")


def _part_faults(holdout: object) -> list[str]:
    number = isinstance(holdout, (int, float)) and not isinstance(holdout, bool)
    if number and 0 <= float(holdout) <= MOST_HELD_OUT:  # type: ignore[arg-type]  # it is a number
        return []
    return [f"--holdout: {holdout!r} is not a part of the rows, such as 0.1; at most {MOST_HELD_OUT}, or 0 for none"]


def _raise(faults: list[str], what: str) -> None:
    if len(faults) == 1:
        raise ConfigError(faults[0])
    if faults:
        raise ConfigError(f"{len(faults)} options of {what} are not legal", details=faults)


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the jobs of a run are done; all of it may change when the run is resumed.

    Attributes:
        executor: One of ``EXECUTORS``.
        address: Of the Ray cluster; None begins one on this machine.
        workers: Processes at work side by side, among which the cores are divided; ``auto`` takes what suits the
            machine.
        gpus: ``auto`` (all there are), ``none``, or their numbers with commas.
        per_gpu: Workers that share a GPU.
        trial_timeout: Seconds after which a job is killed; None for none.
        log_dir: Folder in which TensorBoard finds the run's curves; None for none.
    """

    executor: str = "local"
    address: str | None = None
    workers: int | str = AUTO
    gpus: str = AUTO
    per_gpu: int = 1
    trial_timeout: float | None = None
    log_dir: str | None = None

    def where_faults(self) -> list[str]:
        """What is not legal of it."""
        faults: list[str] = []
        _choice(faults, "--executor", self.executor, EXECUTORS)
        if self.workers != AUTO:
            _whole(faults, "--workers", self.workers, 1, f", or {AUTO}")
        if self.gpus not in (AUTO, "none") and not re.fullmatch(r"\d+(,\d+)*", self.gpus):
            faults.append(f"--gpus: {self.gpus!r} is none of auto, none, or numbers with commas such as 0,1")
        _whole(faults, "--per-gpu", self.per_gpu, 1)
        if self.trial_timeout is not None and not self.trial_timeout > 0:
            faults.append(f"--trial-timeout: {self.trial_timeout!r} is not above zero")
        if self.address is not None and self.executor != "ray":
            faults.append("--address goes with --executor ray")
        return faults


@dataclass(frozen=True, kw_only=True)
class SearchOptions(Where):
    """Options of ``fertune search`` that a run keeps.

    Attributes:
        tuner: Engine; one of ``TUNERS``, or ``own:`` and the name of a user's searcher.
        pruner: Of tpe, gp, cmaes and qmc; one of ``PRUNERS``.
        trials: Distinct configurations; None: one whole iteration of hyperband.
        max_epochs: Most epochs that one configuration is trained.
        time_budget: Seconds of this command, the running trial included; None for none.
        seed: Of everything that is drawn.
        objective: One of ``fertune.trial.OBJECTIVES``; for nsga2 also two, as in ``val_accuracy,parameters``.
        class_weight: One of ``CLASS_WEIGHTS``.
        keep: How many of the best models stay on disk.
        fidelity: What the rungs of hyperband and asha give more of; one of ``FIDELITIES``.
        max_params: Configurations whose model has more weights are not tried; None: any size is.
        max_disk: Bytes that the run's folder may take: models below the best one are dropped first, then the states
            from which trainings go on; None for no limit.
        cv: Folds on which each configuration is trained; 0: on the training rows, measured on the validation rows.
        holdout: Part of the train and validation rows that no trial sees, for a stack; 0: none.
    """

    tuner: str
    pruner: str = "none"
    trials: int | None = None
    max_epochs: int = DEFAULT_MAX_EPOCHS
    time_budget: float | None = None
    seed: int = 0
    objective: str = "val_accuracy"
    class_weight: str = "none"
    keep: int = 3
    fidelity: str = "epochs"
    max_params: int | None = None
    max_disk: int | None = None
    cv: int = 0
    holdout: float = 0.0

    def check(self) -> SearchOptions:
        """Itself.

        Raises:
            ConfigError: Naming every option that is not legal.
        """
        faults: list[str] = []
        if not self.tuner.startswith(OWN):
            _choice(faults, "--tuner", self.tuner, tuple(TUNERS))
        _choice(faults, "--pruner", self.pruner, PRUNERS)
        faults += self._objective_faults()
        faults += self._cv_faults()
        faults += _part_faults(self.holdout)
        if self.cv and self.holdout:
            faults.append("--cv and --holdout do not go together: folds hold out every row, each once")
        _choice(faults, "--class-weight", self.class_weight, CLASS_WEIGHTS)
        pruning = [t.name for t in TUNERS.values() if t.prunes]
        known = self.tuner.startswith(OWN) or self.tuner in TUNERS
        if self.pruner != "none" and known and self.tuner not in pruning:
            faults.append(f"--pruner {self.pruner} goes with --tuner {', '.join(pruning)}; {self.tuner} has none")
        faults += self._tuner_faults()
        if self.trials is not None:
            _whole(faults, "--trials", self.trials, 1)
        _whole(faults, "--max-epochs", self.max_epochs, 1)
        _whole(faults, "--seed", self.seed, 0)
        if self.max_params is not None:
            _whole(faults, "--max-params", self.max_params, 1)
        if self.max_disk is not None:
            _whole(faults, "--max-disk", self.max_disk, 1, " bytes")
        faults += self.where_faults()
        _raise(faults, "search")
        return self

    def _cv_faults(self) -> list[str]:
        if self.cv == 0:
            return []
        if isinstance(self.cv, bool) or not isinstance(self.cv, int) or self.cv < 2:
            return [f"--cv: {self.cv!r} is not a whole number of at least 2, or 0 for none"]
        faults = []
        going = [t.name for t in TUNERS.values() if not t.rungs]
        if self.tuner in TUNERS and self.tuner not in going:
            faults.append(f"--cv goes with --tuner {', '.join(going)}; {self.tuner} has a race of its own")
        if "," in self.objective:
            faults.append(f"--cv goes with one objective, not {self.objective}")
        return faults

    def _tuner_faults(self) -> list[str]:
        """Faults of what goes with some tuners only."""
        faults: list[str] = []
        _choice(faults, "--fidelity", self.fidelity, FIDELITIES)
        tuner = TUNERS.get(self.tuner)
        if self.fidelity in FIDELITIES[1:] and (tuner is None or not tuner.rungs):
            rungs = " and ".join(t.name for t in TUNERS.values() if t.rungs)
            faults.append(f"--fidelity {self.fidelity} goes with --tuner {rungs}; {self.tuner} has no rungs")
        if tuner is not None and tuner.timed and self.time_budget is None:
            faults.append(f"--tuner {self.tuner} divides a time budget: give --time-budget, such as 15m")
        return faults

    def _objective_faults(self) -> list[str]:
        try:
            _, second = objectives(self.objective)
        except ConfigError as error:
            return [f"--objective: {error.message}"]
        two = [t.name for t in TUNERS.values() if t.two]
        if second is None or self.tuner in two:
            return []
        return [f"--objective {self.objective} has two objectives, which --tuner {', '.join(two)} alone takes"]


@dataclass(frozen=True, kw_only=True)
class StackOptions(Where):
    """Options of ``fertune stack`` that a run keeps.

    Attributes:
        top: Best distinct configurations taken from each search.
        folds: Number of folds of the out-of-fold matrix; 1 with ``holdout``.
        holdout: Part of the train and validation rows that is held out once, in place of folds; 0: folds.
        epochs: Most epochs of one fold's model; None: the ``max_epochs`` of the search it came from.
        bagging: Number of bootstrap models of the best single one; 0 for no such row.
        class_weights: Class-weight variants of the best single one.
        meta: Meta-learners that are fitted, of ``META_LEARNERS``, ``all`` of them, or a user's own; always ``mean``.
        meta_trials: Trials of each tuned meta-learner.
        time_budget: Seconds of this command, meta-learners and test reading included; None for none.
        seed: Of folds, bags, weights and bootstrap.
    """

    top: int = 2
    folds: int = 5
    holdout: float = 0.0
    epochs: int | None = None
    bagging: int = 0
    class_weights: tuple[str, ...] = ()
    meta: tuple[str, ...] = ("all",)
    meta_trials: int = 10
    time_budget: float | None = None
    seed: int = 0

    def check(self, own: Sequence[str] = ()) -> StackOptions:
        """Itself.

        Args:
            own: Names of meta-learners that the user registered.

        Raises:
            ConfigError: Naming every option that is not legal.
        """
        faults: list[str] = []
        for weight in self.class_weights:
            _choice(faults, "--class-weights", weight, CLASS_WEIGHTS)
        for learner in self.meta or ("",):
            _choice(faults, "--meta", learner, ("all", *META_LEARNERS, *own))
        _whole(faults, "--top", self.top, 1)
        faults += _part_faults(self.holdout)
        if not self.holdout:
            _whole(faults, "--folds", self.folds, 2)
        elif self.folds != 1:
            faults.append("--folds and --holdout do not go together: give one of them")
        _whole(faults, "--bagging", self.bagging, 0)
        _whole(faults, "--meta-trials", self.meta_trials, 1)
        _whole(faults, "--seed", self.seed, 0)
        faults += self.where_faults()
        if self.epochs is not None:
            _whole(faults, "--epochs", self.epochs, 1)
        _raise(faults, "stack")
        return self


@dataclass(frozen=True)
class Experiment:
    """A whole road as data: searches, one stack, a report. See ``experiments/``.

    Attributes:
        name: Runs are named ``<name>-<search>`` and ``<name>-stack``.
        data: Source; the command line's ``--data`` wins.
        searches: Name -> keywords of ``fertune.search``.
        stack: Keywords of ``fertune.stack``.
        workers: Of all parts that do not say otherwise.
    """

    name: str
    searches: Mapping[str, Mapping[str, Any]]
    stack: Mapping[str, Any] = field(default_factory=dict)
    data: str | None = None
    workers: int | str = AUTO


_SEARCH_KEYS = ("space", *(f.name for f in fields(SearchOptions) if f.name != "keep"))
_STACK_KEYS = tuple(f.name for f in fields(StackOptions))


def _keys(faults: list[str], where: str, given: object, legal: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        faults.append(f"{where}: a mapping is needed, not {given!r}")
        return {}
    for key in given:
        if key not in legal:
            faults.append(f"{where}.{key}: no such key; legal: {', '.join(legal)}{did_you_mean(str(key), legal)}")
    if "time_budget" in given and given["time_budget"] is not None:
        try:
            given = {**given, "time_budget": parse_duration(given["time_budget"])}
        except ConfigError as error:
            faults.append(f"{where}.time_budget: {error.message}")
    return given


def load_experiment(path: str | Path) -> Experiment:
    """Read an experiment file.

    Raises:
        ConfigError: It is not there, no YAML, or has faults: all of them, each with its path in the file.
    """
    import yaml

    file = Path(path)
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        near = did_you_mean(file.name, [p.name for p in file.parent.glob("*.yaml")]) if file.parent.is_dir() else ""
        raise ConfigError(f"no experiment file {path}{near}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file.name} is not YAML: {' '.join(str(error).split())}") from None
    faults: list[str] = []
    top = _keys(faults, file.name, content, ("name", "summary", "data", "searches", "stack", "workers"))
    searches: dict[str, dict[str, Any]] = {}
    for name, given in (top.get("searches") or {}).items() if isinstance(top.get("searches"), dict) else ():
        searches[str(name)] = _keys(faults, f"{file.name}: searches.{name}", given, _SEARCH_KEYS)
        if isinstance(given, dict) and "space" not in given:
            faults.append(f"{file.name}: searches.{name}.space is missing")
    if not searches:
        faults.append(f"{file.name}: searches: at least one search is needed, as name: {{space: leaky_cnn}}")
    stack = _keys(faults, f"{file.name}: stack", top.get("stack") or {}, _STACK_KEYS)
    stack = {k: tuple(v) if k in ("class_weights", "meta") and isinstance(v, list) else v for k, v in stack.items()}
    workers = top.get("workers", AUTO)
    if workers != AUTO:
        _whole(faults, f"{file.name}: workers", workers, 1, f", or {AUTO}")
    if faults:
        raise ConfigError(f"{file.name} has {len(faults)} fault{'s' if len(faults) > 1 else ''}", details=faults)
    return Experiment(str(top.get("name") or file.stem), searches, stack, top.get("data"), workers)
