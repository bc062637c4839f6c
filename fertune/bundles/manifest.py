"""``bundle.json`` of a bundle file: what is in the file, what it was trained on, and what a reader may rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fertune.errors import RunError
from fertune.stacking.bundle_check import shape_faults

PROTOCOL = 1
"""Raised whenever a reader of the last number would misread a file; older numbers stay readable."""

FORMAT = "fertune-bundle"
MANIFEST = "bundle.json"
LARGEST_MANIFEST = 8 * 2**20
LEARNER = "learner"
KINDS = ("search", "stack")

_MODEL = re.compile(r"models/\d{1,4}-\d{1,4}\.keras")
_LEARNER = re.compile(rf"{LEARNER}/[a-z0-9_-]+\.(json|npz|skops)")


def model_path(member: int, model: int) -> str:
    """Where the ``model``-th model of the ``member``-th configuration stands."""
    return f"models/{member}-{model}.keras"


def read_manifest(text: bytes, called: str) -> dict[str, Any]:
    """The document, checked by itself; whether the files are what it says is for others to see.

    Raises:
        RunError: No JSON, not a bundle's, of a newer protocol, or with values that mean nothing: all of them at once.
    """
    try:
        document = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{called} was refused: its {MANIFEST} is not JSON ({str(error)[:100]})") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RunError(f"{called} was refused: its {MANIFEST} does not describe a fertune bundle")
    protocol = document.get("protocol")
    if type(protocol) is not int or protocol < 1:
        raise RunError(f"{called} was refused: {protocol!r} is no protocol number")
    if protocol > PROTOCOL:
        raise RunError(
            f"{called} is of bundle protocol {protocol}; this fertune reads up to {PROTOCOL}",
            help="pip install --upgrade fertune",
        )
    faults = list(shape_faults(document)) or list(_faults(document))
    if faults:
        raise RunError(f"{called} was refused: its {MANIFEST} does not fit together", details=faults)
    return document


def _faults(document: dict[str, Any]) -> Iterator[str]:
    if document.get("kind") not in KINDS:
        yield f"kind: {document.get('kind')!r}; legal: {', '.join(KINDS)}"
    if not isinstance(document.get("name"), str):
        yield "name: not a text"
    classes = document["class_names"]
    if len(set(classes)) < len(classes):
        yield "class_names: some name stands there twice"
    folder = document["learner"]["folder"]
    if folder != LEARNER:
        yield f"learner.folder: {folder!r} where {LEARNER!r} is legal"
    names = [member["name"] for member in document["members"]]
    if len(set(names)) < len(names):
        yield "members: two have one name"
    files = document["files"]
    yield from (f"files: {name}: no size beside the SHA-256" for name, f in files.items() if not isinstance(f, dict))
    yield from (
        f"files: {name}: no part of a bundle{', which holds no pickle' if _pickled(name) else ''}"
        for name in files
        if not _MODEL.fullmatch(name) and not _LEARNER.fullmatch(name)
    )
    used = [path for member in document["members"] for path in member["models"]]
    stored = {name for name in files if _MODEL.fullmatch(name)}
    yield from (f"members: {path}: not among the files" for path in dict.fromkeys(used) if path not in stored)
    yield from (f"members: {path}: named twice" for path in dict.fromkeys(used) if used.count(path) > 1)
    yield from (f"files: {path}: belongs to no member" for path in sorted(stored - set(used)))


def _pickled(name: str) -> bool:
    return name.lower().endswith((".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth"))
