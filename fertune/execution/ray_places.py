"""How many workers each machine of a cluster gets, and with how many cores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EDGE = 1e-6
"""Shares of cores are fractions; so much is rounding."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's.
        host: Its name, or its address.
        cores: That Ray may use there.
        gpus: As well.
        memory: Bytes.
    """

    id: str
    host: str
    cores: float
    gpus: float = 0.0
    memory: float = 0.0


@dataclass(frozen=True)
class Share:
    """What one worker takes of its machine.

    Attributes:
        cores: May be a fraction.
        gpus: May be a fraction, which Ray keeps account of and nobody holds a worker to.
    """

    cores: float
    gpus: float = 0.0

    @property
    def threads(self) -> int:
        return max(1, int(self.cores + EDGE))


def nodes_of(listed: Iterable[Mapping[str, Any]]) -> list[Node]:
    """Machines that live and have cores, from ``ray.nodes()``."""
    return [
        Node(
            str(entry["NodeID"]),
            str(entry.get("NodeManagerHostname") or entry.get("NodeManagerAddress") or ""),
            float(entry["Resources"]["CPU"]),
            float(entry["Resources"].get("GPU", 0)),
            float(entry["Resources"].get("memory", 0)),
        )
        for entry in listed
        if entry.get("Alive") and entry.get("Resources", {}).get("CPU", 0) > 0
    ]


def places(
    nodes: Sequence[Node], *, workers: int | None, threads: int, use_gpus: bool, per_gpu: int = 1
) -> list[tuple[Node, Share]]:
    """One entry a worker.

    Where machines have GPUs that may be used, they alone get workers, ``per_gpu`` a GPU. Otherwise cores decide: so
    many workers that each has ``threads`` of them, or the largest equal share with which ``workers`` fit.

    Args:
        workers: In all, at most; None: as many as fit.
        threads: Cores of a worker where ``workers`` is None.
    """
    with_gpus = [node for node in nodes if use_gpus and node.gpus >= 1]
    if with_gpus:
        found = []
        for node in with_gpus:
            count = int(node.gpus) * per_gpu
            found += [(node, Share(node.cores / count, 1 / per_gpu))] * count
        return found[:workers]
    if workers is None:
        return [
            (node, Share(min(float(threads), node.cores)))
            for node in nodes
            for _ in range(max(1, int(node.cores + EDGE) // threads))
        ]
    share = _largest_share(nodes, workers)
    fitting = [(node, Share(share)) for node in nodes for _ in range(int(node.cores / share + EDGE))] if share else []
    return fitting[:workers]


def _largest_share(nodes: Sequence[Node], workers: int) -> float:
    """Cores for each, so that ``workers`` of them fit on the nodes; 0 where there are no nodes."""
    possible = sorted({node.cores / k for node in nodes for k in range(1, workers + 1)}, reverse=True)
    for share in possible:
        if sum(int(node.cores / share + EDGE) for node in nodes) >= workers:
            return share
    return 0.0
