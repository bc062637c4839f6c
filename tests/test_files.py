"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fertune.files import replace_with, write_binary, write_npz


def test_folders_are_made_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.bin"
    write_binary(path, lambda file: file.write(b"one"))
    write_binary(path, lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two" and [p.name for p in path.parent.iterdir()] == ["x.bin"]


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail(draft: Path) -> None:
        assert draft.suffix == ".txt" and draft.parent == tmp_path
        draft.write_text("half")
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        replace_with(path, fail)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("compressed", [True, False])
def test_arrays_come_back_under_any_name(tmp_path: Path, compressed: bool) -> None:
    write_npz(tmp_path / "proba", {"row": np.arange(3)}, compressed=compressed)
    with np.load(tmp_path / "proba", allow_pickle=False) as stored:
        assert stored["row"].tolist() == [0, 1, 2]


def test_objects_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'bad' holds Python objects"):
        write_npz(tmp_path / "x.npz", {"bad": np.array([{}])})
    assert list(tmp_path.iterdir()) == []
