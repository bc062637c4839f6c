"""Packed csv files: read as they are, damaged ones and bombs refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fertune.data import open_dataset
from fertune.data.sources import packed
from fertune.data.sources.csv import read_csv
from fertune.errors import DataError

from .conftest import WriteCsv, rows


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "fer2013.csv.gz": gzip.compress,
    "fer2013.csv.bz2": bz2.compress,
    "fer2013.csv.xz": lzma.compress,
    "fer2013.csv.zip": lambda content: zipped({"fer2013.csv": content}),
    "fer2013.zip": lambda content: zipped(
        {"a/fer2013.csv": content, "a/README": b"x", "__MACOSX/a/._fer2013.csv": b"y"}
    ),
    "fer2013.tar": lambda content: tarred({"fer2013/fer2013.csv": content}, "w"),
    "fer2013.tar.gz": lambda content: tarred(
        {"fer2013/README": b"x" * 5000, "fer2013/fer2013.csv": content, "b.bib": b"y"}
    ),
    "fer2013.tgz": lambda content: tarred({"fer2013.csv": content}),
    "fer2013.csv": lambda content: zipped({"data.csv": content}),
}


@pytest.mark.parametrize("name", PACKERS)
def test_every_packing_reads_the_same(write_csv: WriteCsv, tmp_path: Path, name: str) -> None:
    plain = write_csv(rows(80, 8, 9), name="plain.csv", header="emotion, pixels, Usage")
    (tmp_path / name).write_bytes(PACKERS[name](plain.read_bytes()))
    one, two = open_dataset(plain), open_dataset(tmp_path / name)
    assert two.fingerprint == one.fingerprint and two.name == "fer2013"
    assert np.array_equal(one.row_ids, two.row_ids)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted({"cache", "plain.csv", name})


@pytest.mark.parametrize("name", [name for name in PACKERS if name != "fer2013.csv"])
def test_many_rows_are_read_and_told_of(write_csv: WriteCsv, tmp_path: Path, name: str) -> None:
    plain = write_csv(rows(690, 10), name="plain.csv")
    (tmp_path / name).write_bytes(PACKERS[name](plain.read_bytes()))
    told: list[tuple[int, int | None]] = []
    parsed = read_csv(tmp_path / name, progress=lambda what, done, total=None, unit="": told.append((done, total)))
    assert np.array_equal(parsed.images, read_csv(plain).images) and len(told) == 3
    assert told == sorted(told) and all(total and 0 < done <= total for done, total in told)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_faults_inside_name_the_line_and_the_file_inside(write_csv: WriteCsv, tmp_path: Path, name: str) -> None:
    content = write_csv([*rows(9), (9, rows(1)[0][1], "Training")]).read_bytes()
    members = {"d/icml_face_data.csv": content}
    (tmp_path / name).write_bytes(zipped(members) if name == "a.zip" else tarred(members))
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / name)
    assert caught.value.message == f"icml_face_data.csv in {name} has 1 bad row; nothing was written"
    assert caught.value.details == ("line 19, emotion: 9 is not a class; classes are 0 to 6",)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_several_csv_files_or_none_are_listed(tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]) -> None:
    path = tmp_path / ("a.zip" if pack is zipped else "a.tar.gz")
    path.write_bytes(pack({"train.csv": b"x", "test.csv": b"y", "c.txt": b"z"}))
    with pytest.raises(DataError) as caught:
        open_dataset(path)
    assert caught.value.message == f"{path.name} holds 2 csv files; one is needed"
    assert caught.value.details == ("train.csv", "test.csv")
    path.write_bytes(pack({f"train/a/{i}.png": b"x" for i in range(30)}))
    with pytest.raises(DataError) as caught:
        open_dataset(path)
    assert caught.value.message == f"{path.name} holds no csv" and "folder" in str(caught.value.help)
    assert caught.value.details[0] == "train/a/0.png" and caught.value.details[-1] == "and 10 more"


@pytest.mark.parametrize("name", [n for n in PACKERS if n != "fer2013.tar"])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_a_cut_off_file_is_a_message(write_csv: WriteCsv, tmp_path: Path, cache: Path, name: str, keep: float) -> None:
    content = PACKERS[name](write_csv(rows(80, 8, 9), name="plain.csv").read_bytes())
    (tmp_path / name).write_bytes(content[: int(keep * len(content))])
    with pytest.raises(DataError, match="damaged|bad row|holds no csv|is empty|is not text"):
        open_dataset(tmp_path / name)
    assert [entry.name for entry in cache.iterdir() if entry.is_dir()] == ["index"]


def test_a_flipped_byte_is_noticed(write_csv: WriteCsv, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(write_csv(rows(80, 8, 9)).read_bytes()))
    content[len(content) // 2] ^= 0x10
    (tmp_path / "a.csv.gz").write_bytes(bytes(content))
    with pytest.raises(DataError, match="damaged|bad row"):
        open_dataset(tmp_path / "a.csv.gz")


def test_a_password_is_said(write_csv: WriteCsv, tmp_path: Path) -> None:
    content = bytearray(zipped({"fer2013.csv": write_csv(rows(9)).read_bytes()}))
    content[6] |= 1  # flags in the local header, and in the list of members
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(DataError, match="fer2013.csv in a.zip is protected by a password"):
        open_dataset(tmp_path / "a.zip")


def bomb(kind: str, size: int) -> bytes:
    """``size`` bytes of rows that never end."""
    row = b"0," + b"0 " * 2303 + b"0,Training\n"
    content = b"emotion,pixels,Usage\n" + row * (size // len(row))
    members = {"a.csv": content}
    return gzip.compress(content, 9) if kind == "gz" else zipped(members) if kind == "zip" else tarred(members)


@pytest.mark.parametrize("kind", ["gz", "zip", "tar"])
def test_a_bomb_is_refused_while_it_grows(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SMALL", 1 << 20)
    path = tmp_path / {"gz": "a.csv.gz", "zip": "a.zip", "tar": "a.tar.gz"}[kind]
    path.write_bytes(bomb(kind, 12 << 20))
    with pytest.raises(DataError, match="unpacks to over 150 times its size") as caught:
        read_csv(path)
    assert "it is not read" in caught.value.message and caught.value.exit_code == 2


def test_a_declared_size_beyond_reason_is_refused_before_it_is_read(
    write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.csv": write_csv(rows(80)).read_bytes()}))
    monkeypatch.setattr(packed, "LARGEST", 1000)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(DataError, match="unpacks to over 0 GB"):
        read_csv(path)


REAL = os.environ.get("FERTUNE_FER2013", "")


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="FERTUNE_FER2013 names no csv of the real faces")
def test_the_real_faces_packed_are_the_same(tmp_path: Path) -> None:
    plain = Path(REAL).read_bytes()
    members = {"fer2013/README": b"x", "fer2013/fer2013.csv": plain}
    (tmp_path / "fer2013.tar.gz").write_bytes(gzip.compress(tarred(members, "w"), 1))
    (tmp_path / "fer2013.zip").write_bytes(zipped(members))
    whole = open_dataset(REAL)
    assert open_dataset(tmp_path / "fer2013.tar.gz").fingerprint == whole.fingerprint
    assert open_dataset(tmp_path / "fer2013.zip").fingerprint == whole.fingerprint
