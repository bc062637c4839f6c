"""What a setting accepts and how it says no."""

from __future__ import annotations

import pytest

from fertune.space import Setting

DROPOUT = Setting("dropout", "float", 0.2, 0.0, 0.9)
BLOCKS = Setting("blocks", "int", 3, 1)
FLIP = Setting("flip", "bool", True)
POOLING = Setting("pooling", "choice", "flatten", choices=("flatten", "average"))


@pytest.mark.parametrize(
    ("setting", "value"), [(DROPOUT, 0.9), (DROPOUT, 0), (BLOCKS, 99), (FLIP, False), (POOLING, "average")]
)
def test_legal(setting: Setting, value: object):
    assert setting.fault(value) is None


@pytest.mark.parametrize(
    ("setting", "value", "wanted"),
    [
        (DROPOUT, 1.4, "1.4 is above 0.9, the largest legal value of dropout"),
        (DROPOUT, -1, "-1 is below 0"),
        (DROPOUT, True, "True is not a number"),
        (DROPOUT, "0.1", "'0.1' is not a number"),
        (DROPOUT, float("nan"), "nan is not a number"),
        (BLOCKS, 0, "0 is below 1"),
        (BLOCKS, 2.0, "2.0 is not a whole number"),
        (FLIP, 1, "1 is not true or false"),
        (POOLING, "max", "'max' is not one of flatten, average"),
    ],
)
def test_not_legal(setting: Setting, value: object, wanted: str):
    fault = setting.fault(value)
    assert fault is not None and fault.startswith(wanted)


def test_legal_values_for_people():
    assert [s.legal for s in (DROPOUT, BLOCKS, FLIP, POOLING)] == [
        "0 to 0.9",
        "at least 1",
        "true or false",
        "one of flatten, average",
    ]


def test_a_whole_number_becomes_a_float_only_for_a_float():
    assert type(DROPOUT.coerce(0)) is float
    assert type(BLOCKS.coerce(2)) is int
    assert FLIP.coerce(True) is True
