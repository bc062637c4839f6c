"""Jobs that travel with their files, and files that come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fertune.data import ImageDataset, open_dataset
from fertune.errors import DataError
from fertune.execution.ray_agent import data_files, materialise
from fertune.execution.ray_parcels import collect, deliver, pack, unpack
from fertune.testing.scripted import ScriptedJob
from fertune.trial import OBJECTIVES, PredictJob, Rows, TrainJob


def train_job(run: Path) -> TrainJob:
    return TrainJob(
        id="a", data="/data", fingerprint="f", fit=Rows(file=str(run / "rows.npz"), key="fit"),
        stop=Rows(file=str(run / "rows.npz"), key="stop"), predict={"held_out": Rows(splits=("test",))}, family="leaky",
        settings={}, budget=3, objective=OBJECTIVES["val_accuracy"], seed=0, out=str(run / "trials" / "1"),
        resume=str(run / "trials" / "1"), keep_state=True,
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "trials" / "1" / "state").mkdir(parents=True)
    (folder / "trials" / "1" / "state" / "state.npz").write_bytes(b"state")
    (folder / "trials" / "1" / "model.keras").write_bytes(b"old model")
    (folder / "rows.npz").write_bytes(b"rows")
    return folder


def test_a_job_takes_its_rows_and_its_state_along_and_leaves_its_output(run: Path, tmp_path: Path) -> None:
    job = train_job(run)
    sent, files = pack(job, lambda path: True)
    assert isinstance(sent, TrainJob) and str(run) not in str(sent)
    assert sorted(files.values()) == [b"rows", b"state"], "each once, and no model that nobody reads"
    there = tmp_path / "there"
    local = unpack(sent, files, there)
    assert isinstance(local, TrainJob) and local.fit.file and local.resume
    assert Path(local.fit.file).read_bytes() == b"rows" and local.fit.key == "fit" and local.stop.key == "stop"
    assert (Path(local.resume) / "state" / "state.npz").read_bytes() == b"state"
    out = Path(local.out)
    (out / "state").mkdir(parents=True)
    (out / "state" / "state.npz").write_bytes(b"later state")
    (out / "model.keras").write_bytes(b"model")
    deliver(job, collect(there))
    assert (run / "trials" / "1" / "model.keras").read_bytes() == b"model"
    assert (run / "trials" / "1" / "state" / "state.npz").read_bytes() == b"later state"


def test_paths_that_both_see_stay(run: Path, tmp_path: Path) -> None:
    job = train_job(run)
    sent, files = pack(job, lambda path: False)
    assert sent == job and files == {} and unpack(sent, files, tmp_path / "there") == job
    assert collect(tmp_path / "there") == {}


def test_a_prediction_takes_the_model_along(run: Path, tmp_path: Path) -> None:
    model = str(run / "trials" / "1" / "model.keras")
    job = PredictJob("p", "/data", "f", Rows(splits=("test",)), model, str(run / "trials" / "1" / "test.npz"))
    sent, files = pack(job, lambda path: True)
    local = unpack(sent, files, tmp_path / "there")
    assert isinstance(local, PredictJob) and Path(local.model).read_bytes() == b"old model"
    Path(local.out).parent.mkdir(parents=True)
    Path(local.out).write_bytes(b"proba")
    deliver(job, collect(tmp_path / "there"))
    assert (run / "trials" / "1" / "test.npz").read_bytes() == b"proba"


def test_jobs_without_paths_travel_as_they_are(tmp_path: Path) -> None:
    assert pack(ScriptedJob("a"), lambda path: True) == (ScriptedJob("a"), {})


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_nothing_is_written_outside_of_the_output(run: Path, name: str) -> None:
    with pytest.raises(ValueError, match="sent a file named"):
        deliver(train_job(run), {name: b""})


def test_data_are_fetched_once_and_held_against_their_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = open_dataset("builtin:digits")
    assert given.folder is not None
    files = {name: path.read_bytes() for name, path in data_files(given.folder)}
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "other"))
    asked: list[int] = []

    def fetch() -> dict[str, bytes]:
        asked.append(1)
        return files

    folder = materialise(given.fingerprint, fetch)
    assert folder.is_relative_to(tmp_path / "other") and materialise(given.fingerprint, fetch) == folder
    assert len(asked) == 1
    there = ImageDataset.open(folder, given.fingerprint)
    assert np.array_equal(there.images, given.images) and np.array_equal(there.split, given.split)
    assert [p.name for p in (tmp_path / "other").glob(".*")] == []


def test_damaged_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = open_dataset("builtin:digits")
    assert given.folder is not None
    files = {name: path.read_bytes() for name, path in data_files(given.folder)}
    files["images.npy"] = files["images.npy"][:-1] + bytes([files["images.npy"][-1] ^ 1])
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "other"))
    with pytest.raises(DataError, match="damaged"):
        materialise(given.fingerprint, lambda: files)
    with pytest.raises(DataError):
        materialise("0" * 64, lambda: files)
