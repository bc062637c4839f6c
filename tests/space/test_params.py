"""Each kind of parameter: what is legal, what it draws, how it writes itself down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.errors import SpaceError
from fertune.space import Bool, Choice, Float, Int, Space


def details(make: object) -> tuple[str, ...]:
    with pytest.raises(SpaceError) as caught:
        make()  # type: ignore[operator]
    return caught.value.details


def test_stepped_floats_are_the_decimals_that_people_write():
    assert list(Float("d", 0, 0.7, step=0.1).values()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert list(Float("d", 0.2, 0.5, step=0.1).values()) == [0.2, 0.3, 0.4, 0.5]
    assert Float("d", 0, 0.7, step=0.1).nearest(0.1 + 0.2) == 0.3


@given(low=st.integers(-50, 50), steps=st.integers(0, 200), tenths=st.sampled_from([1, 2, 5, 25, 125]))
def test_a_stepped_float_has_all_its_steps_and_short_decimals(low: int, steps: int, tenths: int):
    step = tenths / 1000
    high = float(f"{low + steps * tenths / 1000:.3f}")
    param = Float("d", low, high, step=step)
    values = list(param.values())
    assert len(values) == steps + 1 == param.count
    assert values[-1] == high
    assert all(len(repr(v).partition(".")[2]) <= 3 for v in values)
    assert all(param.contains(v) for v in values)


@given(
    st.one_of(
        st.builds(lambda a, n: Int("p", a, a + n * 3, step=3), st.integers(-9, 9), st.integers(0, 9)),
        st.builds(lambda a, n: Int("p", a, a + n, log=True), st.integers(1, 9), st.integers(0, 500)),
        st.builds(lambda a, n: Float("p", a, a + n), st.floats(-9, 9), st.floats(0, 9)),
        st.builds(lambda a, n: Float("p", a, a * (1 + n), log=True), st.floats(1e-6, 9), st.floats(0, 9)),
        st.builds(lambda n: Float("p", 0, n * 0.25, step=0.25), st.integers(0, 9)),
        st.just(Choice("p", ["a", "b"])),
        st.just(Bool("p")),
    ),
    st.integers(0, 99),
)
def test_what_is_drawn_is_inside_and_plain(param: Int | Float | Choice | Bool, seed: int):
    value = param.sample(np.random.default_rng(seed))
    assert param.contains(value)
    assert type(value) in (bool, int, float, str)
    assert param.contains(param.first) and param.contains(param.last)


def test_log_draws_are_uniform_in_the_logarithm():
    rng = np.random.default_rng(0)
    drawn = np.array([Float("lr", 1e-4, 1e-2, log=True).sample(rng) for _ in range(2000)])
    assert 0.45 < (drawn < 1e-3).mean() < 0.55
    ints = np.array([Int("n", 1, 99, log=True).sample(rng) for _ in range(2000)])
    assert 0.45 < (ints < 10).mean() < 0.55
    assert {1, 99} <= set(ints.tolist())


def test_types_are_strict():
    assert not Int("p", 0, 4).contains(True)
    assert not Int("p", 0, 4).contains(2.0)
    assert not Float("p", 0, 4).contains(2)
    assert not Float("p", 0, 4).contains(float("nan"))
    assert not Bool("p").contains(1)
    assert not Choice("p", [1, 2]).contains(1.0)
    assert not Choice("p", [1, 2]).contains(True)
    assert not Float("p", 0.0, 1.0, step=0.1).contains(0.1 + 0.2)


def test_a_choice_of_mixed_numbers_holds_floats():
    assert Choice("p", [0, 0.5]).choices == (0.0, 0.5)
    assert all(type(v) is float for v in Choice("p", [0, 0.5]).choices)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: Int("p", 5, 4), "high: 4 is below low, 5"),
        (lambda: Int("p", 1, 4, step=2), "high: 4 is not low plus a whole number of steps of 2; 3 or 5 is"),
        (lambda: Int("p", 0, 4, log=True), "low: 0 has no logarithm"),
        (lambda: Int("p", 1, 9, step=2, log=True), "step: stands beside log, which Optuna refuses"),
        (lambda: Int("p", 1, 4.0), "high: 4.0 is not a whole number"),
        (lambda: Int("p", True, 4), "low: True is not a whole number"),
        (lambda: Int("p", 1, 4, step=0), "step: 0 is not above 0"),
        (lambda: Float("p", 0, 1, step=0.3), "0.9 or 1.2 is"),
        (lambda: Float("p", 0, 1, step=-0.1), "step: -0.1 is not above 0"),
        (lambda: Float("p", 0, 1, log=True), "low: 0 has no logarithm; give a number above 0"),
        (lambda: Float("p", 0, float("inf")), "high: inf is not a number"),
        (lambda: Float("p", "1e-4", 1), "low: '1e-4' is not a number but a text; take the quotes away"),
        (lambda: Float("p", 0, 1, log="yes"), "log: 'yes' is not true or false"),
        (lambda: Choice("p", []), "values: [] is not a list"),
        (lambda: Choice("p", "abc"), "values: 'abc' is not a list"),
        (lambda: Choice("p", [1, "a"]), "mixes texts and numbers"),
        (lambda: Choice("p", [True, False]), "type bool"),
        (lambda: Choice("p", [1, 1.0]), "stands there twice"),
        (lambda: Choice("p", [None]), "must hold texts or numbers only"),
        (lambda: Bool("p", when={}), "when: {} must name one parent"),
        (lambda: Bool("p", when={"a": [1], "b": [2]}), "must name one parent"),
        (lambda: Bool("p", when={"a": []}), "when.a: [] is not a list of plain values"),
        (lambda: Bool("p", when=["a"]), "must name one parent"),
    ],
)
def test_what_is_not_legal_says_so(make: object, wanted: str):
    assert any(wanted in line for line in details(make)), details(make)


def test_all_faults_of_a_parameter_come_at_once():
    assert len(details(lambda: Int("p", "a", "b", when={}))) == 3


@pytest.mark.parametrize(
    "param",
    [
        Int("p", 1, 9, step=2),
        Int("p", 1, 9, log=True),
        Float("p", 0.1, 0.5, step=0.1),
        Float("p", 1e-5, 1.0, log=True),
        Float("p", 0.0, 1.0),
        Choice("p", ["a", "b"]),
        Choice("p", [1, 2]),
        Bool("p"),
    ],
)
def test_a_parameter_comes_back_from_what_it_writes(param: Int | Float | Choice | Bool):
    space = Space("s", [param])
    assert Space.from_dict(space.to_dict()).params == (param,)
    assert param.text
