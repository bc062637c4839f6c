"""The cache: read once, found again, mended when damaged, safe for several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fertune.data import ImageDataset, open_dataset
from fertune.data import open as opening
from fertune.data.cache import hash_file
from fertune.errors import DataError

from .conftest import WriteCsv, picture, rows, text


def folders(cache: Path) -> list[str]:
    return sorted(entry.name for entry in cache.iterdir() if entry.is_dir() and entry.name != "index")


def test_the_second_opening_parses_nothing(write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(rows(40, 8, 8))
    said: list[str] = []
    first = open_dataset(path, say=said.append)
    monkeypatch.setattr("fertune.data.sources.csv._row", None)
    second = open_dataset(path, say=said.append)
    assert said == ["read 56 rows of fer2013 in 0 s; cached", "opened 56 rows of fer2013 from the cache"]
    assert second.fingerprint == first.fingerprint and second.folder == first.folder
    assert isinstance(second.images, np.memmap) and not second.images.flags.writeable


def test_the_key_is_the_content_not_the_path(write_csv: WriteCsv, cache: Path) -> None:
    a = open_dataset(write_csv(rows(40, 8, 8)))
    b = open_dataset(write_csv(rows(40, 8, 8), name="other.csv"))
    assert a.folder == b.folder and len(folders(cache)) == 1
    assert (a.name, b.name) == ("fer2013", "other") and b.source.endswith("other.csv")
    c = open_dataset(write_csv(rows(41, 8, 8)))
    assert c.folder != a.folder and c.fingerprint != a.fingerprint


def test_same_size_and_same_time_but_other_bytes_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    first = hash_file(path)
    stamp = path.stat().st_mtime_ns
    path.write_bytes(b"two")
    os.utime(path, ns=(stamp, stamp))
    assert hash_file(path) != first  # a file that changed a moment ago is not looked up


def test_an_old_file_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    os.utime(path, (time.time() - 60,) * 2)
    first = hash_file(path)
    monkeypatch.setattr("fertune.data.cache._sha256", None)
    assert hash_file(path) == first


def test_a_damaged_note_is_written_again(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    os.utime(path, (time.time() - 60,) * 2)
    first = hash_file(path)
    (note,) = (cache / "index").iterdir()
    for broken in ("", "[]", "{}", "nonsense"):
        note.write_text(broken)
        assert hash_file(path) == first


@pytest.mark.parametrize("file", ["images.npy", "arrays.npz", "meta.json"])
@pytest.mark.parametrize("harm", ["gone", "empty", "cut", "flipped"])
def test_a_damaged_data_set_is_made_again(write_csv: WriteCsv, file: str, harm: str) -> None:
    path = write_csv(rows(40, 8, 8))
    first = open_dataset(path)
    assert first.folder is not None
    victim = first.folder / file
    content = victim.read_bytes()
    at = len(content) - 150 if file == "arrays.npz" else len(content) // 2
    if file == "meta.json":
        at = content.index(b'"angry"') + 2
    changed = {
        "gone": None, "empty": b"", "cut": content[: len(content) // 2],
        "flipped": content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
    }[harm]  # fmt: skip
    victim.unlink()
    if changed is not None:
        victim.write_bytes(changed)
    second = open_dataset(path)
    assert second.fingerprint == first.fingerprint and second.verify()
    assert np.array_equal(second.labels, read_labels(path)) and second.class_names[0] == "angry"


def read_labels(path: Path) -> list[int]:
    return [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]


def test_other_seeds_share_the_pictures_of_one_file(write_csv: WriteCsv) -> None:
    path = write_csv(rows(140, 8))
    a, b, c = (open_dataset(path, seed=seed) for seed in (0, 1, 0))
    assert a.folder == c.folder != b.folder and a.fingerprint != b.fingerprint
    assert a.folder is not None and b.folder is not None
    assert (a.folder / "images.npy").samefile(b.folder / "images.npy")
    assert not np.array_equal(a.positions("validation"), b.positions("validation"))


def test_opening_holds_the_fingerprint(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(40, 8, 8)))
    assert dataset.folder is not None
    again = ImageDataset.open(dataset.folder, dataset.fingerprint)
    assert np.array_equal(again.images, dataset.images) and again.notes == dataset.notes
    with pytest.raises(DataError, match="not those that were asked for"):
        ImageDataset.open(dataset.folder, "0" * 64)
    with pytest.raises(DataError, match="no cached data set in"):
        ImageDataset.open(dataset.folder / "nowhere")
    meta = json.loads((dataset.folder / "meta.json").read_text())
    (dataset.folder / "meta.json").write_text(json.dumps(meta | {"protocol": 99}))
    with pytest.raises(DataError, match="has protocol 99; this is 1"):
        ImageDataset.open(dataset.folder)


def test_a_data_set_in_memory_moves_into_the_cache(cache: Path) -> None:
    x = np.stack([picture(i) for i in range(40)])
    dataset = ImageDataset.from_arrays(x, np.arange(40) % 4, name="mine")
    kept = open_dataset(dataset)
    assert kept.folder is not None and kept.folder.parent == cache and kept.name == "mine"
    assert kept.fingerprint == dataset.fingerprint and np.array_equal(kept.images, dataset.images)
    assert open_dataset(kept) is kept


@pytest.mark.parametrize("change", ["pixel", "label", "split", "class", "order"])
def test_the_fingerprint_feels_every_change(change: str) -> None:
    x = np.stack([picture(i) for i in range(40)])
    y = np.arange(40) % 4
    names = ["a", "b", "c", "d"]
    one = ImageDataset.from_arrays(x, y, x_val=x[:4], y_val=y[:4], class_names=names)
    x2, y2, n_val = x.copy(), y.copy(), 4
    if change == "pixel":
        x2[7, 3, 3] ^= 1
    elif change == "label":
        y2[7] = (y2[7] + 1) % 4
    elif change == "class":
        names = ["a", "b", "c", "e"]
    elif change == "order":
        x2, y2 = x2[::-1], y2[::-1]
    two = ImageDataset.from_arrays(x2, y2, x_val=x[:n_val], y_val=y[:n_val], class_names=names)
    if change == "split":
        two = ImageDataset.from_arrays(x, y, x_test=x[:4], y_test=y[:4], class_names=names)
    assert one.fingerprint != two.fingerprint


CHILD = """
import sys
from fertune.data import open_dataset
said = []
dataset = open_dataset(sys.argv[1], say=said.append)
print(dataset.fingerprint, int(dataset.images.sum()), said[-1].split()[0])
"""


def test_processes_that_open_at_once_parse_once(write_csv: WriteCsv, cache: Path) -> None:
    path = write_csv(rows(400, 80, 80, side=24))
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    outputs = [child.communicate(timeout=120)[0].split() for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert len({tuple(words[:2]) for words in outputs}) == 1
    assert sorted(words[2] for words in outputs) == ["opened", "opened", "opened", "read"]
    assert len(folders(cache)) == 1


def test_what_a_killed_writer_left_is_cleared(write_csv: WriteCsv, cache: Path) -> None:
    path = write_csv(rows(40, 8, 8))
    folder = open_dataset(path).folder
    assert folder is not None
    left = cache / f".{folder.name}.deadbeef"
    left.mkdir()
    (folder / "images.npy").unlink()
    open_dataset(path)
    assert not left.exists()


def test_a_cache_that_cannot_be_written_is_said(
    write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError) as caught:
        open_dataset(write_csv(rows(40, 8, 8)))
    assert "cannot be written" in caught.value.message and "FERTUNE_CACHE" in str(caught.value.help)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("fer2031.csv", "; did you mean 'fer2013.csv'?"),
        ("faces", "; did you mean 'builtin:faces'?"),
        ("nowhere/at/all.csv", "; there is no folder 'nowhere/at' either"),
        ("qqqqqqqqqq", ""),
    ],
)
def test_a_wrong_path_gets_a_hint(
    write_csv: WriteCsv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, hint: str
) -> None:
    write_csv(rows(4))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        open_dataset(typed)
    assert caught.value.message == f"there is no file or folder {typed!r}{hint}"
    assert caught.value.help and caught.value.help.startswith("fertune search")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("name", "what"), [("a.pkl", "a .pkl file"), ("a.xlsx", "a .xlsx file"), ("a", "without")])
def test_other_kinds_of_file_are_refused(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / name)
    assert what in caught.value.message and opening.LEGAL in caught.value.details


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(DataError, match="the data set's name is empty"):
        open_dataset("")


def test_twins_of_a_carved_validation_stay_together(write_csv: WriteCsv) -> None:
    data = []
    for i in range(100):
        pixels = picture(i)
        data.append((i % 7, text(pixels), "Training"))
        if i % 3 == 0:
            data.append((i % 7, text(pixels[:, ::-1]), "Training"))
    dataset = open_dataset(write_csv(data))
    validation = set(dataset.groups[dataset.positions("validation")].tolist())
    assert validation and not validation & set(dataset.groups[dataset.positions("train")].tolist())


def left(cache: Path) -> list[str]:
    return sorted(entry.name for entry in cache.iterdir() if entry.name != "index")


def test_a_refused_data_set_leaves_nothing(write_csv: WriteCsv, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataError):
        open_dataset(write_csv([*rows(9), (9, "1 2", "Training")]))
    assert left(cache) == []
    np.savez(tmp_path / "same.npz", x_train=np.zeros((1200, 6, 6), np.uint8), y_train=np.arange(1200) % 2)
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / "same.npz")
    assert caught.value.message == "same has no validation rows, and 1,200 training rows cannot be divided"
    assert caught.value.details and caught.value.help and left(cache) == []


def test_a_refusal_keeps_what_was_there_before(write_csv: WriteCsv, cache: Path) -> None:
    path = write_csv(rows(1, 8))
    with pytest.raises(DataError):
        open_dataset(path)
    good = open_dataset(write_csv(rows(40, 8), name="good.csv"))
    before = left(cache)
    with pytest.raises(DataError):
        open_dataset(path)
    assert left(cache) == before and open_dataset(good.source).folder == good.folder


@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a.parquet", "a"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe, not a file"):
        open_dataset(tmp_path / name)


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_cache(
    write_csv: WriteCsv, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **more: object) -> None:
        raise OSError(5, "Input/output error", "/mnt/fer2013.csv")

    monkeypatch.setattr("fertune.data.sources.csv.read_csv", broken)
    with pytest.raises(DataError) as caught:
        open_dataset(write_csv(rows(40, 8, 8)))
    assert caught.value.message == "/mnt/fer2013.csv cannot be read: Input/output error"
    assert folders(cache) == []
