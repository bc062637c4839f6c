"""What stays of the trials of a search: the best few models and what something may go on from, nothing more."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from fertune.config import parse_size
from fertune.errors import ConfigError
from fertune.store.checkpoints import Checkpoints, size_text
from fertune.store.room import bytes_in, sizes_in
from fertune.trial import OBJECTIVES, Rung, State, Trial

KB = 1000


def trial(number: int, value: float | None = 0.5, state: State = State.COMPLETED, budget: int = 3) -> Trial:
    return Trial(number, {}, state, (Rung(budget, value=value, epochs=budget),), value=value)


def trained(root: Path, number: int, *, model: int = 10 * KB, state: int = 0) -> None:
    """What a worker leaves behind."""
    folder = root / "trials" / str(number)
    (folder / "state").mkdir(parents=True, exist_ok=True)
    for path, size in (
        (folder / "model.keras", model),
        (folder / "stop.npz", 1),
        (folder / "state" / "state.npz", state),
    ):
        if size:
            path.write_bytes(b"x" * size)
    if not state:
        (folder / "state").rmdir()


def files(root: Path, name: str) -> list[int]:
    return sorted(int(p.relative_to(root / "trials").parts[0]) for p in (root / "trials").rglob(name))


def make(root: Path, **options: Any) -> Checkpoints:
    return Checkpoints(root, objective=OBJECTIVES["val_accuracy"], **{"keep": 3, **options})


def test_a_hundred_trials_leave_the_best_models_and_nothing_more(tmp_path: Path) -> None:
    kept = make(tmp_path)
    draw = random.Random(1)
    values = {number: draw.random() for number in range(100)}
    for number, value in values.items():
        kept.began(trial(number, None, State.RUNNING))
        trained(tmp_path, number, state=KB)
        kept.ended(trial(number, value))
        assert len(files(tmp_path, "model.keras")) <= 3 and not files(tmp_path, "state.npz"), "at once, not at the end"
    best = sorted(values, key=lambda n: -values[n])[:3]
    assert files(tmp_path, "model.keras") == files(tmp_path, "stop.npz") == sorted(best)
    assert sorted(p.name for p in (tmp_path / "trials").iterdir()) == sorted(map(str, best))


def test_states_stay_while_a_promotion_may_need_them(tmp_path: Path) -> None:
    alive = {0, 2}
    kept = make(tmp_path, continues=lambda t: t.id in alive)
    for number in range(4):
        kept.began(trial(number))
        trained(tmp_path, number, state=KB)
        kept.ended(trial(number))
    assert files(tmp_path, "state.npz") == [0, 2]
    kept.began(trial(2, state=State.RUNNING))
    alive.clear()
    kept.began(trial(4))
    kept.ended(trial(4))
    assert files(tmp_path, "state.npz") == [2], "the rung is over; what runs keeps its own"
    kept.ended(trial(2))
    assert files(tmp_path, "state.npz") == []


def test_a_failed_trial_leaves_nothing_and_a_stopped_one_its_state(tmp_path: Path) -> None:
    kept = make(tmp_path)
    for number, state in ((0, State.FAILED), (1, State.STOPPED)):
        kept.began(trial(number))
        trained(tmp_path, number, state=KB)
        kept.ended(trial(number, None, state))
    assert files(tmp_path, "state.npz") == [1] and not (tmp_path / "trials" / "0").exists()
    kept.finish()
    assert not files(tmp_path, "state.npz")


def test_a_sweep_takes_what_a_killed_coordinator_left(tmp_path: Path) -> None:
    for number in range(6):
        trained(tmp_path, number, state=KB)
    (tmp_path / "trials" / "5" / ".part-77-model.keras").write_bytes(b"half")
    known = [trial(n, n / 10) for n in range(4)] + [trial(4, None, State.RUNNING), trial(5, 0.9, State.RUNNING)]
    trained(tmp_path, 9)
    make(tmp_path, keep=2).sweep(known)
    assert files(tmp_path, "model.keras") == [3, 4, 5], "two of the best, and what was running"
    assert files(tmp_path, "state.npz") == [4, 5] and not list(tmp_path.rglob(".part-*"))
    assert not (tmp_path / "trials" / "9").exists(), "the journal knows of no trial 9"


def test_a_limit_takes_models_below_the_best_first_then_states(tmp_path: Path) -> None:
    said: list[str] = []
    kept = make(tmp_path, max_disk=36 * KB, continues=lambda t: True, warn=said.append)
    for number in range(3):
        assert kept.began(trial(number), weights=10)
        trained(tmp_path, number, state=KB)
        kept.ended(trial(number, number / 10))
        assert bytes_in(tmp_path) <= 36 * KB
    assert not said or "fewer models" in said[0]
    kept = make(tmp_path, max_disk=bytes_in(tmp_path) - KB, continues=lambda t: True, warn=said.append)
    kept.sweep([trial(n, n / 10) for n in range(3)])
    assert files(tmp_path, "model.keras") == [1, 2] and files(tmp_path, "state.npz") == [0, 1, 2]
    assert len(said) == 1 and "fewer models" in said[0]


def test_a_tiny_limit_keeps_the_best_model_and_says_so_once(tmp_path: Path) -> None:
    said: list[str] = []
    kept = make(tmp_path, max_disk=2 * KB, continues=lambda t: True, warn=said.append)
    for number in range(4):
        assert not kept.began(trial(number), weights=10 * KB), "no room for a state"
        trained(tmp_path, number)
        kept.ended(trial(number, number / 10))
    assert files(tmp_path, "model.keras") == [3]
    assert len(said) == len(set(said)) and "--max-disk 2 kB: the best model" in " ".join(said)


def test_the_folds_of_a_trial_in_its_course_stay(tmp_path: Path) -> None:
    kept = make(tmp_path, keep=1)
    folds = [Rung(3, {"fold": i, "of": 3}, value=0.1, epochs=3, outcome="completed") for i in range(3)]
    best = trial(0, 0.9)
    best = best.but(rungs=tuple(Rung(3, {"fold": i, "of": 3}, value=0.9, outcome="completed") for i in range(3)))
    for one in (best, trial(1, 0.1, State.RUNNING).but(rungs=tuple(folds[:1]))):
        kept.began(one)
        (tmp_path / "trials" / str(one.id) / "fold-0" / "state").mkdir(parents=True)
        (tmp_path / "trials" / str(one.id) / "fold-0" / "model.keras").write_bytes(b"x")
        kept.ended(one)
    assert files(tmp_path, "model.keras") == [0, 1]
    kept.began(trial(1))
    kept.ended(trial(1, 0.1).but(rungs=tuple(folds)))
    assert files(tmp_path, "model.keras") == [0] and not list(tmp_path.rglob("state"))


def test_a_trial_that_was_tried_again_is_over_when_it_ends(tmp_path: Path) -> None:
    kept = make(tmp_path, keep=1)
    for number in range(3):
        for _ in range(2):  # out of memory, and alone
            kept.began(trial(number, None, State.RUNNING))
        trained(tmp_path, number, state=KB)
        kept.ended(trial(number, number / 10))
    assert files(tmp_path, "model.keras") == [2] and not files(tmp_path, "state.npz")


def test_folds_side_by_side_keep_their_folders_and_have_room_each(tmp_path: Path) -> None:
    kept = make(tmp_path, max_disk=130 * KB, warn=lambda text: None)
    folds = tuple(Rung(3, {"fold": i, "of": 3}) for i in range(3))
    one = trial(0, None, State.RUNNING)
    assert [kept.began(one.but(rungs=folds[: i + 1]), weights=KB) for i in range(3)] == [True] * 3
    (tmp_path / "trials" / "0" / "fold-1").mkdir(parents=True)
    kept.ended(one.but(rungs=(Rung(3, {"fold": 0, "of": 3}, outcome="completed"), *folds[1:])))
    assert (tmp_path / "trials" / "0" / "fold-1").is_dir(), "nothing is in it yet, but something will be"
    two = one.but(id=1, rungs=folds[:2])
    assert not kept.began(two, weights=KB), "two folds of each: four times 39 kB"


def test_a_folder_that_goes_while_it_is_measured_counts_for_nothing(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"12")
    sizes = sizes_in(tmp_path)
    next(sizes)
    for name in "abc":
        shutil.rmtree(tmp_path / name)
    assert sum(sizes) == 0 and bytes_in(tmp_path / "nowhere") == 0


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 5 * 10**8), ("5GB", 5 * 10**9), ("1.5 GiB", 3 * 2**29), (7, 7), ("12kb", 12_000)]
)
def test_sizes_are_read(text: Any, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "5 parsecs", "-1GB", 0, "0.1", True, None])
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(ConfigError, match="legal: 500MB, 5GB"):
        parse_size(text)


def test_a_size_is_told_in_powers_of_ten() -> None:
    assert [size_text(s) for s in (5 * 10**9, 1_500_000, 999)] == ["5 GB", "1.5 MB", "999 bytes"]
