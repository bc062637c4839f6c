"""Workers and cores of each machine of a cluster."""

from __future__ import annotations

import pytest

from fertune.execution.ray_places import Node, Share, nodes_of, places


def node(name: str, cores: float, gpus: float = 0.0) -> Node:
    return Node(name, name, cores, gpus)


def counted(found: list[tuple[Node, Share]]) -> dict[str, int]:
    return {name: sum(at.id == name for at, _ in found) for name in {at.id for at, _ in found}}


@pytest.mark.parametrize(
    ("cores", "workers", "share", "counts"),
    [
        ((4.0,), 1, 4.0, {"0": 1}),
        ((4.0,), 3, 4 / 3, {"0": 3}),
        ((4.0, 2.0), 3, 2.0, {"0": 2, "1": 1}),
        ((4.0, 4.0), 2, 4.0, {"0": 1, "1": 1}),
        ((3.0, 3.0), 4, 1.5, {"0": 2, "1": 2}),
        ((2.0,), 8, 0.25, {"0": 8}),
    ],
)
def test_a_number_of_workers_gets_the_largest_equal_share(
    cores: tuple[float, ...], workers: int, share: float, counts: dict[str, int]
) -> None:
    nodes = [node(str(i), c) for i, c in enumerate(cores)]
    found = places(nodes, workers=workers, threads=1, use_gpus=False)
    assert counted(found) == counts and all(s.cores == pytest.approx(share) for _, s in found)
    assert all(s.threads == max(1, int(share + 1e-9)) for _, s in found)


def test_auto_gives_each_machine_as_many_as_its_cores_take() -> None:
    found = places([node("a", 8.0), node("b", 3.0), node("c", 1.0)], workers=None, threads=2, use_gpus=False)
    assert counted(found) == {"a": 4, "b": 1, "c": 1}
    assert {at.id: s.threads for at, s in found} == {"a": 2, "b": 2, "c": 1}


def test_where_there_are_gpus_they_alone_get_workers() -> None:
    nodes = [node("plain", 64.0), node("two", 16.0, 2.0)]
    found = places(nodes, workers=None, threads=2, use_gpus=True, per_gpu=2)
    assert counted(found) == {"two": 4}
    assert found[0][1] == Share(4.0, 0.5)
    assert counted(places(nodes, workers=3, threads=2, use_gpus=True, per_gpu=2)) == {"two": 3}
    assert counted(places(nodes, workers=None, threads=16, use_gpus=False)) == {"plain": 4, "two": 1}


def test_no_machine_no_place() -> None:
    assert places([], workers=4, threads=1, use_gpus=True) == []
    listed = [
        {"NodeID": "dead", "Alive": False, "Resources": {"CPU": 4.0}},
        {"NodeID": "head", "Alive": True, "Resources": {"memory": 1.0}},
        {"NodeID": "a", "Alive": True, "NodeManagerHostname": "box", "Resources": {"CPU": 4.0, "GPU": 1.0}},
    ]
    assert nodes_of(listed) == [Node("a", "box", 4.0, 1.0, 0.0)]
