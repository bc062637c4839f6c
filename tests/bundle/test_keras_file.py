"""What a ``.keras`` file may ask for: held against a list, without Keras, before Keras sees it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from fertune.training.keras_file import foreign_classes, keras_faults
from tests.bundle.craft import config_with, keras_file, zipped


def faults(content: bytes, tmp_path: Path) -> list[str]:
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    return keras_faults(path)


def weights(fill: Any) -> bytes:
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 4), np.float32)
        fill(file)
    return out.getvalue()


def test_a_model_of_fertune_is_fine(tmp_path: Path) -> None:
    assert faults(keras_file(), tmp_path) == []


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ({"class_name": "Lambda", "module": "keras.layers", "config": {"function": "x"}}, "layer Lambda"),
        ({"class_name": "Lambda", "module": "keras.src.layers.core.lambda_layer", "config": {}}, "layer Lambda"),
        ({"class_name": "Lambda", "config": {}}, "layer Lambda"),
        ({"class_name": "__lambda__", "config": {"value": "x"}}, "__lambda__"),
        ({"class_name": "__typespec__", "module": "os", "config": []}, "__typespec__"),
        ({"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "/x"}}, "loads another file"),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {}}, "loads a pickle"),
        ({"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/x"}}, "another file"),
        ({"class_name": "Dense", "config": {}}, "Dense of no module"),
        ({"class_name": "system", "module": "os", "config": {}}, "system of os"),
        ({"class_name": "function", "module": "os", "config": "system", "registered_name": "system"}, "system of os"),
        ({"class_name": "function", "module": "keras.saving", "config": "load_model"}, "load_model of keras.saving"),
        ({"class_name": "function", "module": "keras.models", "config": "load_model"}, "load_model of keras.models"),
        ({"class_name": "function", "module": "keras.layers", "config": "deserialize"}, "deserialize of keras.layers"),
        ({"class_name": "get_file", "module": "keras.utils", "config": {}}, "get_file of keras.utils"),
        ({"class_name": "load_model", "module": "keras", "config": {}}, "load_model of keras"),
        ({"class_name": "Dense", "module": "keras.layersx", "config": {}}, "Dense of keras.layersx"),
        ({"class_name": ["Dense"], "module": "keras.layers", "config": {}}, "no name of a class"),
        ({"class_name": "Dense", "module": ["keras.layers"], "config": {}}, "no name of a class"),
        ({"class_name": "function", "module": "builtins", "config": {"a": 1}}, "no name of a class"),
    ],
)
def test_layers_that_are_refused(layer: dict[str, Any], says: str, tmp_path: Path) -> None:
    for place in (layer, {"class_name": "Dense", "module": "keras.layers", "config": {"deep": [{"er": layer}]}}):
        found = faults(keras_file(config_with(place)), tmp_path)
        assert len(found) == 1 and says in found[0]


def test_ones_own_class_is_told_apart(tmp_path: Path) -> None:
    own = {"class_name": "Mine", "module": "m", "registered_name": "m>Mine", "config": {}}
    assert foreign_classes(faults(keras_file(config_with(own)), tmp_path))
    assert not foreign_classes(faults(keras_file(config_with({"class_name": "Lambda", "config": {}})), tmp_path))
    assert not foreign_classes([])


@pytest.mark.parametrize(
    "config", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, json.dumps({"a": 1}).encode()], ids=range(6)
)
def test_configs_that_are_none(config: bytes, tmp_path: Path) -> None:
    assert faults(keras_file(config), tmp_path)


def test_parts_that_are_missing_or_too_many(tmp_path: Path) -> None:
    assert faults(zipped({"config.json": b"{}"}), tmp_path) == ["model.weights.h5: missing"]
    assert "assets/vocabulary.txt: not a part" in faults(keras_file(**{"assets/vocabulary.txt": b"x"}), tmp_path)[0]
    assert "no readable Keras model" in faults(b"PK", tmp_path)[0]
    assert "no readable Keras model" in faults(b"\x89HDF\r\n\x1a\n" + b"\0" * 100, tmp_path)[0]  # an old .h5 model
    assert "no readable Keras model" in faults(keras_file(weights=b"no HDF5"), tmp_path)[0]


def soft(file: h5py.File) -> None:
    file["layers/dense/vars/1"] = h5py.SoftLink("/layers/dense/vars/0")


def away(file: h5py.File) -> None:
    file["layers/dense/vars/1"] = h5py.ExternalLink("/etc/passwd", "/")


def outside(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/1", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    file.create_virtual_dataset("layers/dense/vars/1", layout)


def texts(file: h5py.File) -> None:
    file["layers/dense/vars/1"] = ["a", "b"]


def bomb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/1", (10**10,), "f4", chunks=(10**6,), compression="gzip")


def empty(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/1", (10**10,), "f4")


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (soft, "1 is a link"), (away, "1 is a link"), (outside, "lies in another file"),
        (virtual, "lies in another file"), (texts, "does not hold numbers"), (bomb, "declares 40,000,000,048 bytes"),
        (empty, "declares 40,000,000,048 bytes"),
    ],
)  # fmt: skip
def test_weights_that_are_refused(fill: Any, says: str, tmp_path: Path) -> None:
    found = faults(keras_file(weights=weights(fill)), tmp_path)
    assert len(found) == 1 and says in found[0], found


def test_a_group_inside_itself_ends(tmp_path: Path) -> None:
    def loop(file: h5py.File) -> None:
        file["layers/dense/again"] = file["layers"]

    assert faults(keras_file(weights=weights(loop)), tmp_path) == []


def test_a_bomb_in_the_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(keras_file())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    packed = zipped(parts | {"model.weights.h5": b"\0" * 20_000_000}, zipfile.ZIP_DEFLATED)
    assert "model.weights.h5: unpacks from" in faults(packed, tmp_path)[0]


def test_no_keras_is_needed(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(keras_file())
    code = (
        "import sys; from pathlib import Path; from fertune.training.keras_file import keras_faults\n"
        "print(keras_faults(Path('model.keras')), 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.stdout == "[] False\n", done.stderr


@pytest.mark.slow
def test_what_keras_writes_is_fine_and_what_it_registers_too(tmp_path: Path) -> None:
    import keras
    from keras import layers

    @keras.saving.register_keras_serializable(package="own")
    class Doubled(layers.Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    pictures = keras.Input((8, 8, 1))
    x = layers.RandomRotation(0.1)(layers.Rescaling(1 / 255)(pictures))
    x = layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(1e-3), activation=keras.activations.gelu)(x)
    x = keras.ops.mean(layers.BatchNormalization()(keras.ops.relu(2 * x + 1)), axis=(1, 2))
    x = layers.Dense(3, activation="softmax", kernel_constraint="max_norm")(layers.Dropout(0.1)(x))
    model = keras.Model(pictures, x)
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    nested = keras.Sequential([keras.Input((8, 8, 1)), keras.Sequential([layers.Flatten(), layers.Dense(3)])])
    own = keras.Sequential([keras.Input((8, 8, 1)), Doubled(), layers.Flatten(), layers.Dense(3, "softmax")])
    for number, one in enumerate((model, nested, own)):
        one.save(tmp_path / f"{number}.keras")
        assert keras_faults(tmp_path / f"{number}.keras") == []
    keras.saving.get_custom_objects().pop("own>Doubled")
    assert foreign_classes(keras_faults(tmp_path / "2.keras"))


@pytest.mark.slow
def test_load_model_asks_first(tmp_path: Path) -> None:
    from fertune.errors import RunError
    from fertune.training.load import load_model

    path = tmp_path / "model.keras"
    path.write_bytes(keras_file(config_with({"class_name": "system", "module": "os", "config": {}})))
    with pytest.raises(RunError, match="system of os") as caught:
        load_model(path)
    assert "register" in (caught.value.help or "")
