"""Bundle files and Keras files by hand: the one that is kept, taken apart, changed, and put together again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

FIXTURES = Path(__file__).resolve().parent / "fixtures"
KEPT = FIXTURES / "protocol-1.fertune"
MODEL = "models/0-0.keras"


def members_of(path: Path = KEPT) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(members: dict[str, bytes]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(members["bundle.json"])
    return document


def zipped(members: dict[str, bytes] | list[tuple[Any, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file; names may be ``ZipInfo``s and may repeat."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return out.getvalue()


def write(path: Path, members: dict[str, bytes], document: dict[str, Any] | None = None, listed: bool = True) -> Path:
    """A bundle of these members; with ``listed`` the manifest has their true sizes and hashes."""
    document = manifest_of(members) if document is None else document
    content = {name: data for name, data in members.items() if name != "bundle.json"}
    if listed:
        document["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in content.items()
        }
    path.write_bytes(zipped({"bundle.json": json.dumps(document).encode(), **content}))
    return path


def keras_file(config: Any = None, weights: bytes | None = None, **more: bytes) -> bytes:
    """The bytes of a ``.keras`` file; by default the kept model's parts."""
    with zipfile.ZipFile(io.BytesIO(members_of()[MODEL])) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        parts["config.json"] = config if isinstance(config, bytes) else json.dumps(config).encode()
    if weights is not None:
        parts["model.weights.h5"] = weights
    return zipped(parts | more)


def config_with(layer: dict[str, Any]) -> dict[str, Any]:
    """The kept model's config with one more layer in it."""
    with zipfile.ZipFile(io.BytesIO(members_of()[MODEL])) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
    config["config"]["layers"].append(layer)
    return config


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()
