"""Settings of the recipe: defaults, ranges, unknown names."""

from __future__ import annotations

import dataclasses

import pytest

from fertune.errors import ConfigError
from fertune.training.recipe import RECIPE, Recipe


def test_defaults_are_legal_and_every_setting_is_a_field() -> None:
    recipe = Recipe.of({}, "conv")
    assert [s.fault(getattr(recipe, s.name)) for s in RECIPE] == [None] * len(RECIPE)
    assert {s.name for s in RECIPE} == {f.name for f in dataclasses.fields(Recipe)}
    assert all(s.doc for s in RECIPE)


def test_all_faults_at_once() -> None:
    given = {"optimizer": "sgdd", "learning_rate": 5.0, "batch_size": 0, "blockz": 3, "blocks": 2}
    with pytest.raises(ConfigError) as caught:
        Recipe.of(given, "conv")
    assert len(caught.value.details) == 4
    assert any("blockz" in d and "did you mean 'blocks'" in d for d in caught.value.details)
    assert any("5.0 is above 1" in d for d in caught.value.details)


def test_a_whole_number_is_a_number_but_a_truth_is_not() -> None:
    assert isinstance(Recipe.of({"learning_rate": 1}, "conv").learning_rate, float)
    with pytest.raises(ConfigError, match="batch_size"):
        Recipe.of({"batch_size": True}, "conv")


def test_a_users_own_build_may_name_anything() -> None:
    assert Recipe.of({"width": 9, "batch_size": 8}, "custom").batch_size == 8
