"""What a skops file may ask for is decided in code; xgboost's JSON is checked too."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.errors import RunError
from fertune.stacking.meta import LEARNERS, skops_files
from fertune.stacking.meta.skops_files import ALLOWED, load_model, save_model
from fertune.stacking.meta.table import MODEL
from tests.stacking.meta_fakes import matrix

OOF = matrix(200)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    LEARNERS["decision_tree"].fit({}, OOF.proba, OOF.labels).save(tmp_path)
    return tmp_path


def rewrite(path: Path, change: Any) -> None:
    """Change the schema of a skops file."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    change(schema)
    files["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def ask_for_system(schema: dict[str, Any]) -> None:
    schema["content"]["content"]["criterion"] = {
        "__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": "system", "__id__": 1
    }  # fmt: skip


def ask_for_another_estimator(schema: dict[str, Any]) -> None:
    """skops itself would build this one: every scikit-learn estimator is on its own list."""
    schema["__class__"], schema["__module__"] = "DummyClassifier", "sklearn.dummy"


def ask_for_a_node(schema: dict[str, Any]) -> None:
    schema["content"]["content"]["criterion"]["__loader__"] = "PartialNode"


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (ask_for_system, "type os.system"),
        (ask_for_another_estimator, "type sklearn.dummy.DummyClassifier"),
        (ask_for_a_node, "node PartialNode"),
    ],
)
def test_a_file_that_asks_for_another_type_is_refused(saved: Path, change: Any, asked: str) -> None:
    LEARNERS["decision_tree"].load(saved)
    rewrite(saved / MODEL, change)
    with pytest.raises(RunError) as caught:
        LEARNERS["decision_tree"].load(saved)
    assert asked in str(caught.value) and "nothing was loaded" in str(caught.value)


def test_refused_before_skops_sees_it(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import skops.io

    rewrite(saved / MODEL, ask_for_system)
    monkeypatch.setattr(skops.io, "load", lambda *_, **__: pytest.fail("the file was handed to skops"))
    with pytest.raises(RunError):
        LEARNERS["decision_tree"].load(saved)


def test_the_list_is_fixed_and_never_taken_from_the_file() -> None:
    source = Path(skops_files.__file__).read_text(encoding="utf-8")
    assert "get_untrusted_types" not in source and "trusted=sorted(ALLOWED)" in source
    assert {name for name in ALLOWED if name.startswith("sklearn.")} == {
        "sklearn.tree._classes.DecisionTreeClassifier", "sklearn.tree._tree.Tree", "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler", "sklearn.linear_model._logistic.LogisticRegression",
    }  # fmt: skip


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    from sklearn.dummy import DummyClassifier

    with pytest.raises(RunError, match="fertune does not build"):
        save_model(DummyClassifier(), tmp_path / "x.skops")


def test_an_allowed_model_of_the_wrong_kind(saved: Path) -> None:
    from sklearn.pipeline import Pipeline

    with pytest.raises(RunError, match="holds a DecisionTreeClassifier where a Pipeline"):
        load_model(saved / MODEL, Pipeline)


def test_a_model_that_does_not_fit_its_state(saved: Path, tmp_path: Path) -> None:
    other = matrix(200, (1.0, 1.0))
    LEARNERS["decision_tree"].fit({}, other.proba, other.labels).save(tmp_path / "other")
    (tmp_path / "other" / MODEL).replace(saved / MODEL)
    with pytest.raises(RunError, match="does not fit 3 models of 4 classes"):
        LEARNERS["decision_tree"].load(saved)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x95"])
def test_files_that_are_no_skops_files(saved: Path, content: bytes) -> None:
    (saved / MODEL).write_bytes(content)
    with pytest.raises(RunError, match="no readable skops file"):
        LEARNERS["decision_tree"].load(saved)
    (saved / MODEL).unlink()
    with pytest.raises(RunError, match="no model at"):
        LEARNERS["decision_tree"].load(saved)


def test_a_zip_bomb_is_not_unpacked(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skops_files, "LARGEST", 1000)
    with pytest.raises(RunError, match="unpacks to more"):
        LEARNERS["decision_tree"].load(saved)


def test_xgboost_files(tmp_path: Path) -> None:
    learner = LEARNERS["xgboost"]
    fitted = learner.fit({"rounds": 5}, OOF.proba, OOF.labels)
    fitted.save(tmp_path)
    assert json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))["learner"]
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read by xgboost"):
        learner.load(tmp_path)
    (tmp_path / "model.json").unlink()
    with pytest.raises(RunError, match="cannot be read by xgboost"):
        learner.load(tmp_path)
    other = matrix(200, (1.0, 1.0))
    learner.fit({"rounds": 5}, other.proba, other.labels).save(tmp_path / "other")
    (tmp_path / "other" / "model.json").replace(tmp_path / "model.json")
    with pytest.raises(RunError, match="wants 8 features"):
        learner.load(tmp_path)


@pytest.mark.parametrize("weights", [[0.5, 0.5], [0.5, 0.5, 0.5], [1.5, -0.5, 0.0], ["a", 0, 1], [True, 0, 0], None])
def test_weights_that_are_none(tmp_path: Path, weights: Any) -> None:
    LEARNERS["mean"].fit({}, OOF.proba, OOF.labels).save(tmp_path)
    state = json.loads((tmp_path / "learner.json").read_text(encoding="utf-8"))
    (tmp_path / "learner.json").write_text(json.dumps(state | {"weights": weights}), encoding="utf-8")
    with pytest.raises(RunError, match="weights"):
        LEARNERS["mean"].load(tmp_path)


def test_a_run_folder_holds_no_pickle(tmp_path: Path) -> None:
    for name, learner in LEARNERS.items():
        learner.fit({}, OOF.proba, OOF.labels).save(tmp_path / name)
    contents = []
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        contents.append(path.read_bytes())
        if path.suffix == ".skops":
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(member) for member in archive.namelist()]
                for member in archive.namelist():
                    if member.endswith(".npy"):
                        with archive.open(member) as stream:
                            np.lib.format.read_array(stream, allow_pickle=False)  # type: ignore[arg-type]
    assert len(contents) > 8 and not [c for c in contents if c[:1] == b"\x80"]
