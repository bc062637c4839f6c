"""Which pictures a ``.keras`` file takes and how many classes it gives, read from its configuration alone."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fertune.training.keras_file import CONFIG

UNREADABLE = (
    OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What a stranger wrote may lack any key, or have a value of any kind; the recursion follows models in models."""

KEEP_SHAPE = ("Activation", "Softmax", "Dropout", "Rescaling", "Identity", "Average")


def shape_faults(path: Path, image_shape: Sequence[int], classes: int) -> Iterator[str]:
    """Where a model is not for these pictures or classes; nothing where its file does not tell (a user's own class).

    Args:
        path: A ``.keras`` file that ``keras_faults`` has found nothing against.
        image_shape: (height, width, channels) that it should take.
        classes: Number of probabilities that it should give.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG))
        taken, given = _input(config), _output(config)
    except UNREADABLE:
        return
    if taken is not None and not _fits(taken, list(image_shape)):
        yield f"takes pictures of {_told(taken)} where {_told(image_shape)} is stated"
    if type(given) is int and given != classes:
        yield f"gives {given:,} values a picture where {classes:,} classes are stated"


def _told(shape: Sequence[Any]) -> str:
    return " x ".join("any" if side is None else str(side)[:20] for side in shape) or "no size"


def _fits(taken: list[Any], shape: list[int]) -> bool:
    """Keras adds or drops a last axis of length 1 by itself; ``None`` takes any length."""
    legal = [shape, [*shape, 1]] + ([shape[:2]] if shape[2] == 1 else [])
    return any(
        len(taken) == len(one) and all(a is None or a == b for a, b in zip(taken, one, strict=True)) for one in legal
    )


def _layers(model: Any) -> list[Any]:
    layers = model["config"].get("layers") if isinstance(model["config"], dict) else None
    return layers if isinstance(layers, list) else []


def _named(model: Any, key: str) -> Any:
    """The layer that ``input_layers`` or ``output_layers`` names; None where these are several."""
    at = model["config"][key]
    while isinstance(at, list) and at and isinstance(at[0], list):
        if len(at) > 1:
            return None
        at = at[0]
    return next((layer for layer in _layers(model) if layer["config"]["name"] == at[0]), None)


def _input(model: Any) -> list[Any] | None:
    """Lengths of the axes behind the batch's; None where the file does not tell."""
    if model["class_name"] == "InputLayer":
        shape = model["config"].get("batch_shape") or model["config"].get("batch_input_shape")
        return list(shape[1:]) if isinstance(shape, list) else None
    if model["class_name"] == "Sequential" and _layers(model):
        return _input(_layers(model)[0]) or _built(model)
    if "input_layers" in model["config"]:
        layer = _named(model, "input_layers")
        return None if layer is None else _input(layer)
    return None


def _built(model: Any) -> list[Any] | None:
    shape = model["config"].get("build_input_shape") or (model.get("build_config") or {}).get("input_shape")
    return list(shape[1:]) if isinstance(shape, list) else None


def _output(model: Any) -> Any:
    """Number of values that it gives; None where the file does not tell."""
    name = model["class_name"]
    if name == "Dense" and str(model.get("module")).startswith("keras."):
        return model["config"]["units"]
    if name in KEEP_SHAPE and model.get("inbound_nodes"):
        before = model["inbound_nodes"][0]["args"][0]
        return (before[0] if isinstance(before, list) else before)["config"]["shape"][-1]
    if name == "Sequential" and _layers(model):
        others = [layer for layer in _layers(model) if layer["class_name"] not in KEEP_SHAPE]
        return _output(others[-1]) if others else None
    if "output_layers" in model["config"]:
        layer = _named(model, "output_layers")
        return None if layer is None else _output(layer)
    return None
