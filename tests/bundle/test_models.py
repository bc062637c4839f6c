"""Models that are there to predict: packed from runs, loaded from files and folders, given picture files."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fertune as ft
from fertune.bundles import PicturePredictions, TrainedModel
from fertune.bundles.pictures import as_input, batches, check_channels, find_pictures
from fertune.errors import ConfigError, DataError, RunError
from fertune.stacking.bundle import write_bundle
from fertune.stacking.meta import LEARNERS
from tests.bundle.craft import FIXTURES, KEPT, config_with, keras_file, manifest_of, members_of, write, zipped
from tests.schema import check
from tests.stacking.meta_fakes import matrix, softmax

CLASSES = tuple(str(digit) for digit in range(10))


class Light:
    """Answers by the mean of a picture and the size of its file; stands where a Keras model would."""

    def __init__(self, path: Path, classes: int = 10) -> None:
        self.number, self.classes = path.stat().st_size % 97, classes

    def predict_on_batch(self, pictures: np.ndarray) -> np.ndarray:
        light = pictures.astype(np.float64).mean(axis=(1, 2, 3)) / 255
        return softmax(np.outer(light, np.arange(self.classes)) + self.number / 100 * np.eye(self.classes)[0])


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.training.load.load_model", Light)


def stack(root: Path, learner: str) -> Path:
    """The kept stack with two models and a meta-learner of this name."""
    parts = members_of()
    models = []
    for number in range(2):
        path = root / "both" / "members" / f"m{number}" / "fold-0" / "model.keras"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(parts[f"models/{number}-0.keras"])
        models.append((f"m{number}", [path]))
    oof = matrix(200, (1.0, 0.8), classes=10)
    saved = root / "both" / "meta" / learner
    LEARNERS[learner].fit({}, oof.proba, oof.labels).save(saved)
    write_bundle(root / "both", members=models, learner=learner, learner_folder=saved, class_names=CLASSES,
                 image_shape=(8, 8, 1), weights={"m0": [1.0]})  # fmt: skip
    return root / "both"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The kept run folders, each with models again."""
    with zipfile.ZipFile(FIXTURES / "runs-protocol-1.zip") as archive:
        archive.extractall(tmp_path / "runs")
    root = tmp_path / "runs"
    parts = members_of()
    search = ft.open_run(root / "one")
    assert isinstance(search, ft.SearchRun) and search.best is not None
    kept = root / "one" / "trials" / str(search.best.id) / "model.keras"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(parts["models/0-0.keras"])
    stack(root, "logistic")
    return root


def pictures(n: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)


@pytest.mark.parametrize("run", ["one", "both"])
def test_a_run_and_its_bundle_say_the_same(run: str, runs: Path, light: None, tmp_path: Path) -> None:
    path = ft.bundle(runs / run, tmp_path / "m.fertune")
    shutil.copy(path, tmp_path / "other name.zip")
    inside = ft.load(tmp_path / "other name.zip")
    folder = ft.load(runs / run)
    assert inside.kind == folder.kind == ("search" if run == "one" else "stack")
    assert inside.class_names == folder.class_names == CLASSES and inside.image_shape == (8, 8, 1)
    assert inside.score == folder.score and inside.score is not None and inside.score["rows"]
    proba = inside.predict_proba(pictures())
    assert proba.dtype == np.float32 and proba.shape == (5, 10) and np.ptp(proba[:, 1]) > 0
    np.testing.assert_allclose(folder.predict_proba(pictures()).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("learner", list(LEARNERS))
def test_any_meta_learner_may_be_in_it(learner: str, runs: Path, light: None, tmp_path: Path) -> None:
    expected = ft.load(stack(runs, learner)).predict_proba(pictures(40))
    path = ft.bundle(runs / "both", tmp_path / "m.fertune")
    shutil.rmtree(runs)
    inside = ft.load(path)
    assert inside.ensemble.learner_name == learner
    np.testing.assert_allclose(inside.predict_proba(pictures(40)), expected, atol=1e-6)


def test_a_bundle_is_small_and_tells_nothing_of_its_data(runs: Path, tmp_path: Path) -> None:
    """No pictures, labels, predictions, absolute paths or pickle: models, the meta-learner, and a manifest."""
    members = members_of(ft.bundle(runs / "both", tmp_path / "m.fertune"))
    assert sorted(members) == [
        "bundle.json", "learner/learner.json", "learner/model.skops", "models/0-0.keras", "models/1-0.keras",
    ]  # fmt: skip
    document = manifest_of(members)
    check(document, "bundle")
    text = json.dumps(document)
    assert str(tmp_path) not in text and "/home" not in text and "\\\\" not in text
    assert document["score"]["rows"].startswith("test") and document["members"][0]["weights"] == [1.0]
    search = manifest_of(members_of(ft.bundle(runs / "one", tmp_path / "s.fertune")))
    check(search, "bundle")
    assert "optimistic" in search["score"]["note"] and search["objective"]["name"] == "val_accuracy"


def test_the_same_run_gives_the_same_bytes(runs: Path, tmp_path: Path) -> None:
    first = ft.bundle(runs / "both", tmp_path / "a.fertune").read_bytes()
    shutil.move(runs, tmp_path / "moved")
    for path in (tmp_path / "moved").rglob("*"):
        os.utime(path, (1, 1))
    assert ft.bundle(tmp_path / "moved" / "both", tmp_path / "b.fertune").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.fertune", "b.fertune", "moved"]


def test_a_read_only_folder(runs: Path, light: None, tmp_path: Path) -> None:
    place = tmp_path / "read only"
    place.mkdir()
    path = ft.bundle(runs / "both", place / "m.fertune")
    path.chmod(0o400)
    place.chmod(0o500)
    try:
        assert ft.load(path).predict_proba(pictures()).shape == (5, 10)
        assert [p.name for p in place.iterdir()] == ["m.fertune"]
    finally:
        place.chmod(0o700)


def test_what_cannot_be_bundled(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.fertune") as caught:
        ft.bundle(runs / "one", tmp_path / "model.zip")
    assert caught.value.help == f"-o {tmp_path / 'model.fertune'}"
    with pytest.raises(ConfigError, match="no trials"):
        ft.bundle(runs / "both", tmp_path / "m.fertune", trial=1)
    with pytest.raises(RunError, match="no model of trial 77 is kept"):
        ft.bundle(runs / "one", tmp_path / "m.fertune", trial=77)
    with pytest.raises(RunError, match="has no model yet"):
        ft.bundle(runs / "two", tmp_path / "m.fertune")
    with pytest.raises(RunError, match="no run at"):
        ft.bundle(runs / "none", tmp_path / "m.fertune")
    (runs / "both" / "members" / "m0" / "fold-0" / "model.keras").write_bytes(b"changed")
    with pytest.raises(RunError, match="cannot be used"):
        ft.bundle(runs / "both", tmp_path / "m.fertune")
    own = {"class_name": "Mine", "module": "m", "registered_name": "m>Mine", "config": {}}
    next((runs / "one").glob("trials/*/model.keras")).write_bytes(keras_file(config_with(own)))
    with pytest.raises(RunError, match="Mine") as caught:
        ft.bundle(runs / "one", tmp_path / "m.fertune")
    assert "register" in (caught.value.help or "")
    (tmp_path / "file").write_bytes(b"")
    next((runs / "one").glob("trials/*/model.keras")).write_bytes(keras_file())
    with pytest.raises(RunError, match="cannot write"):
        ft.bundle(runs / "one", tmp_path / "file" / "m.fertune")
    assert not list(tmp_path.rglob("*.fertune")) and not list(tmp_path.rglob(".part-*"))


def test_a_meta_learner_of_foreign_types(tmp_path: Path) -> None:
    evil = {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode", "content": {}}
    members = {**members_of(), "learner/model.skops": zipped({"schema.json": json.dumps(evil).encode()})}
    with pytest.raises(RunError) as caught:
        ft.load(write(tmp_path / "b.fertune", members))
    assert caught.value.message.startswith("b.fertune was refused: learner/model.skops asks for")
    assert caught.value.details[0] == "type subprocess.Popen"


def test_a_trial_of_what_has_none(runs: Path, tmp_path: Path) -> None:
    for source in (runs / "both", KEPT):
        with pytest.raises(ConfigError, match=r"has no trials|one model"):
            ft.load(source, trial=0)
    with pytest.raises(RunError, match="no run at"):
        ft.load(tmp_path / "nothing")


def save(path: Path, array: np.ndarray, **how: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **how)
    return str(path)


def mixed(folder: Path) -> tuple[np.ndarray, dict[str, str]]:
    """One picture as every kind of file, and some that are none."""
    gray = pictures(1, seed=3)[0, ..., 0]
    gray[0, 0] = 255  # so that 16 bits hold their highest value
    turned = Image.Exif()
    turned[0x0112] = 6
    named = {
        "plain": save(folder / "plain.png", gray),
        "deep": save(folder / "deep.png", gray.astype(np.uint16) * 257),
        "alpha": save(folder / "alpha.png", np.dstack([gray, gray, gray, np.full_like(gray, 255)])),
        "colour": save(folder / "sub" / "colour.png", np.dstack([gray, gray // 2, gray])),
        "turned": save(folder / "turned.png", np.rot90(gray).copy(), exif=turned),
        "big": save(folder / "sub" / "big.bmp", np.kron(gray, np.ones((3, 3), np.uint8))),
    }
    Image.fromarray(gray).convert("P").save(folder / "palette.png")
    (folder / "broken.png").write_bytes((folder / "plain.png").read_bytes()[:60])
    (folder / "text.jpg").write_text("hello")
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.png").write_bytes(b"")
    return gray, named


def test_picture_files_of_every_kind(light: None, tmp_path: Path) -> None:
    gray, named = mixed(tmp_path / "pictures")
    steps: list[tuple[int, int]] = []
    found = ft.load(KEPT).predict([tmp_path / "pictures", "none.png"], progress=lambda *at: steps.append(at))
    whole = ft.load(KEPT).predict_proba(gray[None])[0]
    at = {Path(file).name: row for row, file in enumerate(found.files)}
    for name in ("plain.png", "deep.png", "alpha.png", "turned.png", "palette.png"):
        np.testing.assert_allclose(found.proba[at[name]], whole, atol=1e-6, err_msg=name)
    notes = {Path(file).name: found.notes[row] for file, row in zip(found.files, range(len(found)), strict=True)}
    assert notes["plain.png"] == () and notes["colour.png"] == ("colour made gray",)
    assert notes["big.bmp"] == ("brought from 24 x 24",) and "turned upright" in notes["turned.png"][0]
    why = {Path(file).name: reason for file, reason in found.unreadable}
    assert set(why) == {"broken.png", "text.jpg", "empty.png", "none.png"}
    assert why["text.jpg"] == "not a picture" and why["none.png"].startswith("no such file")
    assert len(found) == 7 and steps == [(10, 10)]


def test_nothing_readable_loads_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fertune.training.load.load_model", lambda path: pytest.fail("loaded"))
    (tmp_path / "a.png").write_text("x")
    (tmp_path / "empty").mkdir()
    found = ft.load(KEPT).predict([tmp_path / "a.png", tmp_path / "empty", tmp_path / "a.jpg"])
    assert len(found) == 0 and found.proba.shape == (0, 10) and len(found.labels) == 0
    assert [reason for _, reason in found.unreadable] == [
        "a folder without pictures", "no such file; did you mean 'a.png'?", "not a picture",
    ]  # fmt: skip


def test_pictures_are_read_a_batch_at_a_time(light: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = [save(tmp_path / f"{i:03d}.png", picture[..., 0]) for i, picture in enumerate(pictures(50))]
    (tmp_path / "020.png").write_text("x")
    monkeypatch.setattr("fertune.bundles.pictures.BATCH_BYTES", 16 * 64)
    sizes = [len(batch.images) for batch in batches(files, (8, 8, 1))]
    assert sizes == [16, 15, 16, 2]
    found = ft.load(KEPT).predict(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("fertune.training.load.load_model", Light)
    np.testing.assert_allclose(found.proba, ft.load(KEPT).predict(tmp_path).proba, atol=1e-6)
    assert found.files == tuple(f for f in files if not f.endswith("020.png"))


def test_files_are_found(tmp_path: Path) -> None:
    gray = np.zeros((2, 2), np.uint8)
    for name in ("b.png", "a/z.PNG", "a/.git/x.png", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save(tmp_path / name, gray, format="png")
    (tmp_path / "round").symlink_to(tmp_path)
    files, missing = find_pictures([tmp_path, tmp_path / "c.txt", tmp_path / "b.png"])
    assert [Path(f).relative_to(tmp_path).as_posix() for f in files] == ["a/z.PNG", "b.png", "c.txt"]
    assert missing == []
    os.mkfifo(tmp_path / "pipe")
    assert find_pictures([tmp_path / "pipe"]) == ([], [(str(tmp_path / "pipe"), "neither a file nor a folder")])


def test_channels() -> None:
    gray, colour = pictures(1)[0, ..., 0], np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert np.array_equal(as_input(gray, (8, 8, 1))[..., 0], gray)
    assert np.array_equal(as_input(gray, (8, 8, 3)), np.repeat(gray[..., None], 3, axis=2))
    assert np.array_equal(as_input(colour, (8, 8, 3)), colour)
    luma = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(as_input(colour, (8, 8, 1))[..., 0] - luma).max() < 1
    assert as_input(colour, (4, 6, 1)).shape == (4, 6, 1) and as_input(gray, (4, 6, 3)).shape == (4, 6, 3)


def test_a_model_of_other_channels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="takes pictures of 4 channels"):
        check_channels((8, 8, 4))


def example() -> PicturePredictions:
    proba = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], np.float32)
    notes = ((), ("brought from 9 x 9",))
    return PicturePredictions(("a.png", 'b,"\udcff.png'), proba, ("x", "y", "z"), notes, (("c.png", "not a picture"),))


def test_predictions_as_rows(tmp_path: Path) -> None:
    found = example()
    assert found.labels.tolist() == [1, 0] and found.labels.dtype == np.int32
    assert [[name for name, _ in best] for best in found.top(2)] == [["y", "z"], ["x", "y"]]
    assert all(len(best) == 3 for best in found.top(9))
    frame = found.to_frame()
    assert frame.columns.tolist() == ["file", "predicted", "probability", "p_x", "p_y", "p_z"]
    assert frame.predicted.tolist() == ["y", "x"]
    found.write_csv(tmp_path / "x.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "x.csv").read_text("utf-8"))))
    assert [row["file"] for row in rows] == ["a.png", 'b,"\\udcff.png', "c.png"]
    assert rows[0]["p_y"] == "0.500000" and rows[0]["error"] == ""
    assert rows[2]["predicted"] == "" and rows[2]["error"] == "not a picture"
    document = {"kind": "predictions", "path": None, "model": "m", **found.to_json(2)}
    assert document["pictures"][1]["file"] == 'b,"\\udcff.png'
    check(document, "predictions")


def test_a_model_that_cannot_predict_is_named(light: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Layer 'conv2d' expects 6 channels")

    monkeypatch.setattr(Light, "predict_on_batch", fail)
    with pytest.raises(RunError) as caught:
        ft.load(KEPT).predict_proba(np.zeros((2, 8, 8, 1), np.uint8))
    assert str(caught.value) == "models/0-0.keras cannot predict pictures of shape (8, 8, 1)"


def test_a_file_that_is_there_is_kept(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.fertune"
    path.write_bytes(b"mine")
    with pytest.raises(ConfigError, match="m.fertune is there already") as caught:
        ft.bundle(runs / "both", path)
    assert path.read_bytes() == b"mine" and "--force" in (caught.value.help or "") and caught.value.exit_code == 2
    ft.load(ft.bundle(runs / "both", path, force=True))


def test_a_model_shows_itself(runs: Path) -> None:
    model: TrainedModel = ft.load(KEPT)
    assert "stack both, 10 classes, pictures of 8 x 8 x 1" in repr(model)
