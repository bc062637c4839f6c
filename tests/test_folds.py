"""Folds and bags: each row once, twins never divided (law 3), classes spread evenly."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fertune.errors import ConfigError
from fertune.folds import (
    Fold,
    FoldError,
    check_folds,
    check_parts,
    make_bags,
    make_folds,
    make_holdout,
    split_groups,
)

Rows = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    """positions, labels, groups: clusters of 1 to 9 rows, some with mixed labels, positions with gaps, any order."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    clusters = draw(st.integers(12, 60))
    sizes = np.where(rng.random(clusters) < draw(st.floats(0, 1)), rng.integers(1, 10, clusters), 1)
    groups = rng.permutation(np.repeat(rng.permutation(clusters * 3)[:clusters], sizes)).astype(np.int32)
    of_group = rng.integers(0, draw(st.integers(1, 7)), clusters * 3)
    labels = of_group[groups].astype(np.int32)
    wrong = rng.random(len(groups)) < 0.1
    labels[wrong] = rng.integers(0, 3, wrong.sum())
    n = len(groups)
    room = n + draw(st.integers(0, 20))
    positions = rng.permutation(room)[:n].astype(np.int32)
    all_labels, all_groups = np.full(room, -1, np.int32), np.full(room, -5, np.int32)
    all_labels[positions], all_groups[positions] = labels, groups
    return positions, all_labels, all_groups


def many(n: int = 2000, classes: int = 7, seed: int = 0) -> Rows:
    """Rows like those of real faces: unequal classes, one row in thirty a twin."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, n, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()).astype(np.int32)
    groups = np.arange(n, dtype=np.int32)
    for _ in range(n // 30):
        a, b = rng.integers(0, n, 2)
        groups[a], labels[a] = groups[b], labels[b]
    return np.arange(n, dtype=np.int32), labels, groups


@given(tables(), st.integers(2, 6), st.integers(0, 99))
def test_law_3_each_row_is_held_out_once_and_no_cluster_is_divided(table: Rows, k: int, seed: int) -> None:
    positions, labels, groups = table
    folds = make_folds(positions, labels, groups, k=k, seed=seed)
    assert len(folds) == k
    held: list[int] = []
    for fold in folds:
        parts = [fold.fit.tolist(), fold.stop.tolist(), fold.held_out.tolist()]
        assert all(part and part == sorted(set(part)) for part in parts)
        assert sorted(sum(parts, [])) == sorted(positions.tolist())
        clusters = [set(groups[part].tolist()) for part in parts]
        assert not clusters[0] & clusters[1] and not clusters[0] & clusters[2] and not clusters[1] & clusters[2]
        held += parts[2]
    assert sorted(held) == sorted(positions.tolist())
    check_folds(folds, positions, groups)


@given(tables(), st.integers(0, 99))
def test_bags_draw_clusters_whole_and_stop_inside_the_bag(table: Rows, seed: int) -> None:
    positions, labels, groups = table
    for bag in make_bags(positions, labels, groups, n=2, seed=seed):
        clusters = [set(groups[part].tolist()) for part in (bag.fit, bag.stop, bag.held_out)]
        assert all(clusters)
        assert not clusters[0] & clusters[1] and not clusters[0] & clusters[2] and not clusters[1] & clusters[2]
        assert sorted({*bag.fit.tolist(), *bag.stop.tolist(), *bag.held_out.tolist()}) == sorted(positions.tolist())
        rows, often = np.unique(bag.fit, return_counts=True)
        for cluster in clusters[0]:
            times = often[groups[rows] == cluster]
            assert len(times) == np.sum(groups[positions] == cluster) and len(set(times.tolist())) == 1
        check_parts([bag], positions, groups)


@given(tables(), st.floats(0.1, 0.5), st.integers(0, 99), st.randoms(use_true_random=False))
def test_a_held_out_part_leaves_training_and_validation_as_they_are(table: Rows, part: float, seed: int, draw) -> None:
    positions, labels, groups = table
    watched = np.array(sorted(draw.sample(positions.tolist(), len(positions) // 4)), np.int32)
    train = np.setdiff1d(positions, watched)
    try:
        fold = make_holdout(train, watched, labels, groups, part=part, seed=seed)
    except ConfigError as error:
        assert "none is left to" in error.message
        return
    check_parts([fold], positions, groups)
    assert sorted(np.concatenate([fold.fit, fold.stop, fold.held_out]).tolist()) == sorted(positions.tolist())
    assert set(fold.fit.tolist()) <= set(train.tolist())
    parted = set(groups[train].tolist()) & set(groups[watched].tolist())
    assert {groups[row] for row in np.setdiff1d(fold.stop, watched).tolist()} <= parted, "only copies change sides"


def test_a_held_out_part_has_its_share_of_each_class_and_is_drawn_by_its_seed() -> None:
    positions, labels, groups = many()
    one, same, other = (
        make_holdout(positions[:1800], positions[1800:], labels, groups, part=0.1, seed=seed) for seed in (3, 3, 4)
    )
    assert np.abs(np.bincount(labels[one.held_out], minlength=7) - 0.1 * np.bincount(labels, minlength=7)).max() <= 1.5
    assert one.held_out.tolist() == same.held_out.tolist() != other.held_out.tolist()


def test_no_rows_left_to_watch_are_refused() -> None:
    groups = np.arange(10)
    groups[9] = 8
    with pytest.raises(ConfigError, match="with 0.5 of 10 rows held out none is left to"):
        make_holdout(np.arange(8), [8, 9], np.zeros(10, int), np.where(groups < 8, 0, 1), part=0.5, seed=0)


@given(tables(), st.floats(0.05, 0.9), st.integers(0, 99))
def test_a_cut_takes_whole_clusters_and_leaves_some(table: Rows, fraction: float, seed: int) -> None:
    positions, labels, groups = table
    rest, cut = split_groups(positions, labels, groups, fraction, seed)
    assert len(rest) and len(cut)
    assert sorted([*rest.tolist(), *cut.tolist()]) == sorted(positions.tolist())
    assert not set(groups[rest].tolist()) & set(groups[cut].tolist())


def test_held_out_parts_have_the_shares_of_the_whole() -> None:
    positions, labels, groups = many()
    folds = make_folds(positions, labels, groups, k=5, seed=1)
    per_class = np.array([np.bincount(labels[fold.held_out], minlength=7) for fold in folds])
    assert np.ptp(per_class, axis=0).max() <= 1
    assert np.ptp(per_class.sum(axis=1)) <= 7
    stop = np.array([np.bincount(labels[fold.stop], minlength=7) for fold in folds])
    outside = np.bincount(labels, minlength=7) - per_class
    assert np.abs(stop - 0.1 * outside).max() <= 1.5
    assert stop.min() >= 1


def test_a_cut_has_the_asked_share_of_each_class() -> None:
    positions, labels, groups = many()
    _, cut = split_groups(positions, labels, groups, 0.1, 0)
    assert abs(len(cut) - 200) <= 3
    assert np.abs(np.bincount(labels[cut], minlength=7) - 0.1 * np.bincount(labels, minlength=7)).max() <= 1.5


def test_a_rare_class_stands_on_both_sides() -> None:
    labels = np.array([0] * 98 + [1] * 2, np.int32)
    rest, cut = split_groups(np.arange(100), labels, np.arange(100), 0.1, 0)
    assert set(labels[rest]) == set(labels[cut]) == {0, 1}


def test_same_seed_same_folds_other_seed_other_folds() -> None:
    positions, labels, groups = many(300)
    shuffled = np.random.default_rng(1).permutation(positions)
    one, two, three = (
        make_folds(p, labels, groups, k=3, seed=s) for p, s in ((positions, 4), (shuffled, 4), (positions, 5))
    )
    assert all(np.array_equal(a.held_out, b.held_out) and np.array_equal(a.stop, b.stop)
               for a, b in zip(one, two, strict=True))  # fmt: skip
    assert not all(np.array_equal(a.held_out, b.held_out) for a, b in zip(one, three, strict=True))
    bags = make_bags(positions, labels, groups, n=2, seed=4)
    again = make_bags(positions, labels, groups, n=2, seed=4)
    assert all(np.array_equal(a.fit, b.fit) for a, b in zip(bags, again, strict=True))
    assert not np.array_equal(bags[0].fit, bags[1].fit)


def test_all_three_parts_are_int32() -> None:
    positions, labels, groups = many(200)
    made = make_folds(positions, labels, groups, k=2, seed=0) + make_bags(positions, labels, groups, n=1, seed=0)
    assert {part.dtype for fold in made for part in (fold.fit, fold.stop, fold.held_out)} == {np.dtype(np.int32)}


def test_a_bag_is_a_bootstrap() -> None:
    positions, labels, groups = many(5000)
    (bag,) = make_bags(positions, labels, groups, n=1, seed=0)
    assert abs(len(bag.held_out) / 5000 - np.exp(-1)) < 0.03
    assert abs(len(bag.fit) / 5000 - 0.9) < 0.03  # as many draws as rows, less the tenth that stops
    assert abs(len(bag.stop) / 5000 - 0.063) < 0.01
    assert set(labels[bag.fit]) == set(range(7))


def test_folds_of_many_rows_are_quick() -> None:
    positions, labels, groups = many(32_000)
    begun = time.perf_counter()
    check_folds(make_folds(positions, labels, groups, k=5, seed=0), positions, groups)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("k", "n", "message"),
    [
        (1, 50, "folds is 1; it must be 2 or more"),
        (0, 50, "folds is 0; it must be 2 or more"),
        (51, 50, "cannot make 51 folds of 50 distinct pictures"),
        (2, 2, "cannot make 2 folds of 2 distinct pictures"),
        (3, 0, "cannot make 3 folds of 0 distinct pictures"),
    ],
)
def test_impossible_folds_are_refused(k: int, n: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_folds(np.arange(n), np.zeros(n, int), np.arange(n), k=k, seed=0)


def test_copies_are_not_distinct_pictures() -> None:
    with pytest.raises(ConfigError, match="cannot make 5 folds of 4 distinct pictures"):
        make_folds(np.arange(40), np.zeros(40, int), np.arange(40) % 4, k=5, seed=0)


@pytest.mark.parametrize("k", [3, 4, 5])
def test_as_few_pictures_as_folds_still_work(k: int) -> None:
    folds = make_folds(np.arange(k), np.arange(k), np.arange(k), k=k, seed=0)
    check_folds(folds, np.arange(k), np.arange(k))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_an_illegal_share_is_refused(fraction: float) -> None:
    positions, labels, groups = many(100)
    with pytest.raises(ConfigError, match="must lie between 0 and 1"):
        make_folds(positions, labels, groups, k=3, seed=0, stop_fraction=fraction)
    with pytest.raises(ConfigError, match="must lie between 0 and 1"):
        split_groups(positions, labels, groups, fraction, 0)


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        ([0, 1, 1], "positions must not repeat"),
        ([0, 100], "positions go from 0 to 100; legal are 0 to 99"),
        ([-1, 5], "positions go from -1 to 5"),
        ([0.5, 1.5], "positions must be whole numbers"),
        ([3, 4], "1 of 2 rows have no label"),
    ],
)
def test_wrong_positions_are_refused(positions: list[float], message: str) -> None:
    labels = np.zeros(100, int)
    labels[4] = -1
    with pytest.raises(ConfigError, match=message):
        split_groups(positions, labels, np.arange(100), 0.1, 0)


def test_bags_need_some_and_rows_to_draw_from() -> None:
    positions, labels, groups = many(100)
    with pytest.raises(ConfigError, match="bags is 0"):
        make_bags(positions, labels, groups, n=0, seed=0)
    with pytest.raises(ConfigError, match="cannot draw a bag with rows left over from 1 distinct pictures"):
        make_bags(np.arange(5), np.zeros(5, int), np.zeros(5, int), n=1, seed=0)
    with pytest.raises(ConfigError, match="seed is -1"):
        make_bags(positions, labels, groups, n=1, seed=-1)


def broken(what: str) -> list[Fold]:
    positions, labels, groups = many(100)
    folds = make_folds(positions, labels, groups, k=4, seed=0)
    first = folds[0]
    changed = {
        "never": replace(first, held_out=first.held_out[1:]),
        "twice": replace(first, held_out=np.append(first.held_out, folds[1].held_out[0])),
        "foreign": replace(first, held_out=np.append(first.held_out, np.int32(500))),
        "overlap": replace(first, stop=np.append(first.stop, first.fit[0])),
        "empty": replace(first, stop=first.stop[:0]),
    }[what]
    return [changed, *folds[1:]]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("never", "1 rows are held out by no fold"),
        ("twice", "1 rows are held out more than once"),
        ("foreign", "1 held-out rows are none of the given ones, the first at position 500"),
        ("overlap", "fold 0: 1 rows are in both fit and stop"),
        ("empty", "fold 0 has no rows in stop"),
    ],
)
def test_broken_folds_are_refused(what: str, says: str) -> None:
    positions, _, groups = many(100)
    with pytest.raises(FoldError) as caught:
        check_folds(broken(what), positions, groups)
    assert any(says in line for line in caught.value.details), caught.value.details


@pytest.mark.parametrize("parts", [("fit", "held_out"), ("fit", "stop"), ("stop", "held_out")])
def test_a_divided_cluster_is_refused(parts: tuple[str, str]) -> None:
    positions, labels, _ = many(100)
    groups = np.arange(100)
    folds = make_folds(positions, labels, groups, k=4, seed=0)
    one, other = (getattr(folds[2], part)[0] for part in parts)
    groups[one] = groups[other]
    with pytest.raises(FoldError) as caught:
        check_folds(folds, positions, groups)
    assert f"fold 2: 1 twin clusters are divided between {parts[0]} and {parts[1]}" in caught.value.details
    with pytest.raises(FoldError):
        check_parts(folds, positions, groups)


def test_no_folds_hold_nothing_out() -> None:
    with pytest.raises(FoldError):
        check_folds([], np.arange(3), np.arange(3))


def test_law_4_a_memoriser_scores_chance_out_of_fold() -> None:
    """Labels at random, many twins: whoever remembers pictures knows the held-out twin if folds divide clusters."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(1000), 2))
    labels = rng.integers(0, 5, 1000)[groups]
    right = total = 0
    for fold in make_folds(np.arange(2000), labels, groups, k=5, seed=0):
        known = dict(zip(groups[fold.fit].tolist(), labels[fold.fit].tolist(), strict=True))
        guess = [known.get(group, 0) for group in groups[fold.held_out].tolist()]
        right += int(np.sum(guess == labels[fold.held_out]))
        total += len(fold.held_out)
    assert total == 2000 and abs(right / total - np.mean(labels == 0)) < 1e-9
