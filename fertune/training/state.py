"""The full state of an unfinished training, from which it goes on to the bit: one npz file, no pickle.

A ``.keras`` file alone is not enough: it drops the seed generators of dropout and augmentation, and knows nothing of
the rules that watch the run. Row order needs no state: it comes from the seed and the number of the epoch.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fertune.errors import RunError
from fertune.files import write_npz
from fertune.training.progress import Progress

PROTOCOL = 1
FILE = "state.npz"


@dataclass(frozen=True)
class Snapshot:
    """Copies of all variables after an epoch, beside the progress at that moment.

    Attributes:
        model: Of ``model.variables``: weights, moving means, seed generators.
        optimizer: Of ``optimizer.variables``: iterations, learning rate, slots.
        progress: ``Progress.to_json()`` of that epoch.
        best_weights, best_proba: Of ``Progress``.
    """

    model: list[npt.NDArray[Any]]
    optimizer: list[npt.NDArray[Any]]
    progress: dict[str, Any]
    best_weights: list[npt.NDArray[Any]]
    best_proba: npt.NDArray[np.float32]


def copies(variables: Any) -> list[npt.NDArray[Any]]:
    """The values of Keras variables, each in memory of its own (a backend may reuse its buffers)."""
    return [np.array(keras.ops.convert_to_numpy(v), copy=True) for v in variables]


def take(model: Any, progress: Progress) -> Snapshot:
    """A snapshot now; only between epochs."""
    if progress.best_proba is None:
        raise ValueError("no epoch is done yet")
    return Snapshot(
        copies(model.variables), copies(model.optimizer.variables), json.loads(json.dumps(progress.to_json())),
        progress.best_weights, progress.best_proba,
    )  # fmt: skip


def save(snapshot: Snapshot, folder: Path, identity: dict[str, Any]) -> None:
    """Write a snapshot to ``folder/state.npz`` in one step.

    Args:
        identity: What a job must have in common with this one to go on from here; plain values.
    """
    head = {"protocol": PROTOCOL, "identity": identity, "progress": snapshot.progress}
    arrays = {"head": np.array(json.dumps(head)), "best_proba": snapshot.best_proba}
    for part, values in _parts(snapshot):
        arrays |= {f"{part}_{i:04d}": value for i, value in enumerate(values)}
    write_npz(folder / FILE, arrays, compressed=False)


def load(folder: Path, identity: dict[str, Any]) -> Snapshot:
    """Read what ``save`` wrote in ``folder``, or in its subfolder ``state``.

    Raises:
        RunError: No state there, a damaged one, or one of another configuration, seed, data set or set of rows.
    """
    path = folder / FILE if (folder / FILE).exists() else folder / "state" / FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        head = json.loads(str(arrays["head"]))
        found, progress, protocol = head["identity"], head["progress"], head["protocol"]
        best_proba = arrays["best_proba"]
    except FileNotFoundError:
        raise RunError(f"no training state in {folder}") from None
    except (OSError, KeyError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"the training state in {path} is damaged: {error}") from error
    if protocol != PROTOCOL:
        raise RunError(f"the training state in {path} has protocol {protocol}; this is {PROTOCOL}")
    wanted = json.loads(json.dumps(identity))
    other = [
        f"{k}: {found.get(k)!r} there, {wanted.get(k)!r} here"
        for k in sorted({*found, *wanted})
        if found.get(k) != wanted.get(k)
    ]
    if other:
        raise RunError(f"the training state in {path} is of another job", details=other)
    parts = {
        part: [arrays[name] for name in sorted(arrays) if name.startswith(f"{part}_")]
        for part in ("model", "optimizer", "weights")
    }
    return Snapshot(parts["model"], parts["optimizer"], progress, parts["weights"], best_proba)


def restore(snapshot: Snapshot, model: Any, progress: Progress) -> None:
    """Put a snapshot into a freshly built and compiled model of the same kind.

    Raises:
        RunError: The variables are not those of this model.
    """
    pairs = ((model.variables, snapshot.model), (model.optimizer.variables, snapshot.optimizer))
    for variables, values in pairs:
        if [tuple(v.shape) for v in variables] != [v.shape for v in values]:
            raise RunError("the training state is of another model: its variables have other shapes")
    for variables, values in pairs:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    progress.restore(snapshot.progress)
    progress.best_weights, progress.best_proba = snapshot.best_weights, snapshot.best_proba


def _parts(snapshot: Snapshot) -> tuple[tuple[str, list[npt.NDArray[Any]]], ...]:
    return ("model", snapshot.model), ("optimizer", snapshot.optimizer), ("weights", snapshot.best_weights)
