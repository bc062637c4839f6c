"""``fertune data show`` and ``fertune data cache``: what they find, and what they print."""

from __future__ import annotations

import copy
import io
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from fertune.api.data import look_at_data
from fertune.cli import main
from fertune.console.cache import cache_table
from fertune.console.data import show_data
from fertune.data import ImageDataset, open_dataset
from fertune.data.shelf import clear, kept_data, total_bytes
from fertune.data.survey import survey
from fertune.errors import DataError
from fertune.report.data_page import build_data_page
from tests.console.factory import Stream, wide
from tests.schema import check

from .conftest import WriteCsv, picture, rows

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)

    def call(*words: str) -> tuple[int, str, str]:
        try:
            code = main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def strange() -> ImageDataset:
    """3 classes; 2 copies inside train, 1 mirrored; 1 test picture in train, another in validation; 2 flat ones."""
    x = np.stack([picture(i) for i in range(30)])
    y = np.arange(30) % 3
    x[3], x[6] = x[0], x[0][:, ::-1]  # 0, 3 and 6: one picture, one label
    x[10], y[10] = x[9], (y[9] + 1) % 3  # two labels
    x[20] = 255
    x_val, y_val = np.stack([picture(100 + i) for i in range(6)]), np.arange(6) % 3
    x_test, y_test = np.stack([picture(200 + i) for i in range(8)]), np.arange(8) % 2
    x_test[0], x_test[1], x_test[2] = x[0], x_val[1], 7
    return ImageDataset.from_arrays(
        x, y, x_val=x_val, y_val=y_val, x_test=x_test, y_test=y_test, class_names=["a", "b", "<c>"], name="mine"
    )


@pytest.fixture(scope="module")
def dataset() -> ImageDataset:
    return strange()


@pytest.fixture(scope="module")
def document(dataset: ImageDataset) -> dict[str, Any]:
    return survey(dataset)


def test_counts_are_those_that_were_put_in(document: dict[str, Any]) -> None:
    check(document, "data")
    same = document["identical"]
    assert (same["extra"], same["extra_by_bytes"], same["extra_by_mirror"]) == (5, 4, 1)
    assert (same["train_extra"], same["disagreeing_groups"], same["disagreeing_rows"]) == (3, 1, 2)
    assert same["also_in"]["test"] == {"train": 1, "validation": 1} and same["also_in"]["validation"]["test"] == 1
    assert same["clusters"][0]["size"] == 4 and same["clusters"][0]["rows"] == [0, 3, 6, 36]
    assert same["clusters"][0]["splits"] == {"train": 3, "test": 1}
    assert document["flat"] == {"splits": {"train": 1, "validation": 0, "test": 1}, "rows": [20, 38]}
    assert document["counts"]["test"] == [4, 4, 0] and document["rows"] == 44


def test_brightness_is_that_of_the_pixels(dataset: ImageDataset, document: dict[str, Any]) -> None:
    whole = document["brightness"]["all"]
    assert whole["mean"] == pytest.approx(dataset.images.mean(), abs=1e-3)
    assert whole["std"] == pytest.approx(dataset.images.std(), abs=1e-3)
    train = dataset.images[dataset.positions("train")]
    assert document["brightness"]["splits"]["train"]["std"] == pytest.approx(train.std(), abs=1e-3)
    histogram = np.histogram(dataset.images, bins=16, range=(0, 256))[0] / dataset.images.size
    assert document["brightness"]["histogram"] == pytest.approx(histogram.tolist())
    extremes = document["brightness"]["extremes"]
    means = {int(r): dataset.images[i].mean() for i, r in enumerate(dataset.row_ids)}
    assert not {20, 38} & {row for rows in extremes.values() for row in rows}
    assert means[extremes["darkest"][0]] == min(m for r, m in means.items() if r not in (20, 38))


def test_colour_pictures_and_unlabelled_rows_are_looked_at() -> None:
    x = np.random.default_rng(0).integers(0, 256, (24, 5, 7, 3), dtype=np.uint8)
    x[3] = (10, 200, 30)  # one colour, though its channels differ
    data = ImageDataset.from_arrays(x, np.arange(24) % 2, x_test=x[:4], name="colour")
    found = survey(data)
    check(found, "data")
    assert found["unlabelled"] == 4 and found["shape"] == [5, 7, 3]
    assert sum(found["flat"]["splits"].values()) == 2 and found["identical"]["also_in"]["unlabelled"]["train"] > 0
    show_data(found, Stream(), {})
    assert "colour" in build_data_page(data, found)


SPOIL: list[Callable[[dict[str, Any]], Any]] = [
    lambda d: d.pop("identical"),
    lambda d: d.update(kind="search"),
    lambda d: d["brightness"].update(histogram=[0.5]),
    lambda d: d["brightness"]["all"].update(mean=256),
    lambda d: d["identical"]["clusters"][0].update(size=1),
    lambda d: d["counts"].update(train=[1.5]),
    lambda d: d.update(fingerprint="x"),
]


@pytest.mark.parametrize("spoil", SPOIL)
def test_the_schema_can_fail(document: dict[str, Any], spoil: Callable[[dict[str, Any]], Any]) -> None:
    changed = copy.deepcopy(document)
    spoil(changed)
    with pytest.raises(AssertionError, match="not what"):
        check(changed, "data")


def test_json_is_one_document_and_the_chatter_goes_elsewhere(write_csv: WriteCsv, run: Run) -> None:
    path = write_csv(rows(70, 8, 9))
    code, out, err = run("data", "show", str(path), "--json")
    assert code == 0
    check(out, "data")
    assert json.loads(out)["counts"]["train"] == [10] * 7 and "read 87 rows" in err


def test_the_terminal_gets_tables(write_csv: WriteCsv, run: Run) -> None:
    code, out, _ = run("data", "show", str(write_csv(rows(70, 8, 9))))
    assert code == 0 and wide(out) <= 100 and "\x1b" not in out
    assert re.search(r"happy +10 +1 +1 +14\.3 %", out)
    assert "none, by bytes or as mirror images" in out and "fertune data show" in out


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_wider_than_the_screen_and_names_cannot_steer_it(document: dict[str, Any], width: int) -> None:
    changed = copy.deepcopy(document)
    changed.update(name="\x1b[31m[/x]" * 9, classes=["[red]", "\x1b]0;x\x07", "n" * 90], notes=["\x1b[2J " + "w " * 90])
    stream = Stream()
    show_data(changed, stream, {"COLUMNS": str(width)})
    told = stream.getvalue()
    assert wide(told) <= width and "\x1b" not in told and "[red]" in told
    assert "1 of 8 test pictures also stand in train" in " ".join(told.split())


def test_the_next_commands_read_the_data_in_the_same_way(write_csv: WriteCsv, run: Run) -> None:
    path = str(write_csv([*rows(70, 8, 9), (9, "1", "x")]))
    code, out, _ = run("data", "show", path, "--skip-bad-rows", "--image-size", "9x8")
    told = " ".join(out.replace("\\\n", " ").split())
    assert code == 0 and f"fertune data show {path} --image-size 9x8 --skip-bad-rows -o data.html" in told
    assert "1 bad row was left out of fer2013.csv: line 89" in told


def test_consent_to_unpickle_is_typed_again(tmp_path: Path, run: Run) -> None:
    pictures = np.stack([picture(i) for i in range(30)])
    path = tmp_path / "my faces.npy"
    np.save(path, np.array({"train": (pictures, np.arange(30) % 3)}, object), allow_pickle=True)
    code, out, _ = run("data", "show", str(path), "--allow-pickle", "--image-size", "9x8")
    told = " ".join(out.replace("\\\n", " ").split())
    assert code == 0 and f"fertune data show '{path}' --image-size 9x8 --allow-pickle -o data.html" in told
    assert f"--data '{path}' --image-size 9x8 --allow-pickle" in told


def test_many_classes_are_cut(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["classes"] = [f"class {k}" for k in range(200)]
    changed["counts"] = {split: [2] * 200 for split in changed["counts"]}
    stream = Stream()
    show_data(changed, stream, {})
    assert len(stream.getvalue().splitlines()) < 75 and re.search(r"and 160 more +320", stream.getvalue())


def test_the_page_is_one_file_without_network(dataset: ImageDataset, document: dict[str, Any]) -> None:
    html = build_data_page(dataset, document, fertune="1.0")
    assert html == build_data_page(dataset, document, fertune="1.0")
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", html) and "http-equiv" in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for section in ("summary", "data", "brightness", "identical", "notes"):
        assert section in ids
    assert "<c>" not in html and "&lt;c&gt;" in html
    assert "None" not in html and "nan" not in re.sub(r"<[^>]+>", " ", html).split()
    assert "2 of 8 test pictures" in html
    embedded = json.loads(re.search(r'id="fertune-data">(.*?)</script>', html, re.S)[1])  # type: ignore[index]
    assert embedded["identical"] == document["identical"]


def test_the_page_can_do_without_pictures(dataset: ImageDataset, document: dict[str, Any]) -> None:
    assert "image/png" in build_data_page(dataset, document)
    assert "image/png" not in build_data_page(dataset, document, pictures=False)


def test_the_page_is_written_whole_and_its_path_is_said(write_csv: WriteCsv, tmp_path: Path, run: Run) -> None:
    path = write_csv(rows(70, 8, 9))
    code, out, _ = run("data", "show", str(path), "-o", str(tmp_path / "data.html"))
    assert code == 0 and out.splitlines()[-1] == str(tmp_path / "data.html")
    assert (tmp_path / "data.html").read_text("utf-8").rstrip().endswith("</html>")
    (tmp_path / "full").mkdir()
    code, _, err = run("data", "show", str(path), "-o", str(tmp_path / "full"))
    assert code == 2 and "cannot be written" in err and "Traceback" not in err


def test_a_missing_source_is_a_message(run: Run) -> None:
    code, out, err = run("data", "show", "nowhere.csv", "--json")
    assert code == 2 and out == "" and "there is no file or folder 'nowhere.csv'" in err


def test_looking_tells_how_far_it_is(write_csv: WriteCsv) -> None:
    from fertune.searching import Observer

    class Watcher(Observer):
        told: list[str] = []

        def progress(self, what: str, done: int, total: int | None = None, unit: str = "") -> None:
            self.told.append(f"{what} {unit}")

    look_at_data(write_csv(rows(70, 8, 9)), observer=Watcher())
    assert Watcher.told[0] == "reading fer2013.csv bytes" and Watcher.told[-1] == "looking at fer2013 pictures"


def test_the_cache_is_listed(write_csv: WriteCsv, run: Run, cache: Path) -> None:
    assert "the cache is empty" in run("data", "cache")[1]
    open_dataset(write_csv(rows(140, 8, 9)))
    path = write_csv(rows(141, 8), name="other.csv")
    open_dataset(path, seed=0)
    open_dataset(path, seed=1)
    kept = kept_data()
    assert sorted(k.name for k in kept) == ["fer2013", "other", "other", "other"]
    assert {k.rows for k in kept} == {157, 149} and {k.shape for k in kept} == {(6, 6, 1)}
    assert total_bytes(kept) < sum(k.bytes for k in kept)  # one file of pictures for all seeds
    code, out, _ = run("data", "cache", "--json")
    told = json.loads(out)
    assert code == 0 and told["folder"] == str(cache) and len(told["data"]) == 4
    assert {"name", "source", "rows", "splits", "bytes", "age", "path"} <= set(told["data"][0])
    code, out, _ = run("data", "cache")
    assert "fer2013" in out and "4 data sets" in out and wide(out) <= 100
    assert run("data", "cache", "--quiet")[1].strip() == str(cache)


def test_data_sets_are_cleared_by_name_or_all(write_csv: WriteCsv, run: Run, cache: Path) -> None:
    a = open_dataset(write_csv(rows(140, 8, 9)))
    path = write_csv(rows(141, 8, 9), name="other.csv")
    os.utime(path, (time.time() - 60,) * 2)
    b = open_dataset(path)
    assert a.folder is not None and b.folder is not None
    code, out, err = run("data", "cache", "--clear", "othr")
    assert code == 2 and "did you mean 'other'?" in err and b.folder.exists()
    code, out, _ = run("data", "cache", "--clear", "other", "--json")
    told = json.loads(out)
    assert code == 0 and [one["name"] for one in told["removed"]] == ["other"] and told["freed"] > 141 * 36
    assert not b.folder.exists() and a.folder.exists()
    (cache / f".{a.folder.name}.deadbeef").mkdir()  # of a writer that was killed
    assert "removed 1 data set;" in run("data", "cache", "--clear")[1]
    assert [entry.name for entry in cache.iterdir() if entry.is_dir()] == ["index"]
    assert not list((cache / "index").iterdir())
    assert open_dataset(path).fingerprint == b.fingerprint


def test_what_is_being_written_stays(write_csv: WriteCsv, run: Run, cache: Path) -> None:
    dataset = open_dataset(write_csv(rows(140, 8, 9)))
    assert dataset.folder is not None
    with FileLock(cache / f"{dataset.folder.name}.lock"):
        cleared = clear()
        assert cleared.removed == () and [one.name for one in cleared.locked] == ["fer2013"] and cleared.freed == 0
        assert "fer2013 stays: another process is writing it" in run("data", "cache", "--clear")[1]
    assert dataset.folder.exists()


def test_a_damaged_one_is_listed_and_can_go(write_csv: WriteCsv) -> None:
    dataset = open_dataset(write_csv(rows(140, 8, 9)))
    assert dataset.folder is not None
    for broken in ("", "[]", '{"shape": 3}', '{"shape": [], "name": 1, "source": 2}'):
        (dataset.folder / "meta.json").write_text(broken)
        (one,) = kept_data()
        assert one.damaged
        stream = io.StringIO()
        cache_table([one], dataset.folder.parent, stream, {})
        assert "damaged" in stream.getvalue()
    assert len(clear([dataset.folder.name]).removed) == 1
    with pytest.raises(DataError, match="no data set named 'fer2013'"):
        clear(["fer2013"])
