"""Bundle files that a stranger made: each is refused with one message, exit code 2, before anything of it is loaded."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.bundles import load_model
from fertune.cli import main
from fertune.errors import RunError
from tests.bundle.craft import KEPT, MODEL, config_with, keras_file, manifest_of, members_of, npz, write, zipped

Members = dict[str, bytes]


@pytest.fixture(autouse=True)
def _nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(*_: Any, **__: Any) -> None:
        raise AssertionError("something of a refused file was loaded")

    monkeypatch.setattr("fertune.bundles.model.Bundle.of", loaded)
    monkeypatch.setattr("fertune.training.load.load_model", loaded)


def refused(path: Path, *says: str) -> RunError:
    with pytest.raises(RunError) as caught:
        load_model(path)
    assert all(word in str(caught.value) for word in says), str(caught.value)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "../evil.keras",
        "models/../../evil.keras",
        "/etc/evil",
        "..\\evil",
        "C:\\evil",
        "C:evil",
        "models//0-9.keras",
        "./x",
    ],
)
def test_paths_that_lead_out(name: str, tmp_path: Path) -> None:
    members = members_of()
    refused(write(tmp_path / "b.fertune", {**members, name: b"x"}), "its path leads out of the file")
    assert [p.name for p in tmp_path.iterdir()] == ["b.fertune"]


def test_a_path_with_a_nul(tmp_path: Path) -> None:
    path = write(tmp_path / "b.fertune", {**members_of(), "models/9-9.keras": b"x"})
    path.write_bytes(path.read_bytes().replace(b"models/9-9.keras", b"models/9\x009.keras"))
    refused(path, "its path leads out of the file")


def test_a_link(tmp_path: Path) -> None:
    members = members_of()
    link = zipfile.ZipInfo(MODEL)
    link.create_system, link.external_attr = 3, 0o120777 << 16
    rest = [(name, data) for name, data in members.items() if name != MODEL]
    path = tmp_path / "b.fertune"
    path.write_bytes(zipped([*rest, (link, b"/etc/passwd")]))
    refused(path, f"{MODEL}: a link or a device")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", [MODEL, MODEL.upper().lower(), "MODELS/0-0.keras"])
def test_a_member_that_stands_there_twice(again: str, tmp_path: Path) -> None:
    path = tmp_path / "b.fertune"
    path.write_bytes(zipped([*members_of().items(), (again, b"other")]))
    refused(path, "stands there 2 times")


def test_members_that_are_not_listed_and_listed_ones_that_are_missing(tmp_path: Path) -> None:
    members = members_of()
    more = write(tmp_path / "more.fertune", {**members, "models/9-9.keras": b"x"}, listed=False)
    refused(more, "models/9-9.keras: not in the list")
    fewer = {name: data for name, data in members.items() if name != MODEL}
    refused(write(tmp_path / "fewer.fertune", fewer, listed=False), f"{MODEL}: missing")


def test_swapped_members(tmp_path: Path) -> None:
    """Both of one length, so that sizes cannot tell."""
    members = members_of()
    a, b = MODEL, "models/1-0.keras"
    length = max(len(members[a]), len(members[b]))
    members |= {name: members[name].ljust(length, b"\0") for name in (a, b)}
    document = manifest_of(members_of(write(tmp_path / "fine.fertune", members)))
    members[a], members[b] = members[b], members[a]
    error = refused(
        write(tmp_path / "b.fertune", members, document, listed=False), f"{a}: not the file that was packed"
    )
    assert len(error.details) == 2


def test_a_changed_member(tmp_path: Path) -> None:
    members = members_of()
    members[MODEL] = members[MODEL][:-1] + b"\1"
    refused(write(tmp_path / "b.fertune", members, listed=False), f"{MODEL}: not the file that was packed")
    members["learner/learner.json"] += b" "
    refused(write(tmp_path / "c.fertune", members, listed=False), "learner/learner.json: ", "bytes where")


def test_a_zip_bomb(tmp_path: Path) -> None:
    members = {**members_of(), MODEL: b"\0" * 30_000_000}
    document = manifest_of(members)
    document["files"][MODEL]["bytes"] = 30_000_000
    members["bundle.json"] = json.dumps(document).encode()
    path = tmp_path / "b.fertune"
    path.write_bytes(zipped(members, zipfile.ZIP_DEFLATED))
    refused(path, f"{MODEL}: unpacks from", "30,000,000")


def patched(path: Path, offset: int, value: int) -> Path:
    """``MODEL``'s entry in the central directory with another 4-byte number at ``offset``."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(MODEL.encode()))
    data[at + offset : at + offset + 4] = struct.pack("<I", value)
    path.write_bytes(bytes(data))
    return path


def test_sizes_that_are_not_true(tmp_path: Path) -> None:
    path = write(tmp_path / "b.fertune", members_of())
    refused(patched(path, 24, 4_000_000_000), "unpacks from")
    path = write(tmp_path / "c.fertune", members_of())
    assert "damaged" in str(refused(patched(path, 42, 0)))  # it points at another member
    path = write(tmp_path / "d.fertune", members_of())
    refused(patched(path, 20, 4_000_000), "overlap")


def test_an_encrypted_member_and_another_packing(tmp_path: Path) -> None:
    members = members_of()
    path = tmp_path / "b.fertune"
    path.write_bytes(zipped(members, zipfile.ZIP_BZIP2))
    refused(path, "packed by method 12")
    path = write(path, members)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(MODEL.encode()))
    data[at + 8] |= 1
    path.write_bytes(bytes(data))
    refused(path, "encrypted")


def test_too_many_members(tmp_path: Path) -> None:
    path = tmp_path / "b.fertune"
    path.write_bytes(zipped([(f"models/{i}", b"") for i in range(10_001)]))
    refused(path, "10,001 members where 10,000 are legal")


def test_no_bundle_at_all(tmp_path: Path) -> None:
    path = tmp_path / "b.fertune"
    refused(path, "there is no bundle or run")
    path.write_bytes(b"")
    refused(path, "not a zip file")
    path.write_bytes(b"hello, world")
    refused(path, "not a zip file", "help: fertune bundle RUN")
    path.write_bytes(zipped({"a.txt": b"x"}))
    refused(path, "holds no bundle.json")
    path.write_bytes(b"PK\x03\x04")
    refused(path, "damaged or cut off")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(share: float, tmp_path: Path) -> None:
    whole = KEPT.read_bytes()
    path = tmp_path / "b.fertune"
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path, "damaged or cut off")


def test_flipped_bytes_never_end_in_a_traceback(tmp_path: Path) -> None:
    whole = KEPT.read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "b.fertune"
    for at in rng.integers(0, len(whole), 60):
        data = bytearray(whole)
        data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data))
        try:
            load_model(path)
        except (RunError, AssertionError) as error:  # an AssertionError: bytes that nothing depends on (a date)
            assert isinstance(error, RunError) or "was loaded" in str(error)


def raw(path: Path, manifest: bytes) -> Path:
    path.write_bytes(zipped({**members_of(), "bundle.json": manifest}))
    return path


def test_manifests_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "b.fertune"
    refused(raw(path, b"{"), "is not JSON")
    refused(raw(path, b"\xff\xfe"), "is not JSON")
    refused(raw(path, b"[" * 100_000), "is not JSON")
    refused(raw(path, b"[]"), "does not describe a fertune bundle")
    refused(raw(path, b" " * 9_000_000), "larger than")


CHANGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d.update(format="zip"), "does not describe a fertune bundle"),
    (lambda d: d.update(protocol=2), "is of bundle protocol 2; this fertune reads up to 1"),
    (lambda d: d.update(protocol="1"), "is no protocol number"),
    (lambda d: d.update(protocol=True), "is no protocol number"),
    (lambda d: d.update(kind="both"), "kind: 'both'; legal: search, stack"),
    (lambda d: d.update(class_names=["a"] * 10), "some name stands there twice"),
    (lambda d: d.update(class_names=[]), "class_names: not a list of names"),
    (lambda d: d.update(image_shape=[8, 8]), "image_shape"),
    (lambda d: d.update(image_shape=[99999, 99999, 1]), "legal: height and width of 1 to 4,096, 1 to 4 channels"),
    (lambda d: d.update(image_shape=[8, 8, 5]), "image_shape: [8, 8, 5]; legal"),
    (lambda d: d.update(members=[]), "members: none"),
    (lambda d: d["members"][0].update(models=["models/7-7.keras"]), "models/7-7.keras: not among the files"),
    (lambda d: d["members"][0].update(models=["../x.keras"]), "../x.keras: not among the files"),
    (lambda d: d["members"][0].update(models=[MODEL, MODEL]), f"{MODEL}: named twice"),
    (lambda d: d["members"][1].update(name=d["members"][0]["name"]), "two have one name"),
    (lambda d: d["members"].pop(), "belongs to no member"),
    (lambda d: d["learner"].update(folder="."), "learner.folder"),
    (lambda d: d["learner"].update(name="mean"), "holds 'logistic' where 'mean' is wanted"),
    (lambda d: d["class_names"].pop(), "fitted for 2 models and 10 classes; the ensemble has 2 and 9"),
    (lambda d: d["files"].update({MODEL: "0" * 64}), f"{MODEL}: no size"),
    (lambda d: d["files"][MODEL].update(bytes=-1), "files: not paths"),
    (lambda d: d["files"].update({"a.txt": {"sha256": "0", "bytes": 1}}), "a.txt: no part of a bundle"),
]


@pytest.mark.parametrize(("change", "says"), CHANGES)
def test_manifests_that_do_not_fit(change: Callable[[dict[str, Any]], Any], says: str, tmp_path: Path) -> None:
    document = manifest_of(members_of())
    change(document)
    refused(raw(tmp_path / "b.fertune", json.dumps(document).encode()), says)


@pytest.mark.parametrize("shape", [[64, 64, 1], [8, 8, 3], [4096, 4096, 1], [9, 8, 1]])
def test_a_shape_that_its_models_do_not_take(shape: list[int], tmp_path: Path) -> None:
    document = manifest_of(members_of()) | {"image_shape": shape}
    stated = " x ".join(map(str, shape))
    said = refused(
        write(tmp_path / "b.fertune", members_of(), document), f"{MODEL}: takes pictures of 8 x 8 x 1 where {stated}"
    )
    assert "keras" not in said.message.lower() and "/fertune-" not in str(said)


def test_classes_that_its_models_do_not_give(tmp_path: Path) -> None:
    document = manifest_of(members_of())
    document["class_names"].append("another")
    path = write(tmp_path / "b.fertune", members_of(), document)
    refused(path, f"{MODEL}: gives 10 values a picture where 11 classes are stated")


@pytest.mark.parametrize("name", ["learner/model.pkl", "model.joblib", "learner/x.pickle", "models/weights.pt"])
def test_a_pickle_by_name(name: str, tmp_path: Path) -> None:
    refused(write(tmp_path / "b.fertune", {**members_of(), name: b"\x80\x05."}), name, "which holds no pickle")


def test_a_pickle_inside_an_npz(tmp_path: Path) -> None:
    evil = npz(a=np.zeros(3), b=np.array([{"x": 1}], dtype=object))
    refused(write(tmp_path / "b.fertune", {**members_of(), "learner/table.npz": evil}), "b.npy holds Python objects")
    fine = npz(a=np.arange(5))
    short = fine.replace(b"'shape': (5,)", b"'shape': (9,)")
    refused(write(tmp_path / "c.fertune", {**members_of(), "learner/table.npz": short}), "learner/table.npz: ")
    with pytest.raises(AssertionError, match="was loaded"):
        load_model(write(tmp_path / "d.fertune", {**members_of(), "learner/table.npz": fine}))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (b"\x80\x04\x95pickle", "no readable Keras model"),
        (
            keras_file(config_with({"class_name": "Lambda", "module": "keras.layers", "config": {}})),
            "layer Lambda: runs",
        ),
        (keras_file(**{"assets/x.pkl": b"\x80\x04."}), "assets/x.pkl: not a part of a Keras model"),
        (keras_file(**{"../x": b"x"}), "../x: its path leads out"),
    ],
    ids=["pickle", "lambda", "asset", "path"],  # the bytes of a zip hold the second at which it was made
)
def test_models_are_looked_into(model: bytes, says: str, tmp_path: Path) -> None:
    refused(write(tmp_path / "b.fertune", {**members_of(), MODEL: model}), f"{MODEL}: ", says)


def test_a_layer_of_ones_own_class_says_what_to_register(tmp_path: Path) -> None:
    own = {"class_name": "Mine", "module": "my_layers", "config": {}, "registered_name": "mine>Mine"}
    path = write(tmp_path / "b.fertune", {**members_of(), MODEL: keras_file(config_with(own))})
    error = refused(path, "mine>Mine of my_layers: neither Keras' own nor registered")
    assert "keras.saving.get_custom_objects()[NAME]" in (error.help or "")


def test_the_kept_bundle_is_not_refused() -> None:
    with pytest.raises(AssertionError, match="was loaded"):
        load_model(KEPT)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    members = members_of()
    members[MODEL] = members[MODEL][:-1] + b"\1"
    refused(write(tmp_path / "b.fertune", members, listed=False), "not the file that was packed")
    assert list(scratch.iterdir()) == []


def test_the_command_leaves_with_2_and_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "b.fertune", {**members_of(), "../x": b"x"})
    assert main(["predict", str(path), str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: b.fertune was refused; nothing of it was loaded\n")
