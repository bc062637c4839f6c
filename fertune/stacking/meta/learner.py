"""What a meta-learner is, and what it leaves in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from fertune.errors import ConfigError, RunError, did_you_mean
from fertune.trial import Value

if TYPE_CHECKING:
    from fertune.space import Space

Proba = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer]

PROTOCOL = 1
"""Of a learner's folder; raised when an older fertune could no longer read it."""

STATE = "learner.json"


class Fitted(Protocol):
    """A fitted meta-learner. Models and classes must stand in the order they were fitted in."""

    def predict_proba(self, proba: Proba) -> Doubles:
        """(n, models, classes) float -> (n, classes) float64, rows sum to 1."""
        ...

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        """What it learned, as ``meta.json`` stores it: plain values, with these names of models and classes."""
        ...

    def save(self, folder: str | Path) -> None:
        """Write itself into ``folder`` (made if missing), without pickle."""
        ...


class MetaLearner(Protocol):
    """Learns what to make of the predictions of several models.

    It must only ever be fitted on out-of-fold predictions: a model's predictions for rows that it was trained on are
    too good, and a meta-learner would trust the model that memorised most.
    """

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> str:
        """``meta`` (tuned) or ``average`` (nothing to tune)."""
        ...

    @property
    def defaults(self) -> Mapping[str, Value]:
        """Every parameter with the value it has where none is given."""
        ...

    def space(self) -> Space | None:
        """What may be tuned; None where nothing is."""
        ...

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> Fitted:
        """Fit to out-of-fold probabilities.

        Args:
            params: Some or all of ``defaults``.
            proba: (n, models, classes) float.
            labels: (n,) int, 0 to classes - 1; some classes may be absent.
            seed: Same seed, same fit.
            threads: CPU threads it may use.

        Raises:
            ConfigError: An unknown parameter.
            MissingPackage: Its library is not installed.
        """
        ...

    def load(self, folder: str | Path) -> Fitted:
        """Read what ``Fitted.save`` wrote.

        Raises:
            RunError: The folder is missing, damaged, or asks for what is not allowed.
        """
        ...


def settings(name: str, defaults: Mapping[str, Value], params: Mapping[str, Value]) -> dict[str, Any]:
    """Defaults with ``params`` over them; a parameter that does not exist is a ConfigError."""
    unknown = [key for key in params if key not in defaults]
    if unknown:
        legal = ", ".join(defaults) or "none"
        raise ConfigError(
            f"{name} has no parameter {unknown[0]!r}; legal: {legal}{did_you_mean(unknown[0], defaults)}",
            details=[f"{key}: not a parameter" for key in unknown] if len(unknown) > 1 else (),
        )
    return {**defaults, **params}


def check_input(proba: Proba, labels: Labels | None = None) -> None:
    """Raise ValueError unless ``proba`` is (n, models, classes), n > 0, and ``labels`` fit it."""
    if proba.ndim != 3 or 0 in proba.shape:
        raise ValueError(f"proba has shape {proba.shape} where (n, models, classes) is needed, none of them 0")
    if labels is None:
        return
    if labels.shape != proba.shape[:1]:
        raise ValueError(f"labels have shape {labels.shape} where ({len(proba)},) is needed")
    if labels.min() < 0 or labels.max() >= proba.shape[2]:
        raise ValueError(f"labels go from {labels.min()} to {labels.max()} where 0 to {proba.shape[2] - 1} is legal")


def check_shape(proba: Proba, shape: tuple[int, int]) -> None:
    """Raise ValueError unless ``proba`` is (n, *shape)."""
    if proba.ndim != 3 or proba.shape[1:] != shape:
        raise ValueError(f"proba has shape {proba.shape} where (n, {shape[0]}, {shape[1]}) was fitted")


def normalised(proba: Proba) -> Doubles:
    """Rows divided by their sum, float64; a row of zeros becomes uniform."""
    exact = np.asarray(proba, dtype=np.float64)
    sums = exact.sum(axis=1, keepdims=True)
    uniform = np.full_like(exact, 1 / exact.shape[1])
    np.divide(exact, sums, out=uniform, where=sums > 0)
    return uniform


def model_names(names: Sequence[str] | None, n: int) -> list[str]:
    """``names``, or "model 1", "model 2", ..."""
    return list(names) if names is not None else [f"model {i + 1}" for i in range(n)]


def class_names(classes: Sequence[str] | None, n: int) -> list[str]:
    """``classes``, or "class 0", "class 1", ..."""
    return list(classes) if classes is not None else [f"class {i}" for i in range(n)]


def write_state(folder: str | Path, learner: str, shape: tuple[int, int], state: Mapping[str, Any]) -> Path:
    """Write ``learner.json`` and return the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document = {"protocol": PROTOCOL, "learner": learner, "models": shape[0], "classes": shape[1], **state}
    (folder / STATE).write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return folder


def read_state(folder: str | Path, learner: str | None = None) -> dict[str, Any]:
    """Read ``learner.json``.

    Raises:
        RunError: Missing, damaged, of another protocol, or of another learner than ``learner``.
    """
    path = Path(folder) / STATE
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"no meta-learner in {folder}: {STATE} is missing") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(state, dict) or not all(_positive(state.get(key)) for key in ("models", "classes")):
        raise RunError(f"{path} does not describe a meta-learner")
    if state.get("protocol") != PROTOCOL:
        raise RunError(f"{path} has protocol {state.get('protocol')!r}; this fertune reads {PROTOCOL}")
    if learner is not None and state.get("learner") != learner:
        raise RunError(f"{path} holds {state.get('learner')!r} where {learner!r} is wanted")
    return state


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
