"""Thousands of changed bundle files: each is read or refused; nothing else is ever raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.bundles import load_model
from fertune.errors import FertuneError
from tests.bundle.craft import KEPT, manifest_of, members_of, write

pytestmark = pytest.mark.slow


def spoiled(data: bytes, rng: np.random.Generator) -> bytes:
    """With some bytes changed, lost, repeated or moved; never empty."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at, kind = int(rng.integers(len(out))), int(rng.integers(4))
        piece = out[at : at + int(rng.integers(1, 200))]
        if kind == 0:
            out[at] ^= 1 << int(rng.integers(8))
        elif kind == 1 and len(out) > 2 * len(piece):
            del out[at : at + len(piece)]
        elif kind == 2:
            out[at:at] = piece
        else:
            out[at : at + len(piece)] = rng.bytes(len(piece))
    return bytes(out)


def read(path: Path) -> bool:
    try:
        load_model(path)
    except FertuneError as error:
        assert error.exit_code == 2 and error.message
        return False
    return True


def test_changed_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    whole, path = KEPT.read_bytes(), tmp_path / "b.fertune"
    for _ in range(1500):
        path.write_bytes(spoiled(whole, rng))
        read(path)


def test_changed_members_with_hashes_that_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    members, path = members_of(), tmp_path / "b.fertune"
    names = [name for name in members if name != "bundle.json"]
    for _ in range(1000):
        name = names[int(rng.integers(len(names)))]
        write(path, {**members, name: spoiled(members[name], rng)})
        read(path)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def test_changed_manifests(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    members, path = members_of(), tmp_path / "b.fertune"
    others: list[Any] = [None, True, 0, -1, 1e308, "", "../x", [], {}, [[]], "x" * 10_000, {"a": None}, 2**70]
    taken = 0
    for _ in range(500):
        document = manifest_of(members)
        holder, key = (every := list(places(document)))[int(rng.integers(len(every)))]
        holder[key] = others[int(rng.integers(len(others)))]
        write(path, {**members, "bundle.json": json.dumps(document).encode()}, document, listed=False)
        taken += read(path)
    assert taken < 250  # versions, scores and the like may say anything
