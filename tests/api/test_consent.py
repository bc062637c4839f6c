"""Consent to unpickle where a command must read the data again: asked for, given anew, and then enough."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fertune.api import experiment
from fertune.api.stack import _dataset
from fertune.cli.parser import make_parser
from fertune.data import open_dataset
from fertune.errors import DataError
from fertune.searching import Observer


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A search over a pickled file, whose cache is gone."""
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "cache"))
    pictures = np.random.default_rng(0).integers(0, 256, (30, 5, 7), dtype=np.uint8)
    path = tmp_path / "faces.npy"
    np.save(path, np.array({"train": (pictures, np.arange(30) % 3)}, object), allow_pickle=True)
    made = open_dataset(path, options={"allow_pickle": True})
    shutil.rmtree(tmp_path / "cache")
    data = {"folder": str(made.folder), "source": str(path), "fingerprint": made.fingerprint, "name": "faces"}
    return SimpleNamespace(info={"data": data})


def test_a_stack_reads_with_consent_and_not_without(record: Any) -> None:
    with pytest.raises(DataError, match="add --allow-pickle"):
        _dataset(None, record, Observer(), False)
    assert _dataset(None, record, Observer(), True).fingerprint == record.info["data"]["fingerprint"]


@pytest.mark.parametrize("verb", ["search --out runs/a --resume", "stack runs/a", "predict runs/a", "run a.yaml"])
def test_every_command_that_reads_again_takes_it(verb: str) -> None:
    assert make_parser().parse_args([*verb.split(), "--allow-pickle"]).allow_pickle


def test_an_experiment_hands_it_to_its_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(experiment, "search", lambda **_: None)
    monkeypatch.setattr(experiment, "stack", lambda *_, allow_pickle, **__: seen.append(allow_pickle))
    path = tmp_path / "e.yaml"
    path.write_text("name: e\nsearches:\n  one: {space: leaky_cnn}\n")
    for options in (None, {"allow_pickle": True}):
        experiment.run_experiment(path, data_options=options, root=tmp_path / "runs")
    assert seen == [False, True]
