"""Everything that may be wrong with a ``bundle.json``, told at once, before one of its files is opened.

``shape_faults`` and ``learner_faults`` hold for the one in a run folder and for the one in a bundle file alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fertune.errors import RunError
from fertune.stacking.meta.learner import read_state
from fertune.store import sha256_file
from fertune.training.zips import is_inner_path

LARGEST_SIDE, MOST_CHANNELS = 4096, 4


def check_document(document: Any, root: Path, protocol: int) -> None:
    """Raise unless ``document`` describes an ensemble whose files stand, unchanged, inside ``root``.

    Raises:
        RunError: With every fault in ``details``.
    """
    if not isinstance(document, dict) or document.get("kind") != "bundle":
        raise RunError(f"the bundle in {root} does not describe an ensemble")
    if document.get("protocol") != protocol:
        raise RunError(f"the bundle in {root} has protocol {document.get('protocol')!r}; this fertune reads {protocol}")
    faults = list(shape_faults(document)) or list(_file_faults(document, root)) or list(learner_faults(document, root))
    if faults:
        raise RunError(
            f"the ensemble in {root} cannot be used",
            details=faults,
            help="restore the folder as it was written, or stack again: fertune stack RUN [RUN ...] --out NEW",
        )


def shape_faults(document: dict[str, Any]) -> Iterator[str]:
    """Wrong kinds of values; what comes after may rely on the right ones."""
    classes, shape = document.get("class_names"), document.get("image_shape")
    if not _texts(classes):
        yield "class_names: not a list of names"
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        yield f"image_shape: {shape!r} where [height, width, channels] is needed"
    elif max(shape[:2]) > LARGEST_SIDE or shape[2] > MOST_CHANNELS:
        yield (
            f"image_shape: {shape!r}; legal: height and width of 1 to {LARGEST_SIDE:,}, 1 to {MOST_CHANNELS} channels"
        )
    files = document.get("files")
    if not isinstance(files, dict) or not all(_file_entry(value) for value in files.values()):
        yield "files: not paths with their SHA-256"
    learner = document.get("learner")
    if not isinstance(learner, dict) or not _texts([learner.get("name"), learner.get("folder")]):
        yield "learner: not a name and a folder"
    members = document.get("members")
    if not isinstance(members, list) or not members:
        yield "members: none"
        return
    for number, member in enumerate(members):
        if not isinstance(member, dict) or not _texts([member.get("name")]) or not _texts(member.get("models")):
            yield f"members[{number}]: not a name and a list of models"
        elif (weights := member.get("weights")) is not None and not _weights(weights, len(member["models"])):
            yield f"members[{number}].weights: not {len(member['models'])} numbers from 0 to 1 that sum to 1"


def _file_entry(value: Any) -> bool:
    """A SHA-256, in a bundle file with the size beside it."""
    if isinstance(value, dict):
        return isinstance(value.get("sha256"), str) and type(value.get("bytes")) is int and value["bytes"] >= 0
    return isinstance(value, str)


def _file_faults(document: dict[str, Any], root: Path) -> Iterator[str]:
    """Paths that leave the folder, files that are missing, unlisted or changed."""
    folder = document["learner"]["folder"]
    models = [path for member in document["members"] for path in member["models"]]
    paths = [folder, *models, *document["files"]]
    bad = [path for path in dict.fromkeys(paths) if not _stays(path, root)]
    yield from (f"{path}: leaves the run folder" for path in bad)
    if bad:
        return
    yield from (f"{path}: no hash is stored for it" for path in models if path not in document["files"])
    saved = root / folder
    found = [f"{folder}/{path.name}" for path in sorted(saved.iterdir())] if saved.is_dir() else []
    yield from (
        f"{path}: was not there when the ensemble was written" for path in found if path not in document["files"]
    )
    for path, expected in document["files"].items():
        if not (root / path).is_file():
            yield f"{path}: missing"
        elif sha256_file(root / path) != expected:
            yield f"{path}: changed since the ensemble was written"


def learner_faults(document: dict[str, Any], root: Path) -> Iterator[str]:
    """A meta-learner of another kind, or one that was fitted for something else."""
    name = document["learner"]["name"]
    state = read_state(root / document["learner"]["folder"], name)
    needed = (len(document["members"]), len(document["class_names"]))
    if (state["models"], state["classes"]) != needed:
        yield (
            f"meta-learner {name}: fitted for {state['models']} models and {state['classes']} classes; the ensemble "
            f"has {needed[0]} and {needed[1]}"
        )


def _stays(path: str, root: Path) -> bool:
    """Whether a stored path is an inner one on any system, and not a link that leads away."""
    return is_inner_path(path) and (root / path).resolve().is_relative_to(root)


def _texts(values: Any) -> bool:
    return isinstance(values, list) and len(values) > 0 and all(isinstance(v, str) and v for v in values)


def _weights(weights: Any, n: int) -> bool:
    return (
        isinstance(weights, list)
        and len(weights) == n
        and all(type(w) in (int, float) and 0 <= w <= 1 for w in weights)
        and abs(sum(weights) - 1) < 1e-6
    )
