"""Twin clusters, pictures that are the same picture; and how they are joined with groups that a source names."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def twin_groups(images: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Number the clusters of pictures with the same bytes, or whose mirror image has.

    A picture's key is the smaller of two 128-bit digests, its own and that of its mirror image, so both have one key.

    Args:
        images: uint8 (n, h, w, c).

    Returns:
        int32 (n,), numbered from 0 in the order of first appearance.
    """
    number: dict[bytes, int] = {}
    groups = np.empty(len(images), np.int32)
    for row, image in enumerate(images):
        key = min(_digest(image), _digest(image[:, ::-1]))
        groups[row] = number.setdefault(key, len(number))
    return groups


def _digest(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def join_groups(twins: NDArray[np.int32], given: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """The finest groups that part neither twins nor given groups: connected components of the two.

    Args:
        twins: int32 (n,), as ``twin_groups`` numbers them.
        given: int32 (n,), any numbers; None for none.

    Returns:
        int32 (n,), numbered from 0 in the order of first appearance; as ``twins`` where ``given`` adds nothing.
    """
    if given is None:
        return twins
    parent = np.arange(int(twins.max(initial=-1)) + 1).tolist()

    def root(cluster: int) -> int:
        while parent[cluster] != cluster:
            parent[cluster] = parent[parent[cluster]]
            cluster = parent[cluster]
        return cluster

    first: dict[int, int] = {}
    for cluster, group in zip(twins.tolist(), given.tolist(), strict=True):
        parent[root(cluster)] = root(first.setdefault(group, cluster))
    number: dict[int, int] = {}
    return np.array([number.setdefault(root(c), len(number)) for c in twins.tolist()], np.int32)
