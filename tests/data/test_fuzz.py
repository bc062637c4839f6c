"""Whatever a file holds: a data set, or a message. Never a traceback, and nothing half-written."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import random
import shutil
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache as remembered
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fertune.data import open_dataset
from fertune.errors import FertuneError

from .conftest import picture, rows
from .test_packed import tarred, zipped

WORDS = [
    *(b"", b"256", b"-1", b"abc", b"7", b"999999999999999999999", b"nan", b"Training", b"PrivateTest", b"{}", b"O"),
    *(b"\x00", b"\xff\xfe", b",", b"\n", b"\r", b'"', b" " * 40, b"\n\n", b"0," * 50, "\u0663".encode()),
    *(b"PK\x03\x04", b"\x1f\x8b"),
]
EXTREME = [b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f"]


def a_csv() -> bytes:
    lines = ["emotion,pixels,Usage", *(",".join(map(str, row)) for row in rows(21, 7, 7))]
    return ("\n".join(lines) + "\n").encode()


def a_picture(i: int, kind: str) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    pixels = picture(i, 8)
    Image.fromarray(pixels if i % 2 else np.repeat(pixels[..., None], 3, 2)).save(file, kind)
    return file.getvalue()


def an_npz(packed: bool = False) -> bytes:
    file = io.BytesIO()
    x, y = np.stack([picture(i) for i in range(24)]), np.arange(24) % 3
    (np.savez_compressed if packed else np.savez)(file, x_train=x, y_train=y, x_test=x[:6], y_test=y[:6])
    return file.getvalue()


def an_npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.stack([picture(i) for i in range(24)]))
    return file.getvalue()


def a_table() -> bytes:
    return ("path,label,split\n" + "".join(f"img/{i}.png,{'abc'[i % 3]},train\n" for i in range(24))).encode()


PICTURES = ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm")


@remembered
def seeds() -> dict[str, bytes]:
    """Name of a file -> a good one."""
    text = a_csv()
    whole = {
        "a.csv": text, "a.csv.gz": gzip.compress(text), "a.csv.bz2": bz2.compress(text),
        "a.zip": zipped({"d/a.csv": text, "d/b.txt": b"x"}), "a.tar.gz": tarred({"a.csv": text}),
        "b.tar": tarred({"a.csv": text}, "w"), "a.npz": an_npz(), "b.npz": an_npz(packed=True), "a.npy": an_npy(),
        "table.csv": a_table(),
    }  # fmt: skip
    return whole | {f"folder.{kind}": a_picture(1, kind) for kind in PICTURES}


def refolded(inside: Callable[[bytes], bytes], name: str, content: bytes) -> bytes:
    """A packed file whose content was changed before it was packed."""
    if name == "a.csv.gz":
        return gzip.compress(inside(gzip.decompress(content)), 1)
    if name in ("a.zip", "a.npz"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return zipped({entry: inside(archive.read(entry)) for entry in archive.namelist()})
    return inside(content)


def place(name: str, content: bytes, folder: Path) -> Path:
    """Put it where its kind stands; the path to be opened."""
    if name == "table.csv":
        (folder / "img").mkdir()
        for i in range(24):
            (folder / "img" / f"{i}.png").write_bytes(a_picture(i, "png"))
    elif name.startswith("folder."):
        kind = name.partition(".")[2]
        for label in "ab":
            (folder / "train" / label).mkdir(parents=True)
            for i in range(4):
                (folder / "train" / label / f"{i}.{kind}").write_bytes(a_picture(i + 10 * (label == "b"), kind))
        (folder / "train" / "a" / f"1.{kind}").write_bytes(content)
        return folder
    path = folder / name
    path.write_bytes(content)
    return path


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder, and a cache beside it."""
    old = os.environ.get("FERTUNE_CACHE")
    root = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["FERTUNE_CACHE"] = str(root / "cache")
    (root / "data").mkdir()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield root
    finally:
        shutil.rmtree(root)
        os.environ.pop("FERTUNE_CACHE")
        if old is not None:
            os.environ["FERTUNE_CACHE"] = old


def attempt(name: str, content: bytes, root: Path, skip: bool = False) -> str:
    """``read`` or ``refused``; whatever else is raised goes through, and a refusal leaves nothing behind."""
    for old in (root / "data", root / "cache"):
        shutil.rmtree(old, ignore_errors=True)
    (root / "data").mkdir()
    path = place(name, content, root / "data")
    try:
        dataset = open_dataset(path, options={"skip_bad_rows": skip})
    except FertuneError as error:
        assert str(error) and "\x00" not in error.message or name.startswith("folder")
        left = [entry.name for entry in (root / "cache").glob("*") if entry.name != "index" and entry.is_dir()]
        assert left == [], left
        return "refused"
    assert len(dataset) and dataset.images.dtype == np.uint8 and dataset.verify()
    return "read"


def test_the_good_ones_are_read() -> None:
    with workplace() as root:
        assert {attempt(name, content, root) for name, content in seeds().items() if name != "a.npy"} == {"read"}


edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "overwrite", "drop", "double", "words"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(st.binary(max_size=12), st.sampled_from([*WORDS, *EXTREME])),
    ),
    min_size=1,
    max_size=4,
)
Edit = tuple[str, float, bytes]


def edited(content: bytes, changes: list[Edit]) -> bytes:
    for kind, where, payload in changes:
        at = int(where * len(content))
        if kind == "flip" and content:
            content = content[:at] + bytes([content[at] ^ (1 << len(payload) % 8)]) + content[at + 1 :]
        elif kind == "cut":
            content = content[:at]
        elif kind == "insert":
            content = content[:at] + payload + content[at:]
        elif kind == "overwrite":
            content = content[:at] + payload + content[at + len(payload) :]
        elif kind == "drop":
            content = content[:at] + content[at + 4 * len(payload) :]
        elif kind == "double":
            content = content[:at] + content[max(0, at - 50 * len(payload)) :]
        else:
            parts = content.split(b" ")
            parts[int(where * len(parts))] = payload
            content = b" ".join(parts)
    return content


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(seeds())), edits, st.booleans(), st.booleans())
def test_no_mutation_of_a_file_ends_in_a_traceback(name: str, changes: list[Edit], inside: bool, skip: bool) -> None:
    with workplace() as root:
        good = seeds()[name]
        content = refolded(partial(edited, changes=changes), name, good) if inside else edited(good, changes)
        attempt(name, content, root, skip)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["a.csv", "a.npz", "a.npy", "a.zip", "a.csv.gz", "a.tar.gz", "folder.png"]), st.binary(max_size=400)
)
def test_no_nonsense_ends_in_a_traceback(name: str, content: bytes) -> None:
    with workplace() as root:
        attempt(name, content, root)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_mutated_files() -> None:
    """About 1,100 of each kind of file; both outcomes must come often, else nothing is tested."""
    draw = random.Random(20261121)
    kinds = ["flip", "cut", "insert", "overwrite", "drop", "double", "words"]
    outcomes: Counter[tuple[str, str]] = Counter()
    with workplace() as root:
        for _ in range(10_000):
            name = draw.choice(sorted(seeds()))
            changes = [
                (
                    draw.choice(kinds),
                    draw.random(),
                    draw.choice([*WORDS, *EXTREME, draw.randbytes(draw.randrange(1, 9))]),
                )
                for _ in range(draw.choice([1, 1, 1, 2, 3, 8]))
            ]
            good = seeds()[name]
            change = partial(edited, changes=changes)
            content = refolded(change, name, good) if draw.random() < 0.5 else change(good)
            try:
                outcome = attempt(name, content, root, skip=draw.random() < 0.3)
            except Exception as error:
                raise AssertionError(f"{name} after {changes}: {type(error).__name__}: {error}") from error
            outcomes[name.partition(".")[0], outcome] += 1
    assert sum(outcomes.values()) == 10_000
    assert sum(n for (_, outcome), n in outcomes.items() if outcome == "read") > 500
    assert sum(n for (_, outcome), n in outcomes.items() if outcome == "refused") > 3000
