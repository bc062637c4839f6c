"""Folds and bags over twin clusters: made once, before anything is trained.

Every split here deals out whole *groups* (pictures that are the same picture), never single rows, and is stratified:
a group counts for the label that most of its rows have. ``stop`` rows, which early stopping and schedules watch, are
cut from the fit part; ``held_out`` rows are seen by nobody until the model is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fertune.errors import ConfigError, FertuneError

Positions = NDArray[np.int32]
MAX_DRAWS = 100


class FoldError(FertuneError):
    """A row is held out never or twice, a twin cluster is divided, or parts of a fold overlap."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One division of rows. All three are int32 positions into the arrays that the folds were made from.

    Attributes:
        fit: Rows that gradients see, ascending; in a bag they may repeat.
        stop: Rows that early stopping, schedules and the choice of the best epoch watch, ascending, once each.
        held_out: Rows whose predictions are out-of-fold (for a bag: out-of-bag), ascending, once each.
    """

    fit: Positions
    stop: Positions
    held_out: Positions


@dataclass(frozen=True, eq=False)
class _Clusters:
    """The groups of some rows, numbered 0..n-1.

    Attributes:
        positions: int32 (m,), the rows, ascending.
        of_row: int64 (m,), the cluster of each row.
        size: int64 (n,), rows of each cluster.
        label: int64 (n,), what most of its rows are labelled (the lowest such label), as an index into ``classes``.
        per_class: int64 (n, classes), rows by label.
    """

    positions: Positions
    of_row: NDArray[np.int64]
    size: NDArray[np.int64]
    label: NDArray[np.int64]
    per_class: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.bool_]) -> Positions:
        return self.positions[chosen[self.of_row]]


def _clusters(positions: ArrayLike, labels: ArrayLike, groups: ArrayLike) -> _Clusters:
    rows = np.asarray(positions)
    if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "iu"):
        raise ConfigError(f"positions must be whole numbers in one row; got {rows.dtype} of shape {rows.shape}")
    rows = np.sort(rows).astype(np.int32)
    all_labels, all_groups = np.asarray(labels), np.asarray(groups)
    if all_labels.shape != all_groups.shape or all_labels.ndim != 1:
        raise ConfigError(f"labels {all_labels.shape} and groups {all_groups.shape} must be of one length")
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(all_labels)):
        raise ConfigError(f"positions go from {rows[0]} to {rows[-1]}; legal are 0 to {len(all_labels) - 1}")
    if np.any(rows[1:] == rows[:-1]):
        raise ConfigError("positions must not repeat")
    if np.any(all_labels[rows] < 0):
        raise ConfigError(f"{int(np.sum(all_labels[rows] < 0)):,} of {len(rows):,} rows have no label; leave them out")
    classes, index = np.unique(all_labels[rows], return_inverse=True)
    found, of_row = np.unique(all_groups[rows], return_inverse=True)
    per_class = np.zeros((len(found), max(len(classes), 1)), np.int64)
    np.add.at(per_class, (of_row, index), 1)
    return _Clusters(rows, of_row.astype(np.int64), per_class.sum(1), per_class.argmax(1), per_class)


def _rng(seed: int, purpose: int) -> np.random.Generator:
    if seed < 0:
        raise ConfigError(f"seed is {seed}; it must be a whole number from 0")
    return np.random.default_rng([seed, purpose])


def _fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name} is {value}; it must lie between 0 and 1")


def _cut(clusters: _Clusters, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """bool (n,): the clusters to cut away. Each class with two or more clusters stands on both sides."""
    n_classes = clusters.per_class.shape[1]
    rows_of = np.bincount(clusters.label, weights=clusters.size, minlength=n_classes)
    want = np.floor(rows_of * fraction)
    spare = round(float(rows_of.sum() * fraction - want.sum()))
    want[np.argsort(want - rows_of * fraction, kind="stable")[:spare]] += 1  # largest remainders first
    cut = np.zeros(len(clusters.size), bool)
    for label in range(n_classes):
        members = np.flatnonzero(clusters.label == label)
        if len(members) < 2:
            continue
        members = rng.permutation(members)
        sizes = clusters.size[members]
        target = min(max(want[label], 1), rows_of[label] - sizes.min())
        have = 0
        for member, size in zip(members.tolist(), sizes.tolist(), strict=True):
            if have + size <= target:
                cut[member] = True
                have += size
        if have == 0:
            cut[members[sizes.argmin()]] = True
    if not cut.any():  # every class is a single cluster: the smallest one goes
        cut[clusters.size.argmin()] = True
    return cut


def split_groups(
    positions: ArrayLike, labels: ArrayLike, groups: ArrayLike, fraction: float, seed: int
) -> tuple[Positions, Positions]:
    """Cut a stratified share of the rows away, whole clusters only.

    Args:
        positions: Whole numbers (m,), the rows to divide, once each.
        labels: (n,), indexed by position; 0 or more at the given rows.
        groups: (n,), twin cluster numbers, indexed by position.
        fraction: Share of the rows to cut, between 0 and 1.
        seed: Of the draw.

    Returns:
        ``(rest, cut)``, int32 positions, ascending; neither is empty.

    Raises:
        ConfigError: Fewer than two clusters, or an illegal fraction.
    """
    _fraction("fraction", fraction)
    clusters = _clusters(positions, labels, groups)
    if len(clusters.size) < 2:
        raise ConfigError(f"cannot divide {len(clusters.size)} distinct pictures in two")
    cut = _cut(clusters, fraction, _rng(seed, 1))
    return clusters.rows(~cut), clusters.rows(cut)


def make_folds(
    positions: ArrayLike, labels: ArrayLike, groups: ArrayLike, *, k: int, seed: int, stop_fraction: float = 0.1
) -> list[Fold]:
    """Stratified k folds; the clusters are never divided between fit, stop and held_out.

    Clusters are dealt from the largest to the smallest, in random order among equals, each to the fold that has the
    fewest rows of its class (then the fewest rows). So the held-out parts of a class differ by at most a cluster.

    Args:
        positions: Whole numbers (m,), the rows to use, once each.
        labels: (n,), indexed by position.
        groups: (n,), twin cluster numbers, indexed by position.
        k: Number of folds, 2 or more.
        seed: Of the draw.
        stop_fraction: Share of the rows outside ``held_out`` that go to ``stop``.

    Raises:
        ConfigError: ``k`` is impossible for these rows.
    """
    _fraction("stop_fraction", stop_fraction)
    clusters = _clusters(positions, labels, groups)
    n = len(clusters.size)
    if k < 2:
        raise ConfigError(f"folds is {k}; it must be 2 or more")
    if n < max(k, 3) or (n - -(-n // k)) < 2:
        raise ConfigError(f"cannot make {k} folds of {n} distinct pictures; fewer folds or more rows are needed")
    rng = _rng(seed, 2)
    fold_of = _deal(clusters, k, rng)
    folds = []
    for fold in range(k):
        held = fold_of == fold
        rest, stop = split_groups(clusters.rows(~held), labels, groups, stop_fraction, int(rng.integers(2**31)))
        folds.append(Fold(rest, stop, clusters.rows(held)))
    return folds


def make_holdout(
    train: ArrayLike, validation: ArrayLike, labels: ArrayLike, groups: ArrayLike, *, part: float, seed: int
) -> Fold:
    """One cut in place of folds: a stratified part of all rows is held out, by whole clusters.

    Of the rows that are left ``fit`` gets those for training and ``stop`` those for validation, as the data divide
    them; a cluster that has rows in both goes to ``stop``.

    Args:
        train, validation: Whole numbers, the rows to use, once each.
        labels, groups: See ``make_folds``.
        part: Share of the rows to hold out, between 0 and 1.
        seed: Of the draw.

    Raises:
        ConfigError: An illegal part, or nothing would be left to train on or to watch.
    """
    trained, watched = np.asarray(train), np.asarray(validation)
    draw = int(_rng(seed, 4).integers(2**31))
    rest, held_out = split_groups(np.concatenate([trained, watched]), labels, groups, part, draw)
    group_of = np.asarray(groups)
    watches = np.isin(group_of[rest], group_of[np.intersect1d(rest, watched)])
    fold = Fold(rest[~watches], rest[watches], held_out)
    if len(fold.fit) == 0 or len(fold.stop) == 0:
        raise ConfigError(
            f"with {part:g} of {len(trained) + len(watched):,} rows held out none is left to "
            + ("train on" if len(fold.fit) == 0 else "validate with")
        )
    return fold


def _deal(clusters: _Clusters, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64 (n,): the fold of each cluster."""
    n = len(clusters.size)
    order = rng.permutation(n)
    order = order[np.argsort(-clusters.size[order], kind="stable")]
    load = [[0] * k for _ in range(clusters.per_class.shape[1])]
    total = [0] * k
    count = [0] * k
    fold_of = np.zeros(n, np.int64)
    mixed = (clusters.per_class > 0).sum(1) > 1
    for cluster in order.tolist():
        label, size = int(clusters.label[cluster]), int(clusters.size[cluster])
        mine = load[label]
        fold = min(range(k), key=lambda i: (mine[i], total[i], count[i], i))
        fold_of[cluster] = fold
        total[fold] += size
        count[fold] += 1
        if mixed[cluster]:
            for other, rows in enumerate(clusters.per_class[cluster].tolist()):
                load[other][fold] += rows
        else:
            mine[fold] += size
    return fold_of


def make_bags(
    positions: ArrayLike, labels: ArrayLike, groups: ArrayLike, *, n: int, seed: int, stop_fraction: float = 0.1
) -> list[Fold]:
    """Bootstraps of twin clusters, drawn with replacement inside each class (so a rare class stays).

    The bag's distinct clusters are divided in two: ``stop`` gets a stratified share, once each; ``fit`` the rest, as
    often as they were drawn. ``held_out`` are the clusters that were not drawn, 37 % of the rows or so (Breiman 1996,
    "Bagging predictors").

    Args:
        positions, labels, groups: See ``make_folds``.
        n: Number of bags, 1 or more.
        seed: Of the draw.
        stop_fraction: Share of the bag's distinct rows that go to ``stop``.

    Raises:
        ConfigError: ``n`` is below 1, or there are too few distinct pictures to draw from.
    """
    _fraction("stop_fraction", stop_fraction)
    clusters = _clusters(positions, labels, groups)
    if n < 1:
        raise ConfigError(f"bags is {n}; it must be 1 or more")
    rng = _rng(seed, 3)
    bags: list[Fold] = []
    for _ in range(n):
        times = _draw(clusters, rng)
        rest, stop = split_groups(clusters.rows(times > 0), labels, groups, stop_fraction, int(rng.integers(2**31)))
        often = times[clusters.of_row[np.searchsorted(clusters.positions, rest)]]
        bags.append(Fold(np.repeat(rest, often), stop, clusters.rows(times == 0)))
    return bags


def _draw(clusters: _Clusters, rng: np.random.Generator) -> NDArray[np.int64]:
    """int64 (n,): how often each cluster was drawn; at least two are, and at least one is not."""
    n = len(clusters.size)
    for _ in range(MAX_DRAWS):
        times = np.zeros(n, np.int64)
        for label in np.unique(clusters.label):
            members = np.flatnonzero(clusters.label == label)
            times += np.bincount(rng.choice(members, len(members)), minlength=n)
        if np.sum(times > 0) >= 2 and np.any(times == 0):
            return times
    raise ConfigError(f"cannot draw a bag with rows left over from {n} distinct pictures; more rows are needed")


def check_folds(folds: Sequence[Fold], positions: ArrayLike, groups: ArrayLike) -> None:
    """Hold the laws of out-of-fold predictions.

    Args:
        folds: What ``make_folds`` gave, or anybody else.
        positions: (m,), the rows that must be held out once each.
        groups: (n,), twin cluster numbers, indexed by position.

    Raises:
        FoldError: A row is held out never or twice, a cluster stands in two parts of a fold, or parts overlap.
    """
    rows = np.sort(np.asarray(positions))
    held = np.sort(np.concatenate([fold.held_out for fold in folds])) if folds else np.zeros(0, np.int32)
    faults = []
    never, foreign = np.setdiff1d(rows, held), np.setdiff1d(held, rows)
    twice = np.unique(held[1:][held[1:] == held[:-1]])
    if len(never):
        faults.append(f"{len(never):,} rows are held out by no fold, the first at position {never[0]}")
    if len(twice):
        faults.append(f"{len(twice):,} rows are held out more than once, the first at position {twice[0]}")
    if len(foreign):
        faults.append(f"{len(foreign):,} held-out rows are none of the given ones, the first at position {foreign[0]}")
    _raise(faults + _divided(folds, rows, groups))


def check_parts(folds: Sequence[Fold], positions: ArrayLike, groups: ArrayLike) -> None:
    """As ``check_folds``, but a row may be held out by any number of them, as with bags and with a single cut.

    Raises:
        FoldError: A cluster stands in two parts of a fold, or a row is none of the given ones.
    """
    _raise(_divided(folds, np.sort(np.asarray(positions)), groups))


def _divided(folds: Sequence[Fold], rows: NDArray[np.int64], groups: ArrayLike) -> list[str]:
    group_of = np.asarray(groups)
    faults = []
    for number, fold in enumerate(folds):
        parts = {"fit": fold.fit, "stop": fold.stop, "held_out": fold.held_out}
        if len(np.setdiff1d(np.concatenate(list(parts.values())), rows)):
            faults.append(f"fold {number} uses rows that are none of the given ones")
            continue
        if any(len(part) == 0 for part in parts.values()):
            empty = " and ".join(name for name, part in parts.items() if len(part) == 0)
            faults.append(f"fold {number} has no rows in {empty}")
        for one, other in (("fit", "stop"), ("fit", "held_out"), ("stop", "held_out")):
            overlap = np.intersect1d(parts[one], parts[other])
            if len(overlap):
                faults.append(f"fold {number}: {len(overlap):,} rows are in both {one} and {other}")
            divided = np.intersect1d(group_of[parts[one]], group_of[parts[other]])
            if len(divided) and not len(overlap):
                faults.append(f"fold {number}: {len(divided):,} twin clusters are divided between {one} and {other}")
    return faults


def _raise(faults: list[str]) -> None:
    if faults:
        raise FoldError("the folds would leak: rows or twin clusters are not kept apart", details=faults)
