"""Walking, counting, checking, naming and writing down a space."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fertune.errors import SpaceError
from fertune.space import Bool, Choice, Float, Int, Param, Space


def nested() -> Space:
    return Space(
        "nested",
        [
            Int("blocks", 2, 4),
            Choice("filters_4", [16, 32], {"blocks": [4]}),
            Bool("wide", {"filters_4": [32]}),
            Float("dropout", 0.0, 0.2, step=0.1),
        ],
        fixed={"filters_4": 8},
        recipe={"batch_size": 32},
        summary="for tests",
    )


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of up to seven finite parameters, many of them conditional, some on conditional ones."""
    params: list[Param] = []
    for i in range(draw(st.integers(1, 7))):
        parents = [p for p in params if not isinstance(p, Float)]
        when = None
        if parents and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            when = {parent.name: draw(st.lists(st.sampled_from(list(parent.values())), min_size=1, unique=True))}
        params.append(
            draw(
                st.sampled_from(
                    [
                        Int(f"p{i}", 1, 3, when=when),
                        Int(f"p{i}", 2, 6, step=2, when=when),
                        Float(f"p{i}", 0.0, 0.2, step=0.1, when=when),
                        Choice(f"p{i}", ["a", "b"], when),
                        Choice(f"p{i}", [0, 0.5], when),
                        Bool(f"p{i}", when),
                    ]
                )
            )
        )
    return Space("drawn", params)


@given(spaces())
@settings(max_examples=60, deadline=None)
def test_size_counts_the_points_and_each_is_inside_and_different(space: Space):
    points = list(space.points())
    assert space.size() == len(points) == len({space.key(p) for p in points})
    assert all(space.contains(p) for p in points)


@given(spaces(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_samples_are_inside_and_survive_json(space: Space, seed: int):
    params = space.sample(np.random.default_rng(seed))
    assert space.contains(params)
    assert space.active(params) == tuple(params)
    again = json.loads(json.dumps(params))
    assert space.contains(again) and space.key(again) == space.key(dict(reversed(again.items())))


@given(spaces())
@settings(max_examples=60, deadline=None)
def test_a_space_comes_back_from_what_it_writes(space: Space):
    again = Space.from_dict(json.loads(json.dumps(space.to_dict())))
    assert again == space and again.fingerprint == space.fingerprint and hash(again) == hash(space)


def test_samples_reach_every_point():
    space, rng = nested(), np.random.default_rng(0)
    assert {space.key(space.sample(rng)) for _ in range(600)} == {space.key(p) for p in space.points()}
    assert space.size() == (1 + 1 + 1 + 2) * 3


def test_one_open_parameter_makes_a_space_without_end():
    assert Space("s", [Bool("a"), Float("x", 0, 1, when={"a": [True]})]).size() is None
    assert Space("s", [Bool("a"), Float("x", 1, 1, when={"a": [True]})]).size() == 2
    assert Space("s", []).size() == 1


def test_validate_names_every_fault():
    with pytest.raises(SpaceError) as caught:
        nested().validate({"blocks": 3, "filters_4": 16, "droput": 0.1, "dropout": 0.15})
    assert caught.value.details == (
        "filters_4: is given, but inactive beside the other values",
        "droput: is no parameter of 'nested'; did you mean 'dropout'?",
        "dropout: 0.15 is not 0 plus a whole number of steps of 0.1",
    )
    assert not nested().contains({"blocks": 4, "filters_4": 32, "dropout": 0.1})


def test_a_fixed_value_holds_where_the_parameter_is_inactive():
    assert nested().settings({"blocks": 3, "dropout": 0.1})["filters_4"] == 8
    assert nested().settings({"blocks": 4, "filters_4": 32, "wide": True, "dropout": 0.1})["filters_4"] == 32
    assert nested().settings({})["batch_size"] == 32


def test_fingerprint_follows_what_matters():
    def but(**changes: Any) -> str:
        given = {**nested().to_dict(), **changes}
        return Space.from_dict(given).fingerprint

    same = nested().fingerprint
    assert but(summary="another", tuner="tpe") == same
    assert but(fixed={"filters_4": 9}) != same
    assert but(recipe={}) != same
    assert but(model="other") != same
    params = nested().to_dict()["params"]
    assert but(params=dict(reversed([(n, p) for n, p in params.items() if n not in ("filters_4", "wide")]))) != but(
        params={n: p for n, p in params.items() if n not in ("filters_4", "wide")}
    )


def test_the_order_of_fixed_and_recipe_is_of_no_matter_to_the_fingerprint():
    one = Space("s", [Bool("a")], fixed={"x": 1, "y": 2})
    assert one.fingerprint == Space("s", [Bool("a")], fixed={"y": 2, "x": 1}).fingerprint


def test_a_space_pickles_copies_and_is_never_changed_through_its_arguments():
    fixed = {"x": 1}
    space = Space("s", [Bool("a")], fixed=fixed)
    fixed["x"] = 2
    assert space.fixed["x"] == 1
    assert pickle.loads(pickle.dumps(nested())) == copy.deepcopy(nested()) == nested()


def test_a_build_function_makes_the_model_custom_and_is_not_written_down():
    space = Space("s", [Bool("a")], build=lambda params, shape, classes: None)
    assert space.model == "custom" and "build" not in space.to_dict()
    assert Space("s", [Bool("a")]).model == "conv"


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ([Bool("a"), Bool("a")], "params.a: is declared twice"),
        ([Bool("tuner/x")], "is not a name of letters"),
        ([Bool("a", {"b": [True]}), Bool("b")], "params.a.when: 'b' stands below 'a'"),
        ([Bool("block"), Bool("a", {"blocks": [True]})], "there is no parameter 'blocks'; did you mean 'block'?"),
        ([Bool("a", {"a": [True]})], "'a' cannot be its own parent"),
        ([Float("x", 0, 1), Bool("a", {"x": [0.5]})], "'x' is a float; a parent is an int, a choice or a bool"),
        ([Int("x", 0, 1), Bool("a", {"x": [2]})], "params.a.when.x: 2 is not in 0 to 1"),
        ([Int("x", 0, 1), Bool("a", {"x": [True]})], "params.a.when.x: True is not a whole number"),
        ([Bool("a", {"dense": [1]})], "'dense' is fixed, not a parameter"),
        ([Bool("dense")], "params.dense: stands in fixed too"),
        (["a"], "params: 'a' is not an Int, Float, Choice or Bool"),
    ],
)
def test_what_does_not_fit_together_says_so(params: list[Any], wanted: str):
    with pytest.raises(SpaceError) as caught:
        Space("s", params, fixed={"dense": 1})
    assert any(wanted in line for line in caught.value.details), caught.value.details


def test_conditions_take_the_type_of_their_parent():
    space = Space("s", [Choice("x", [0, 0.5]), Bool("a", {"x": [0]})])
    (value,) = space["a"].when["x"]  # type: ignore[index]
    assert type(value) is float and space.contains({"x": 0.0, "a": True})


def test_the_head_is_checked():
    with pytest.raises(SpaceError) as caught:
        Space("a b", [], model=3, tuner="hyberband", recipe={"x": [1], "y": float("nan")})  # type: ignore[arg-type, dict-item]
    text = "\n".join(caught.value.details)
    assert "did you mean 'hyperband'?" in text and "name: 'a b'" in text and "model: 3" in text
    assert "recipe.x: [1] is not a number" in text and "recipe.y: nan is not finite" in text
