"""Law 2: a row of the out-of-fold matrix that no fold covered, or that two covered, is an error, never mended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.errors import RunError
from fertune.predictions import OOF, LeakError, assemble

ROWS = np.array([7, 3, 11, 5, 2, 9])
Parts = list[tuple[np.ndarray, np.ndarray]]


def softmax(n: int, classes: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), n).astype(np.float32)


def parts(seed: int = 0) -> Parts:
    return [(np.array([3, 9]), softmax(2, seed=seed)), (np.array([2, 5, 7, 11]), softmax(4, seed=seed + 1))]


def test_rows_stand_where_they_belong() -> None:
    one, two = parts(), parts(5)
    oof = assemble(ROWS, {"a": one, "b": two[::-1]})
    assert oof.rows.tolist() == ROWS.tolist() and oof.rows.dtype == np.int32
    assert oof.proba.shape == (6, 2, 3) and oof.proba.dtype == np.float32 and oof.names == ("a", "b")
    for column, pieces in enumerate((one, two)):
        for rows, proba in pieces:
            for row, values in zip(rows, proba, strict=True):
                np.testing.assert_array_equal(oof.proba[ROWS.tolist().index(row), column], values)
    np.testing.assert_array_equal(oof.model("b"), oof.proba[:, 1])


def test_folds_are_kept_where_all_models_were_cut_alike() -> None:
    oof = assemble(ROWS, {"a": parts(), "b": parts(5)})
    assert oof.fold is not None and oof.fold.tolist() == [1, 0, 1, 1, 1, 0]
    assert assemble(ROWS, {"a": parts(), "b": parts(5)[::-1]}).fold is None


def broken(change: str) -> Parts:
    one, two = parts()
    match change:
        case "missing":
            return [one, (two[0][:3], two[1][:3])]
        case "missing fold":
            return [one]
        case "nothing":
            return []
        case "twice":
            return [one, two, (np.array([5]), softmax(1))]
        case "twice in one":
            return [one, (np.array([2, 5, 5, 7, 11]), softmax(5))]
        case "unknown":
            return [one, two, (np.array([4]), softmax(1))]
        case "nan":
            return [one, (two[0], np.where(np.arange(4)[:, None] == 1, np.nan, two[1]))]
        case "infinite":
            return [one, (two[0], np.where(np.arange(4)[:, None] == 1, np.inf, two[1]))]
        case "zero":
            return [one, (two[0], np.where(np.arange(4)[:, None] == 1, 0, two[1]))]
        case "negative":
            return [one, (two[0], two[1] + np.array([2.0, -2.0, 0]))]
        case "shape":
            return [one, (two[0], two[1][:3])]
        case "classes":
            return [one, (two[0], softmax(4, 4))]
    raise ValueError(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", "a: 1 row (11) covered by no fold"),
        ("missing fold", "a: 4 rows (2, 5, 7, 11) covered by no fold"),
        ("nothing", "a: 6 rows (first: 2, 3, 5, 7, 9) covered by no fold"),
        ("twice", "a: 1 row (5) covered more than once"),
        ("twice in one", "a: 1 row (5) covered more than once"),
        ("unknown", "a: 1 row (4) not of this matrix"),
        ("nan", "a: 1 row (5) with values that are not finite"),
        ("infinite", "a: 1 row (5) with values that are not finite"),
        ("zero", "a: 1 row (5) not summing to 1"),
        ("negative", "a: 4 rows (2, 5, 7, 11) with values outside 0 to 1"),
        ("shape", "a: fold 1: rows (4,) and probabilities (3, 3) do not belong together"),
        ("classes", "a: folds differ in their number of classes"),
    ],
)
def test_each_fault_is_named_with_its_rows(change: str, message: str) -> None:
    with pytest.raises(LeakError) as caught:
        assemble(ROWS, {"a": broken(change), "b": parts()})
    assert message in str(caught.value)
    assert "b:" not in str(caught.value)


def test_all_faults_of_all_models_at_once() -> None:
    with pytest.raises(LeakError) as caught:
        assemble(ROWS, {"a": broken("missing"), "b": broken("twice"), "c": parts()})
    assert len(caught.value.details) == 2 and caught.value.help


def test_models_of_different_classes_no_models_and_doubled_rows() -> None:
    four = [(rows, softmax(len(rows), 4)) for rows, _ in parts()]
    with pytest.raises(LeakError, match="number of classes"):
        assemble(ROWS, {"a": parts(), "b": four})
    with pytest.raises(LeakError, match="needs rows and models"):
        assemble(ROWS, {})
    with pytest.raises(LeakError, match="more than once"):
        assemble(np.array([1, 1]), {"a": parts()})


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 10_000), st.data())
def test_any_division_is_put_together_and_any_lost_row_is_found(n: int, k: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    rows, fold, proba = rng.permutation(200)[:n], rng.integers(0, k, n), softmax(n, seed=seed)
    pieces = [(rows[fold == i], proba[fold == i]) for i in range(k)]
    np.testing.assert_array_equal(assemble(rows, {"a": pieces}).proba[:, 0], proba)
    lost = data.draw(st.integers(0, n - 1))
    keep = np.arange(n) != lost
    short = [(rows[(fold == i) & keep], proba[(fold == i) & keep]) for i in range(k)]
    with pytest.raises(LeakError, match=f"1 row \\({rows[lost]}\\) covered by no fold"):
        assemble(rows, {"a": short})


def test_saved_and_loaded(tmp_path: Path) -> None:
    labels, groups = np.arange(12) % 3, np.arange(12) // 2
    oof = assemble(ROWS, {"<a>": parts(), "b 7": parts(5)}).with_truth(labels, groups)
    again = OOF.load(oof.save(tmp_path / "deep" / "oof.npz"))
    assert again.names == oof.names and again.labels is not None and again.groups is not None
    assert again.labels.tolist() == labels[ROWS].tolist() and again.groups.tolist() == groups[ROWS].tolist()
    for field in ("rows", "proba", "fold"):
        np.testing.assert_array_equal(getattr(again, field), getattr(oof, field))
        assert getattr(again, field).dtype == getattr(oof, field).dtype
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["oof.npz"]
    with np.load(tmp_path / "deep" / "oof.npz", allow_pickle=False) as stored:
        assert set(stored) == {"row", "proba", "names", "fold", "labels", "groups"}


def test_unknown_labels_stay_unknown(tmp_path: Path) -> None:
    again = OOF.load(assemble(ROWS, {"a": parts()}).save(tmp_path / "oof.npz"))
    assert again.labels is None and again.groups is None and again.fold is not None


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no out-of-fold matrix"):
        OOF.load(tmp_path / "oof.npz")
    whole = assemble(ROWS, {"a": parts()}).save(tmp_path / "oof.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match="no readable"):
        OOF.load(tmp_path / "half.npz")
    np.savez(tmp_path / "other.npz", row=ROWS, proba=softmax(6), names=np.array(["a"]))
    with pytest.raises(RunError, match="is no out-of-fold matrix"):
        OOF.load(tmp_path / "other.npz")
    np.savez(tmp_path / "pickled.npz", row=ROWS, proba=np.array([{}], dtype=object), names=np.array(["a"]))
    with pytest.raises(RunError, match="no readable"):
        OOF.load(tmp_path / "pickled.npz")
