"""Pictures are moved by whole pixels, each in its own way, the same for the same seed, epoch and batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from fertune.training.augment import Moves
from fertune.training.batches import Batches
from fertune.training.rows import Part, part_of

PICTURES = np.random.default_rng(0).integers(1, 256, (40, 9, 11, 2), dtype=np.uint8)


def by_hand(picture: Any, down: int, across: int, mirrored: bool) -> Any:
    padded = np.pad(picture, ((3, 3), (3, 3), (0, 0)), mode="edge")
    moved = padded[3 - down : 12 - down, 3 - across : 14 - across]
    return moved[:, ::-1] if mirrored else moved


def test_every_picture_is_shifted_and_mirrored_within_what_was_said() -> None:
    moved = Moves(True, 2, 3)(PICTURES, np.random.default_rng(1))
    assert moved.dtype == np.uint8 and moved.shape == PICTURES.shape
    ways = []
    for before, after in zip(PICTURES, moved, strict=True):
        fit = [
            (down, across, mirrored)
            for down in range(-2, 3)
            for across in range(-3, 4)
            for mirrored in (False, True)
            if (by_hand(before, down, across, mirrored) == after).all()
        ]
        assert len(fit) == 1
        ways += fit
    assert {down for down, _, _ in ways} == {-2, -1, 0, 1, 2} and len({across for _, across, _ in ways}) == 7
    assert 10 < sum(mirrored for _, _, mirrored in ways) < 30


def test_settings_say_what_moves() -> None:
    settings = {"augment": True, "flip": False, "shift": 0.08}
    assert Moves.of("conv", settings, (48, 96, 1)) == Moves(False, 4, 8)
    assert Moves.of("conv", {**settings, "augment": False}, (48, 96, 1)) is None
    assert Moves.of("conv", {**settings, "shift": 0.001}, (48, 96, 1)) is None
    assert Moves.of("custom", {"augment": True, "shift": "far"}, (48, 96, 1)) is None


def test_a_batch_is_moved_by_seed_epoch_and_number_alone() -> None:
    part = Part(np.arange(40, dtype=np.int32), np.arange(40, dtype=np.int32) % 3)

    def batch(epoch: int, index: int, seed: int = 1, read_before: int = 0) -> Any:
        made = Batches(PICTURES, part, size=8, seed=seed, targets=np.eye(3), moves=Moves(True, 2, 2))
        made.begin(epoch)
        for other in range(read_before):
            made[other]
        return made[index][0]

    assert (batch(4, 3) == batch(4, 3, read_before=3)).all()
    assert (batch(4, 3) != batch(5, 3)).any() and (batch(4, 3) != batch(4, 3, seed=2)).any()


def test_a_share_of_the_rows_is_stratified_and_nested() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), [100, 50, 2])
    part = Part(np.arange(152, dtype=np.int32), labels)
    quarter, half = part_of(part, 0.25, 7), part_of(part, 0.5, 7)
    assert np.bincount(quarter.labels).tolist() == [25, 12, 1] and np.bincount(half.labels).tolist() == [50, 25, 1]
    assert set(quarter.positions.tolist()) < set(half.positions.tolist())
    assert (labels[half.positions] == half.labels).all()
    assert part_of(part, 1.0, 7) is part
    assert part_of(part, 0.25, 8).digest != quarter.digest == part_of(part, 0.25, 7).digest
