"""The schema files describe what the records print, and refuse what would break a reader."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fertune.trial import TUNERS, State
from tests.console.factory import comparison, fold, search_record, stack_record, thirty, trial
from tests.schema import check


def search_document() -> dict[str, Any]:
    return search_record(Path("/runs/leaky-01"), thirty()).to_json()


def stack_document() -> dict[str, Any]:
    return stack_record(Path("/runs/stack-01"), comparison(), (fold(),)).to_json()


@pytest.mark.parametrize("trials", [(), thirty(), (trial(0, State.RUNNING, None, 0, 0),)], ids=["0", "30", "running"])
@pytest.mark.parametrize("status", ["running", "finished", "interrupted"])
def test_searches_follow_the_schema(trials: Any, status: str) -> None:
    check(search_record(Path("/runs/x"), trials, status).to_json(), "search")


@pytest.mark.parametrize("kind", ["helped", "hurt", "none", "no_test"])
def test_stacks_follow_the_schema(kind: str) -> None:
    check(stack_record(Path("/runs/x"), comparison(kind), (fold(),)).to_json(), "stack")


def test_a_stack_under_way_follows_the_schema() -> None:
    check(stack_record(Path("/runs/x"), None, (), "running").to_json(), "stack")


def drop(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document.pop(key)


SEARCH_FAULTS: list[Callable[[dict[str, Any]], Any]] = [
    *(drop(key) for key in ("kind", "run", "objective", "engine", "trials", "best")),
    lambda d: d["trials"][0].update(state="done"),
    lambda d: d["trials"][0].update(value="0.5"),
    lambda d: d["trials"][0].update(value=None),
    lambda d: d["trials"][0].update(epochs=1.5),
    lambda d: d["trials"][0].update(params={"a": [1]}),
    lambda d: d["trials"][0].update(failure={"kind": "crashed", "message": "x"}),
    lambda d: d["trials"][29].update(failure=None),
    lambda d: d["trials"][29]["failure"].update(kind="unlucky"),
    lambda d: d["trials"][0].pop("seconds"),
    lambda d: d.update(best=[]),
]
STACK_FAULTS: list[Callable[[dict[str, Any]], Any]] = [
    *(drop(key) for key in ("kind", "comparison", "verdict")),
    lambda d: d["comparison"][0].update(role="stack"),
    lambda d: d["comparison"][0].update(accuracy=64.9),
    lambda d: d["comparison"][0].update(n=None),
    lambda d: d["comparison"][0].pop("p_value"),
    lambda d: d["comparison"][0].update(seconds=None),
    lambda d: d.update(verdict_kind="maybe"),
]


@pytest.mark.parametrize("spoil", SEARCH_FAULTS)
def test_the_search_schema_can_fail(spoil: Callable[[dict[str, Any]], Any]) -> None:
    document = copy.deepcopy(search_document())
    check(document, "search")
    spoil(document)
    with pytest.raises(AssertionError, match="not what"):
        check(document, "search")


@pytest.mark.parametrize("spoil", STACK_FAULTS)
def test_the_stack_schema_can_fail(spoil: Callable[[dict[str, Any]], Any]) -> None:
    document = copy.deepcopy(stack_document())
    check(document, "stack")
    spoil(document)
    with pytest.raises(AssertionError, match="not what"):
        check(document, "stack")


def test_later_keys_are_allowed_and_nan_is_not() -> None:
    check(search_document() | {"later": 1}, "search")
    with pytest.raises(ValueError):
        check(search_document() | {"seconds": float("nan")}, "search")
    with pytest.raises(AssertionError):
        check('{"kind": "search", "x": NaN}', "search")


def test_run_json_of_a_search_follows_its_schema() -> None:
    run = {
        "protocol": 1,
        "kind": "search",
        "name": "leaky-01",
        "created": 1.5,
        "fertune": "0.1.0",
        "command": ["fertune"],
        "resume": "fertune search --out runs/leaky-01 --resume",
        "options": {},
        "versions": {"python": "3.11.7"},
        "backend": "tensorflow",
        "cores": 4,
        "space": {"name": "leaky_cnn", "params": {}},
        "space_fingerprint": "0" * 64,
        "objective": {"name": "val_accuracy", "direction": "max"},
        "engine": "hyperband",
        "data": {
            "name": "faces",
            "source": "builtin:faces",
            "fingerprint": "a" * 64,
            "shape": [48, 48, 1],
            "classes": ["happy"],
            "counts": {"train": [1], "validation": [1], "test": [1]},
            "unlabelled": 0,
            "notes": [],
        },
    }
    for engine in (*TUNERS, "own:Mine"):
        check(run | {"engine": engine}, "run")
    with pytest.raises(AssertionError):
        check(run | {"engine": "mine"}, "run")
    with pytest.raises(AssertionError):
        check(run | {"data": {**run["data"], "shape": []}}, "run")
    with pytest.raises(AssertionError):
        check(run | {"kind": "stack"}, "run")
    with pytest.raises(AssertionError):
        check(run | {"protocol": 3}, "run")
