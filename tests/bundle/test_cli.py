"""``fertune bundle`` and ``fertune predict`` as typed, with models that only stand for Keras'."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fertune.bundles import PicturePredictions
from fertune.cli import main
from fertune.cli.parser import make_parser
from fertune.console import predictions_table, predictions_warnings
from tests.bundle.craft import KEPT
from tests.bundle.test_models import example, light, pictures, runs, save
from tests.console.factory import Stream, wide
from tests.schema import check

__all__ = ["light", "runs"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with five pictures, one of them of another size, and one that is none."""
    monkeypatch.chdir(tmp_path)
    for number, picture in enumerate(pictures(4)):
        save(tmp_path / "in" / f"{number}.png", picture[..., 0])
    save(tmp_path / "in" / "big.png", np.zeros((30, 20), np.uint8))
    (tmp_path / "in" / "none.jpg").write_text("x")
    return tmp_path


Said = pytest.CaptureFixture[str]


def test_a_table_and_what_could_not_be_read(folder: Path, light: None, capsys: Said) -> None:
    assert main(["predict", str(KEPT), "in", "--top", "2", "gone.png"]) == 0
    said = capsys.readouterr()
    rows = said.out.splitlines()
    assert rows[0].split() == ["file", "predicted", "%", "then"] and len(rows) == 6
    assert rows[1].startswith("in/0.png") and rows[5].startswith("in/big.png")
    assert "warning: 1 picture: brought to the model's size from 20 x 30\n" in said.err
    assert "  in/none.jpg: not a picture\n" in said.err and "  gone.png: no such file\n" in said.err


def test_one_document(folder: Path, light: None, capsys: Said) -> None:
    assert main(["predict", str(KEPT), "in", "--json", "--top", "99"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, "predictions")
    assert len(document["pictures"]) == 5 and len(document["pictures"][0]["top"]) == 10
    assert document["unreadable"] == [{"file": "in/none.jpg", "reason": "not a picture"}]
    assert document["path"] is None


@pytest.mark.parametrize("option", ["-o", "--csv", "--out"])
def test_a_csv(option: str, folder: Path, light: None, capsys: Said) -> None:
    assert main(["predict", str(KEPT), option, "deep/x.csv", "in"]) == 0
    assert capsys.readouterr().out == "deep/x.csv\n"
    with (folder / "deep" / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [*(f"in/{n}.png" for n in range(4)), "in/big.png", "in/none.jpg"]
    assert sum(float(rows[0][f"p_{k}"]) for k in range(10)) == pytest.approx(1, abs=1e-5)
    assert main(["predict", str(KEPT), option, "x.csv", "in", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == "x.csv"


def test_nothing_readable_is_2(folder: Path, capsys: Said) -> None:
    assert main(["predict", str(KEPT), "in/none.jpg", "gone"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: 2 paths could not be read\n")
    assert main(["predict", str(KEPT), "gone", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    check(document, "predictions")
    assert document["pictures"] == [] and len(document["unreadable"]) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["in", "--data", "x.csv"], "picture files and --data do not go together"),
        (["in", "--split", "test", "--workers", "2"], "--split, --workers do not go together"),
        (["in", "--image-size", "48"], "--image-size do not go together"),
        (["in", "--top", "0"], "--top: 0"),
        (["in", "-o", "x.npz"], "written as .csv"),
        (["in", "--trial", "1"], "holds one model"),
        (["--top", "3"], "--top is for picture files"),
        (["--data", "x.csv", "--out", "x.csv"], "writes an npz file"),
        ([], "is a bundle, which holds no data"),
    ],
)
def test_words_that_do_not_go_together(words: list[str], says: str, folder: Path, capsys: Said) -> None:
    assert main(["predict", str(KEPT), *words]) == 2
    said = capsys.readouterr()
    assert says in said.err and said.out == "" and "help: " in said.err or says.startswith("--top: 0")
    assert not (folder / "proba.npz").exists()


def test_options_may_stand_anywhere() -> None:
    parser = make_parser()
    for words in (["m", "a", "--top", "2", "b"], ["--top", "2", "m", "a", "b"], ["m", "--top", "2", "a", "b"]):
        args = parser.parse_args(["predict", *words])
        assert (args.model, args.paths, args.top) == ("m", ["a", "b"], 2)
    with pytest.raises(SystemExit):
        parser.parse_args(["predict", "m", "--nothing", "a"])


def test_workers_are_auto_or_a_number(capsys: Said) -> None:
    parser = make_parser()
    assert parser.parse_args(["predict", "m", "--workers", "auto"]).workers == "auto"
    assert parser.parse_args(["predict", "m", "--workers", "2"]).workers == 2
    with pytest.raises(SystemExit) as ended:
        main(["predict", "m", "--workers", "0"])
    assert ended.value.code == 2
    assert "'0' is not auto or a whole number of at least 1" in capsys.readouterr().err


def test_the_schema_can_fail() -> None:
    check({"kind": "predictions", "path": "proba.npz"}, "predictions")  # with --data
    fine = {"kind": "predictions", "path": None, "model": "m", **example().to_json(2)}
    check(fine, "predictions")
    for key in ("path", "classes", "unreadable"):
        with pytest.raises(AssertionError):
            check({k: v for k, v in fine.items() if k != key}, "predictions")
    with pytest.raises(AssertionError):
        check({"kind": "predictions", "path": None}, "predictions")


def test_a_bundle_is_told(runs: Path, folder: Path, light: None, capsys: Said) -> None:
    assert main(["bundle", "runs/one", "-o", "one.fertune"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("one.fertune") and "optimistic" in said and "fertune predict one.fertune PICTURE..." in said
    assert main(["bundle", "runs/both", "--quiet"]) == 0
    assert capsys.readouterr().out == "both.fertune\n"
    assert main(["bundle", "runs/both", "--json"]) == 2
    assert "both.fertune is there already" in capsys.readouterr().err
    assert main(["bundle", "runs/both", "--json", "--force"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bytes"] == (folder / "both.fertune").stat().st_size and len(document["sha256"]) == 64
    assert main(["predict", "both.fertune", "in/0.png"]) == 0


def test_a_run_folder_predicts_pictures_too(runs: Path, folder: Path, light: None, capsys: Said) -> None:
    for run in ("one", "both"):
        assert main(["predict", f"runs/{run}", "in/0.png", "in/1.png", "--top", "1"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_folder_of_many_pictures(light: None, folder: Path, capsys: Said) -> None:
    """More than one batch; a path that is named twice counts once."""
    many = folder / "many"
    many.mkdir()
    Image.fromarray(pictures(1)[0, ..., 0]).save(many / "0.pgm")
    content = (many / "0.pgm").read_bytes()
    for number in range(1, 2000):
        (many / f"{number}.pgm").write_bytes(content)
    assert main(["predict", str(KEPT), "many", "many/0.pgm", "-o", "x.csv"]) == 0
    assert len((folder / "x.csv").read_text().splitlines()) == 2001


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    stream = Stream(terminal=True)
    env = {"TERM": "xterm", "COLUMNS": str(width), "NO_COLOR": "1"}
    predictions_table(example(), 3, stream=stream, env=env)
    predictions_warnings(example(), stream=stream, env=env)
    assert "\udcff" not in stream.getvalue() and "not a picture" in stream.getvalue().replace("\n    ", " ")
    assert wide(stream.getvalue()) <= max(width, 80) and "\x1b" not in stream.getvalue()


def test_the_other_classes_give_way_before_the_file() -> None:
    names = tuple(f"holiday/2024/picture_{number}.png" for number in range(2))
    found = PicturePredictions(names, np.full((2, 10), 0.1, np.float32), tuple("0123456789"), ((), ()), ())
    stream = Stream(terminal=True)
    predictions_table(found, 99, stream=stream, env={"TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"})
    assert all(name in stream.getvalue() for name in names) and wide(stream.getvalue()) <= 80
    assert "…" in stream.getvalue()
