"""The ensemble as data: it moves, it is checked, and it predicts the same in another process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.errors import DataError, RunError
from fertune.stacking.bundle import BUNDLE, Bundle, load_bundle, write_bundle
from fertune.stacking.meta import LEARNERS
from tests.stacking.meta_fakes import matrix, softmax

CLASSES, SHAPE = ("calm", "<b>", "glad"), (6, 5, 1)
MEMBERS = ("leaky_cnn 7", "relu_cnn 2")


class FakeModel:
    """Answers by the mean of a picture and its own number; stands where a Keras model would."""

    def __init__(self, number: int, classes: int = 3) -> None:
        self.number, self.classes = number, classes

    def predict_on_batch(self, pictures: np.ndarray) -> np.ndarray:
        light = pictures.astype(np.float64).mean(axis=(1, 2, 3)) / 255
        return softmax(np.outer(light, np.arange(self.classes)) + self.number * np.eye(self.classes)[0])


def write(folder: Path, learner: str = "logistic", **changes: Any) -> Path:
    """A stack's folder with files that only stand for models: two members of two folds."""
    models = {}
    for m, name in enumerate(MEMBERS):
        models[name] = [folder / "members" / f"m{m}" / f"fold-{k}" / "model.keras" for k in range(2)]
        for k, path in enumerate(models[name]):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"{2 * m + k}".encode())
    oof = matrix(200, (1.0, 0.8), classes=3)
    LEARNERS[learner].fit({}, oof.proba, oof.labels).save(folder / "meta" / learner)
    plain = {
        "members": list(models.items()), "learner": learner, "learner_folder": folder / "meta" / learner,
        "class_names": CLASSES, "image_shape": SHAPE,
    }  # fmt: skip
    write_bundle(folder, **(plain | changes))
    return folder


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Models are read as their number; what was loaded is written down."""
    loaded: list[Path] = []

    def load(path: Path) -> FakeModel:
        loaded.append(path)
        return FakeModel(int(path.read_bytes()))

    monkeypatch.setattr("fertune.training.load.load_model", load)
    return loaded


def images(n: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


def test_members_are_means_of_their_fold_models(tmp_path: Path, fake_models: list[Path]) -> None:
    bundle, pictures = load_bundle(write(tmp_path)), images()
    assert fake_models == []  # nothing is loaded before it is needed
    found = bundle.member_proba(pictures)
    assert found.shape == (7, 2, 3)
    for m in range(2):
        expected = np.mean([FakeModel(2 * m + k).predict_on_batch(pictures) for k in range(2)], axis=0)
        np.testing.assert_allclose(found[:, m], expected, atol=1e-6)
    proba = bundle.predict_proba(pictures)
    assert proba.dtype == np.float32 and proba.shape == (7, 3)
    np.testing.assert_allclose(proba, bundle.learner.predict_proba(found), atol=1e-6)
    assert len(fake_models) == 4  # and kept


@pytest.mark.parametrize("learner", list(LEARNERS))
def test_any_learner_may_be_in_it(learner: str, tmp_path: Path, fake_models: list[Path]) -> None:
    bundle = load_bundle(write(tmp_path, learner))
    assert bundle.learner_name == learner
    assert bundle.class_names == CLASSES and bundle.image_shape == SHAPE
    assert [member.name for member in bundle.members] == list(MEMBERS)
    np.testing.assert_allclose(bundle.predict_proba(images()).sum(axis=1), 1, atol=1e-5)


def test_the_folder_may_move(tmp_path: Path, fake_models: list[Path]) -> None:
    before = load_bundle(write(tmp_path / "a")).predict_proba(images())
    shutil.move(tmp_path / "a", tmp_path / "else where")
    np.testing.assert_array_equal(load_bundle(tmp_path / "else where").predict_proba(images()), before)
    text = (tmp_path / "else where" / BUNDLE).read_text(encoding="utf-8")
    assert str(tmp_path) not in text and "\\\\" not in text


def test_weights_of_fold_models(tmp_path: Path, fake_models: list[Path]) -> None:
    bundle, pictures = load_bundle(write(tmp_path, weights={MEMBERS[1]: [0.75, 0.25]})), images()
    expected = 0.75 * FakeModel(2).predict_on_batch(pictures) + 0.25 * FakeModel(3).predict_on_batch(pictures)
    np.testing.assert_allclose(bundle.member_proba(pictures)[:, 1], expected, atol=1e-6)


def test_pictures(tmp_path: Path, fake_models: list[Path]) -> None:
    bundle, pictures = load_bundle(write(tmp_path)), images()
    np.testing.assert_array_equal(bundle.predict_proba(pictures[..., 0]), bundle.predict_proba(pictures))
    assert bundle.predict_proba(pictures[:0]).shape == (0, 3)
    for wrong in (pictures.astype(np.float32), pictures[:, :4], pictures[0, ..., 0], np.repeat(pictures, 3, axis=3)):
        with pytest.raises(DataError, match=r"uint8 \(n, 6, 5, 1\)"):
            bundle.predict_proba(wrong)


def test_a_model_of_other_classes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fertune.training.load.load_model", lambda path: FakeModel(0, classes=4))
    with pytest.raises(RunError, match="there are 3 classes"):
        load_bundle(write(tmp_path)).predict_proba(images())


def test_a_fold_model_of_one_configuration_that_does_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fertune.training.load.load_model", lambda p: FakeModel(0, 3 + (p.parent.name == "fold-1")))
    models = [tmp_path / "7" / f"fold-{i}" / "model.keras" for i in range(2)]
    with pytest.raises(RunError, match=r"^fold-1/model\.keras gives values of shape \(4,\)"):
        Bundle.single("net 7", models, CLASSES, SHAPE).predict_proba(images())


MODEL_PATH = "members/m0/fold-0/model.keras"


def first_model(document: dict[str, Any], path: str) -> None:
    """Put another path where the first model stands, with a hash."""
    document["members"][0]["models"][0] = path
    document["files"][path] = document["files"][MODEL_PATH]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(protocol=2), "protocol 2; this fertune reads 1"),
        (lambda d: d.update(kind="search"), "does not describe an ensemble"),
        (lambda d: d.update(members=[]), "members: none"),
        (lambda d: d.update(members="m"), "members: none"),
        (lambda d: d["members"][1].update(models=[]), "members[1]: not a name and a list of models"),
        (lambda d: d["members"][1].update(weights=[1, 1]), "members[1].weights"),
        (lambda d: d.update(class_names=[1]), "class_names: not a list of names"),
        (lambda d: d.update(image_shape=[6, 5]), "image_shape: [6, 5]"),
        (lambda d: d.update(learner="logistic"), "learner: not a name and a folder"),
        (lambda d: d.pop("files"), "files: not paths"),
        (lambda d: first_model(d, "../outside.keras"), "../outside.keras: leaves the run folder"),
        (lambda d: first_model(d, "members/../../outside.keras"), "leaves the run folder"),
        (lambda d: first_model(d, "/etc/hostname"), "/etc/hostname: leaves the run folder"),
        (lambda d: first_model(d, "C:\\model.keras"), "leaves the run folder"),
        (lambda d: first_model(d, "C:model.keras"), "leaves the run folder"),
        (lambda d: d["learner"].update(folder="../meta"), "../meta: leaves the run folder"),
        (lambda d: d["files"].update({"/etc/hostname": "0"}), "/etc/hostname: leaves the run folder"),
        (lambda d: d["files"].pop(MODEL_PATH), "no hash is stored for it"),
        (lambda d: d["files"].update({MODEL_PATH: "0" * 64}), f"{MODEL_PATH}: changed since"),
        (lambda d: d["files"].pop("meta/logistic/model.skops"), "model.skops: was not there when"),
        (lambda d: d["learner"].update(name="mean"), "holds 'logistic' where 'mean' is wanted"),
        (lambda d: d["members"].pop(), "fitted for 2 models and 3 classes; the ensemble has 1 and 3"),
    ],
)
def test_bundles_that_cannot_be_used(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    folder = write(tmp_path / "run")
    (tmp_path / "outside.keras").write_bytes(b"0")
    document = json.loads((folder / BUNDLE).read_text(encoding="utf-8"))
    change(document)
    (folder / BUNDLE).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        load_bundle(folder)
    assert message in str(caught.value)


def test_links_that_lead_away(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    (tmp_path / "outside.keras").write_bytes(b"0")  # the same bytes: the hash alone would not tell
    (folder / MODEL_PATH).unlink()
    (folder / MODEL_PATH).symlink_to(tmp_path / "outside.keras")
    with pytest.raises(RunError, match="leaves the run folder"):
        load_bundle(folder)


def test_all_changed_and_lost_files_at_once(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / MODEL_PATH).unlink()
    (folder / "members/m1/fold-1/model.keras").write_bytes(b"other")
    (folder / "meta/logistic/learner.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        load_bundle(folder)
    assert len(caught.value.details) == 3 and caught.value.help


def test_no_bundle_and_half_a_bundle(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="bundle.json is missing"):
        load_bundle(tmp_path)
    (tmp_path / BUNDLE).write_text('{"protocol"', encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        load_bundle(tmp_path)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    outside = tmp_path / "outside.keras"
    outside.write_bytes(b"0")
    with pytest.raises(RunError, match="not inside the run folder"):
        write(tmp_path / "run", members=[("a", [outside]), ("b", [outside])])
    with pytest.raises(RunError, match="is missing"):
        write(tmp_path / "run", members=[("a", [tmp_path / "run" / "none.keras"])])
    with pytest.raises(RunError, match="fitted for 2 models"):
        write(tmp_path / "run", members=[("a", [tmp_path / "run" / MODEL_PATH])])
    with pytest.raises(RunError, match="one name"):
        write(tmp_path / "run", members=[("a", [tmp_path / "run" / MODEL_PATH])] * 2)


def keras_stack(folder: Path, learner: str) -> Path:
    """Tiny real models, so small that they need no training to differ."""
    from fertune.models import build_model, load_keras

    engine = load_keras()
    paths: dict[str, list[Path]] = {name: [] for name in MEMBERS}
    for m, name in enumerate(MEMBERS):
        for k in range(2):
            engine.utils.set_random_seed(10 * m + k)
            model = build_model("conv", {"blocks": 1, "filters_1": 4}, (8, 8, 1), 3)
            path = folder / "members" / f"m{m}" / f"fold-{k}" / "model.keras"
            path.parent.mkdir(parents=True)
            model.save(path)
            paths[name].append(path)
    oof = matrix(200, (1.0, 0.8), classes=3)
    LEARNERS[learner].fit({}, oof.proba, oof.labels).save(folder / "meta" / learner)
    write_bundle(
        folder, members=list(paths.items()), learner=learner, learner_folder=folder / "meta" / learner,
        class_names=CLASSES, image_shape=(8, 8, 1),
    )  # fmt: skip
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["logistic", "decision_tree", "xgboost", "greedy"])
def test_a_fresh_process_predicts_the_same(learner: str, tmp_path: Path) -> None:
    folder = keras_stack(tmp_path / "run", learner)
    pictures = np.random.default_rng(1).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    here = load_bundle(folder).predict_proba(pictures)
    assert here.std(axis=0).max() > 1e-4  # the answer depends on the picture
    np.save(tmp_path / "pictures.npy", pictures)
    shutil.move(folder, tmp_path / "moved")
    code = (
        "import sys, numpy as np\n"
        "from fertune.stacking.bundle import load_bundle\n"
        "folder, pictures, out = sys.argv[1:]\n"
        "bundle = load_bundle(folder)\n"
        "assert 'keras' not in sys.modules\n"
        "np.save(out, bundle.predict_proba(np.load(pictures)))\n"
    )
    arguments = [str(tmp_path / name) for name in ("moved", "pictures.npy", "proba.npy")]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "proba.npy"), here, atol=1e-5)


@pytest.mark.slow
def test_pictures_one_by_one_are_pictures_together(tmp_path: Path) -> None:
    bundle: Bundle = load_bundle(keras_stack(tmp_path, "mean"))
    pictures = np.random.default_rng(2).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)
    together = bundle.predict_proba(pictures)
    alone = np.concatenate([bundle.predict_proba(pictures[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, together, atol=1e-5)
