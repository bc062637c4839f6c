"""Order of rows, shape of batches, weights of classes."""

from __future__ import annotations

import numpy as np
import pytest

from fertune.errors import ConfigError
from fertune.training.batches import Batches
from fertune.training.rows import Part
from fertune.training.weights import class_weights

IMAGES = np.arange(200, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)


def batches(positions: list[int], size: int = 8, seed: int = 1, **more: object) -> Batches:
    part = Part(np.array(positions, np.int32), np.array(positions, np.int32) % 3)
    return Batches(IMAGES, part, size=size, seed=seed, targets=np.eye(3, dtype=np.float32), **more)  # type: ignore[arg-type]


def seen(made: Batches, epoch: int) -> list[int]:
    made.begin(epoch)
    return [int(p[0, 0, 0]) for i in range(made.num_batches) for p in made[i][0]]


def test_each_row_once_and_the_last_batch_is_filled_from_the_head() -> None:
    rows = list(range(50, 71))
    order = seen(batches(rows), 0)
    assert len(order) == 24
    assert sorted(order[:21]) == rows
    assert order[21:] == order[:3]


def test_all_batches_have_one_shape_and_few_rows_make_one_small_batch() -> None:
    assert {batches(list(range(21)))[i][0].shape for i in range(3)} == {(8, 2, 2, 1)}
    small = batches([3, 4, 5])
    assert small.num_batches == 1 and small[0][0].shape == (3, 2, 2, 1)


def test_the_order_comes_from_seed_and_epoch_alone() -> None:
    rows = list(range(40))
    one, other = batches(rows), batches(rows)
    for epoch in range(7):
        seen(other, epoch)
    assert seen(one, 7) == seen(other, 7)
    assert seen(one, 7) != seen(one, 8)
    assert seen(one, 7) != seen(batches(rows, seed=2), 7)


def test_a_repeated_row_is_trained_as_often_as_it_stands_there() -> None:
    order = seen(batches([7, 7, 7, 9, 9, 11, 12, 13]), 3)
    assert sorted(order) == [7, 7, 7, 9, 9, 11, 12, 13]


def test_labels_and_weights_belong_to_their_pictures() -> None:
    weights = np.array([1, 2, 4], np.float32)
    pictures, targets, row_weights = batches(list(range(30)), weights=weights)[1]
    labels = pictures[:, 0, 0, 0] % 3
    assert (targets.argmax(1) == labels).all()
    assert (row_weights == weights[labels]).all()
    assert pictures.dtype == np.uint8
    assert batches(list(range(30)), dtype=np.float32)[0][0].dtype == np.float32


def test_class_weights() -> None:
    labels = np.repeat([0, 2, 3], [10, 30, 60])
    assert class_weights(labels, 5, "none") is None
    balanced, root = class_weights(labels, 5, "balanced"), class_weights(labels, 5, "sqrt")
    assert balanced is not None and root is not None
    assert balanced == pytest.approx([100 / 30, 0, 100 / 90, 100 / 180, 0])
    assert root[0] / root[3] == pytest.approx(np.sqrt(6))
    for weights in (balanced, root):
        assert weights[labels].mean() == pytest.approx(1.0)
        assert weights[[1, 4]].tolist() == [0, 0]
    with pytest.raises(ConfigError, match="did you mean 'balanced'"):
        class_weights(labels, 5, "ballanced")
