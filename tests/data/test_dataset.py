"""The value itself: splits, counts, twin clusters, the audit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.data import ImageDataset, audit, twin_rows
from fertune.data.groups import twin_groups
from fertune.errors import DataError

from .conftest import picture


def small() -> ImageDataset:
    x = np.stack([picture(i) for i in range(30)])
    y = np.arange(30) % 3
    return ImageDataset.from_arrays(x[:20], y[:20], x_val=x[20:26], y_val=y[20:26], x_test=x[26:], y_test=y[26:])


def test_positions_and_counts() -> None:
    dataset = small()
    assert dataset.positions("validation").tolist() == list(range(20, 26))
    assert dataset.positions("test", "train").tolist() == [*range(20), *range(26, 30)]
    assert dataset.positions("train").dtype == np.int32
    assert dataset.counts() == {"train": [7, 7, 6], "validation": [2, 2, 2], "test": [1, 1, 2], "unlabelled": [0, 0, 0]}
    assert len(dataset) == 30 and dataset.n_classes == 3 and dataset.image_shape == (6, 6, 1)
    assert (dataset.labels.dtype, dataset.split.dtype, dataset.groups.dtype) == (np.int32, np.int8, np.int32)


def test_an_unknown_split_gets_a_hint() -> None:
    with pytest.raises(DataError, match="no split named 'val'; legal: train, validation, test, unlabelled"):
        small().positions("val")


def test_twins_by_bytes_and_by_mirror_share_a_group_over_all_splits() -> None:
    a, b = picture(1), picture(2)
    x = np.stack([a, b, a[:, ::-1], b, a[::-1]])[..., None]
    assert twin_groups(x).tolist() == [0, 1, 0, 1, 2]  # upside down is another picture


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30), st.sampled_from([1, 3]))
def test_groups_are_exactly_the_pictures_that_are_the_same(drawn: list[tuple[int, bool]], channels: int) -> None:
    base = np.random.default_rng(3).integers(0, 256, (6, 4, 5, channels), dtype=np.uint8)
    x = np.stack([base[i][:, ::-1] if mirrored else base[i] for i, mirrored in drawn])
    groups = twin_groups(x)
    for p, (i, _) in enumerate(drawn):
        for q, (j, _) in enumerate(drawn):
            assert (groups[p] == groups[q]) == (i == j)
    firsts = [groups[k] for k in sorted(np.unique(groups, return_index=True)[1])]
    assert firsts == list(range(len(firsts)))


def test_the_audit_counts_twins_flat_pictures_and_disagreement() -> None:
    x = np.stack([picture(i) for i in range(12)])
    y = np.arange(12) % 2
    x[1] = x[0]  # train twins that disagree
    x[3], x[5] = 7, 7  # flat twins
    val = np.stack([x[2][:, ::-1], picture(50)])  # a mirror twin of train
    test = np.stack([val[1], x[4], x[4], picture(60)])  # a twin of validation, two of train
    dataset = ImageDataset.from_arrays(x, y, x_val=val, y_val=[0, 1], x_test=test, y_test=[1, 0, 0, 1])
    found = audit(dataset)
    assert (found.train_extra, found.known_extra) == (2, 3)
    assert (found.validation_in_train, found.test_in_train, found.test_in_known) == (1, 2, 3)
    assert found.flat == 2
    assert (found.disagreeing_groups, found.disagreeing_rows) == (1, 2)
    assert twin_rows(dataset, "test").tolist() == [True, True, True, False]
    assert twin_rows(dataset, "test", ("train",)).tolist() == [False, True, True, False]


def test_unlabelled_rows_are_audited_but_have_no_label_to_disagree() -> None:
    x = np.stack([picture(i) for i in range(12)])
    dataset = ImageDataset.from_arrays(x, np.arange(12) % 2, x_val=x[:2], y_val=[0, 1], x_test=x[2:5])
    found = audit(dataset)
    assert found.unlabelled_in_train == 3 and found.disagreeing_groups == 0


def test_train_of_one_picture_cannot_be_divided() -> None:
    x = np.repeat(picture(0)[None], 6, axis=0)
    with pytest.raises(DataError, match="has no validation rows, and 6 training rows cannot be divided"):
        ImageDataset.from_arrays(x, [0, 1] * 3)
