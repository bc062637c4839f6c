"""benchmarks/reading.py: accuracy on labelled rows, and on those of them whose picture was nowhere trained on."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROWS, COPIES = 200, 40
LABELS = np.arange(ROWS) % 2


@pytest.fixture
def reading(load: Any) -> ModuleType:
    module: ModuleType = load("reading")
    return module


@pytest.fixture
def data(tmp_path: Path) -> str:
    """The first 40 of 200 test rows also stand among those of train, every second one mirrored."""
    rng = np.random.default_rng(0)
    test = rng.integers(0, 256, (ROWS, 8, 8), dtype=np.uint8)
    train = rng.integers(0, 256, (100, 8, 8), dtype=np.uint8)
    train[:COPIES] = test[:COPIES]
    train[1:COPIES:2] = train[1:COPIES:2, :, ::-1]
    np.savez(tmp_path / "data.npz", x_train=train, y_train=np.arange(100) % 2, x_test=test, y_test=LABELS)
    return str(tmp_path / "data.npz")


def write(path: Path, right: np.ndarray, rows: Any = None, order: Any = slice(None)) -> Path:
    """Predictions as ``fertune predict`` writes them; the test rows of ``data`` come after 100 of train."""
    proba = np.full((ROWS, 2), 0.2, np.float32)
    proba[np.arange(ROWS), np.where(right, LABELS, 1 - LABELS)] = 0.8
    np.savez(path, row=(100 + np.arange(ROWS) if rows is None else rows)[order].astype(np.int32), proba=proba[order])
    return path


def typed(reading: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr("sys.argv", ["reading.py", *map(str, words)])
    reading.main()


def test_it_tells_both_accuracies(
    reading: ModuleType, data: str, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    right = (np.arange(ROWS) < COPIES) | (np.arange(ROWS) >= 120)  # 120 of 200, and 80 of 160
    file = write(tmp_path / "p.npz", right, order=np.random.default_rng(1).permutation(ROWS))
    typed(reading, monkeypatch, file, "--data", data, "--json", tmp_path / "out" / "r.json")
    printed = capsys.readouterr().out
    assert "| all | 200 | 60.00 |" in printed
    assert "| without those that also stand among the rows trained on | 160 | 50.00 |" in printed
    told = json.loads((tmp_path / "out" / "r.json").read_text("utf-8"))
    for name, n, share in (("all", 200, 0.6), ("without_twins", 160, 0.5)):
        error = (share * (1 - share) / n) ** 0.5
        assert (told[name]["n"], told[name]["accuracy"]) == (n, share)
        assert told[name]["standard_error"] == pytest.approx(error, rel=0.06)
        assert told[name]["low"] == pytest.approx(share - 1.96 * error, abs=0.02)
        assert told[name]["high"] == pytest.approx(share + 1.96 * error, abs=0.02)


def test_copies_among_the_rows_themselves_count_once_for_the_error(reading: ModuleType) -> None:
    proba = np.eye(2)[np.repeat(np.arange(100) % 2, 4)]
    labels = np.zeros(400, np.int64)
    alone, together = (reading.score(proba, labels, g)["standard_error"] for g in (np.arange(400), np.arange(400) // 4))
    assert together == pytest.approx(2 * alone, rel=0.06)


def test_a_run_predicts_first(reading: ModuleType, data: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    def predict(run: Path, source: str, *, split: str, out: Path) -> Path:
        assert (run, source, split) == (tmp_path, data, "test")
        return write(out, np.ones(ROWS, bool))

    monkeypatch.setattr(reading, "predict", predict)
    typed(reading, monkeypatch, tmp_path, "--data", data)
    assert "| all | 200 | 100.00 | 0.00 | 100.00 to 100.00 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.arange(ROWS), "100 of 200 rows come twice or are not of test, which has 200"),
        (np.full(ROWS, 100), "199 of 200 rows come twice"),
        (None, "probabilities (200, 3) for 200 rows and 2 classes"),
    ],
)
def test_predictions_of_other_rows_or_classes_are_refused(
    reading: ModuleType, data: str, tmp_path: Path, monkeypatch: Any, capsys: Any, rows: Any, said: str
) -> None:
    file = write(tmp_path / "p.npz", np.ones(ROWS, bool), rows)
    if rows is None:
        np.savez(file, row=100 + np.arange(ROWS), proba=np.full((ROWS, 3), 1 / 3))
    with pytest.raises(SystemExit) as ended:
        typed(reading, monkeypatch, file, "--data", data)
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_files_that_are_no_predictions_are_refused(
    reading: ModuleType, data: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04")
    for name in ("broken.npz", "none.npz", "data.npz"):
        with pytest.raises(SystemExit) as ended:
            typed(reading, monkeypatch, tmp_path / name, "--data", data)
        assert ended.value.code == 2 and "neither a run nor an npz with row and proba" in capsys.readouterr().err
