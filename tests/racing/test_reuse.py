"""Folds of a search go into a stack as they are; time is divided among those that are trained."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fertune.api.resuming import new_options
from fertune.config import SearchOptions
from fertune.errors import ConfigError
from fertune.folds import make_folds
from fertune.searching import Observer
from fertune.space import Int, Space
from fertune.stacking.members import Found, Member, cut_of
from fertune.stacking.pieces import Piece, Trainer
from fertune.stacking.reuse import take_over
from fertune.store import Journal
from fertune.store.fold_files import folds_fingerprint, read_folds, share_file, write_folds
from fertune.store.records import fold_runs
from fertune.testing.virtual import VirtualExecutor
from fertune.trial import OBJECTIVES, PredictJob, Rows, Rung, TrainJob

ACCURACY = OBJECTIVES["val_accuracy"]


def cut(path: Path, seed: int) -> Path:
    rows = np.arange(60)
    write_folds(path, make_folds(rows, rows % 3, rows, k=3, seed=seed))
    return path


def piece(path: Path, fold: int, member: str = "net 1") -> Piece:
    job = TrainJob(
        f"net-1/fold-{fold}",
        "d",
        "f",
        Rows(("train",)),
        Rows(("validation",)),
        "conv",
        {},
        3,
        ACCURACY,
        0,
        str(path / "members" / "net-1" / f"fold-{fold}"),
        predict={"held_out": Rows(key=f"fold{fold}_held_out")},
    )
    return Piece(member, fold, "fold", job)


def member(path: Path, folds: Path) -> Member:
    found = []
    for i in range(3):
        folder = path / "trials" / "1" / f"fold-{i}"
        folder.mkdir(parents=True)
        for name in ("model.keras", "stop.npz", "held_out.npz"):
            (folder / name).write_text(f"{name} {i}")
        history = ({"epoch": 1, "value": 0.5, "loss": 1.0}, {"epoch": 2, "value": 0.7, "loss": 0.9})
        rung = Rung(3, {"fold": i, "of": 3}, 0.6, 2, 4.5, "completed", history, 2)
        found.append(Found("old", 1, folder, folds, rung, 99))
    return Member("net 1", "old", 1, "net", {}, "conv", {}, 3, 0.6, ACCURACY, found=tuple(found))


def all_there(jobs: list[PredictJob]) -> None:
    """In the stead of ``Trainer.predict``, which leaves out what is there."""
    assert all(Path(job.out).exists() for job in jobs), "nothing is predicted again"


def test_equal_folds_are_taken_with_their_files_and_their_epochs(tmp_path: Path) -> None:
    old, new = cut(tmp_path / "old" / "folds.npz", 0), cut(tmp_path / "new" / "folds.npz", 0)
    journal = Journal(tmp_path / "new" / "journal.jsonl")
    pieces = [piece(tmp_path / "new", i) for i in range(3)]
    assert take_over(member(tmp_path / "old", old), pieces, new, journal, said=pytest.fail, predict=all_there) == 3
    assert [(p.folder / "held_out.npz").read_text() for p in pieces] == [f"held_out.npz {i}" for i in range(3)]
    runs = fold_runs(journal.lines)
    assert [(r.state, r.value, r.epochs, r.seconds, r.parameters, len(r.history)) for r in runs] == [
        ("completed", 0.7, 2, 4.5, 99, 2)
    ] * 3, "value: of the rows that it watched, as of any other piece of a stack"
    assert [x["origin"] for x in journal.lines if x["event"] == "fold_told"] == [
        {"run": "old", "trial": 1, "fold": i} for i in range(3)
    ]
    (tmp_path / "old" / "trials" / "1" / "fold-0" / "held_out.npz").unlink()
    assert pieces[0].on_disk, "the old run is not needed again"
    again = Journal(tmp_path / "new" / "journal.jsonl")
    assert take_over(member(tmp_path / "gone", old), pieces, new, again, said=pytest.fail, predict=all_there) == 0
    executor = VirtualExecutor()
    Trainer(executor, again, Observer(), deadline=None, stop_requested=lambda: False).train(pieces)
    assert executor.done == 0, "nothing is trained"


def test_held_out_rows_that_the_search_did_not_predict_are_predicted_before_it_is_written_down(tmp_path: Path) -> None:
    old, new = cut(tmp_path / "old" / "folds.npz", 0), cut(tmp_path / "new" / "folds.npz", 0)
    one = member(tmp_path / "old", old)
    (one.found[1].folder / "held_out.npz").unlink()
    journal = Journal(tmp_path / "new" / "journal.jsonl")
    pieces = [piece(tmp_path / "new", i) for i in range(3)]

    def predict(jobs: list[PredictJob]) -> None:
        assert journal.lines == []
        (job,) = [job for job in jobs if not Path(job.out).exists()]
        assert (job.model, job.rows.key) == (str(pieces[1].folder / "model.keras"), "fold1_held_out")
        Path(job.out).write_text("predicted")

    assert take_over(one, pieces, new, journal, said=pytest.fail, predict=predict) == 3
    assert (pieces[1].folder / "held_out.npz").read_text() == "predicted" and all(p.on_disk for p in pieces)


def test_other_folds_are_not_taken_and_it_is_said_why(tmp_path: Path) -> None:
    old, new = cut(tmp_path / "old" / "folds.npz", 0), cut(tmp_path / "new" / "folds.npz", 1)
    said: list[str] = []
    journal = Journal(tmp_path / "new" / "journal.jsonl")
    pieces = [piece(tmp_path / "new", 0)]
    taken = take_over(member(tmp_path / "old", old), pieces, new, journal, said=said.append, predict=pytest.fail)
    assert taken == 0 and journal.lines == []
    assert said == ["net 1 is trained anew: its search cut the rows in another way (other --cv, --holdout or --seed)"]


def test_variants_of_a_member_are_trained(tmp_path: Path) -> None:
    one = member(tmp_path / "old", cut(tmp_path / "folds.npz", 0))
    assert one.found and not one.reweighted("sqrt").found and not one.bagged(3).found


def test_folds_survive_their_file_and_their_fingerprint_is_that_of_the_rows(tmp_path: Path) -> None:
    path, again, other = (cut(tmp_path / f"{i}.npz", seed) for i, seed in enumerate((0, 0, 5)))
    assert [len(f.held_out) for f in read_folds(path, 3)] == [20, 20, 20]
    assert folds_fingerprint(path) == folds_fingerprint(again) != folds_fingerprint(other)
    assert folds_fingerprint(tmp_path / "none.npz") is None
    for damaged in (b"x", b"", path.read_bytes()[:-100]):
        (tmp_path / "broken.npz").write_bytes(damaged)
        assert folds_fingerprint(tmp_path / "broken.npz") is None


def test_a_shared_file_outlives_the_first_and_replaces_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "deep" / "b"
    source.write_text("one")
    share_file(source, target)
    source.unlink()
    assert target.read_text() == "one"
    source.write_text("two")
    share_file(source, target)
    assert target.read_text() == "two" and [p.name for p in target.parent.iterdir()] == ["b"]


@pytest.mark.parametrize(("slots", "later", "parts"), [(1, 0, 6), (2, 0, 3), (4, 0, 2), (2, 3, 5)])
def test_each_piece_gets_its_part_of_the_time(tmp_path: Path, slots: int, later: int, parts: int) -> None:
    given: list[Any] = []

    class Executor(VirtualExecutor):
        def submit(self, job: Any) -> None:
            given.append(job.seconds)
            super().submit(SimpleNamespace(id=job.id, budget=1))

    journal = Journal(tmp_path / "journal.jsonl")
    trainer = Trainer(
        Executor(slots),
        journal,
        Observer(),
        deadline=time.monotonic() + 1000,
        stop_requested=lambda: False,
        divide=True,
    )
    trainer.train([piece(tmp_path, i, f"net {i}") for i in range(6)], later=later)
    assert given[0] == pytest.approx(950 / parts, rel=0.01)
    first = given[:slots]
    assert first == pytest.approx([first[0]] * len(first), rel=0.01), "those of one round have the same"
    assert given[-1] >= given[0], "time that is left over goes to those after"


def test_folds_and_seed_of_a_stack_are_those_of_the_search() -> None:
    plain: Any = SimpleNamespace(info={"options": {"seed": 3}})
    folded: Any = SimpleNamespace(info={"options": {"cv": 4, "seed": 7}})
    assert cut_of([plain]) == {} and cut_of([plain, folded]) == {"folds": 4, "seed": 7}


def test_a_space_that_names_hyperband_gets_another_tuner_with_folds() -> None:
    space = Space("s", [Int("x", 0, 4)], tuner="hyperband")
    assert new_options(space, {"cv": 3}).tuner == "tpe" and new_options(space, {}).tuner == "hyperband"
    assert new_options(space, {"cv": 3, "tuner": "random"}).tuner == "random"


def test_what_does_not_go_with_folds_is_refused() -> None:
    with pytest.raises(ConfigError, match="--cv: 1 is not"):
        SearchOptions(tuner="random", cv=1).check()
    with pytest.raises(ConfigError, match="--cv goes with --tuner random.*hyperband has a race of its own"):
        SearchOptions(tuner="hyperband", cv=3).check()
    with pytest.raises(ConfigError, match="one objective"):
        SearchOptions(tuner="nsga2", cv=3, objective="val_accuracy,parameters").check()
