"""``start`` of a space, and spaces narrowed by ``--set`` and ``--range``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fertune.api.spaces import find_space, narrowed_space
from fertune.cli.parser import make_parser
from fertune.errors import SpaceError
from fertune.space import Bool, Choice, Float, Int, Space
from fertune.space.narrow import narrow
from fertune.space.parse import read_parts
from fertune.space.ranges import read_range, read_value

SPACE = Space(
    "s",
    [
        Int("blocks", 2, 5),
        Float("dropout", 0.0, 0.5, step=0.1),
        Choice("filters_3", [64, 128], {"blocks": [3, 4, 5]}),
        Choice("filters_5", [64, 128], {"blocks": [5]}),
        Bool("augment"),
        Float("rotation", 0.0, 0.1, when={"augment": [True]}),
        Float("learning_rate", 1e-4, 1e-2, log=True),
    ],
    fixed={"pooling": "average"},
    recipe={"batch_size": 64},
)


def faults_of(start: Any) -> list[str]:
    given = {**SPACE.to_dict(), "start": start}
    return read_parts(given).faults


def test_start_is_kept_and_changes_the_fingerprint_only_where_there_is_one():
    started = replace(SPACE, start=[{"blocks": 3, "filters_3": 64}, {"dropout": 0}])
    assert started.start[1] == {"dropout": 0.0} and type(started.start[1]["dropout"]) is float
    assert "start" not in SPACE.to_dict() and started.fingerprint != SPACE.fingerprint
    assert Space.from_dict(started.to_dict()) == started
    assert Space.from_dict(started.to_dict()).fingerprint == started.fingerprint
    assert find_space("leaky_cnn").fingerprint == Space.from_dict(find_space("leaky_cnn").to_dict()).fingerprint


def test_all_faults_of_start_are_told_with_their_path():
    assert faults_of([{"droput": 0.1}, {"dropout": 0.7, "blocks": 2, "filters_3": 64}, {"filters_5": 64}, 3, {}]) == [
        "start[0].droput: is no parameter; did you mean 'dropout'?",
        "start[1].dropout: 0.7 is not in 0 to 0.5",
        "start[1].filters_3: is inactive while blocks is 2; active where it is 3 or 4 or 5",
        "start[2].filters_5: needs blocks beside it; active where blocks is 5",
        "start[3]: 3 is not a mapping of parameters to values",
        "start[4]: names no parameter",
    ]
    assert faults_of([{"pooling": "flatten"}]) == ["start[0].pooling: is fixed, not a parameter"]
    assert faults_of([{"blocks": 2}, {"blocks": 2}]) == ["start[1]: is the same as start[0]"]
    assert faults_of({"blocks": 2})[0].startswith("start: {'blocks': 2} is not a list")
    assert faults_of([{"rotation": 0.1}])[0].endswith("active where augment is true")
    with pytest.raises(SpaceError) as caught:
        replace(SPACE, start=[{"blocks": 9}])
    assert caught.value.details == ("start[0].blocks: 9 is not in 2 to 5",)


def test_a_broken_parameter_is_not_told_twice():
    given = {**SPACE.to_dict(), "start": [{"blocks": 3}]}
    given["params"] = {**given["params"], "blocks": {"type": "int", "low": 5, "high": 2}}
    assert [f for f in read_parts(given).faults if f.startswith("start")] == []


def test_set_fixes_and_frees_what_hung_on_it():
    space, notes = narrowed_space(SPACE, {"blocks": "3", "batch_size": "32"}, None)
    assert "blocks" not in space.names and space.fixed["blocks"] == 3 and space.recipe["batch_size"] == 32
    assert space["filters_3"].when is None and "filters_5" not in space.names
    assert notes == ["filters_5 is left out: it can never be active beside the other values"]
    assert space.name == "s" and space.fingerprint != SPACE.fingerprint
    chain = Space("c", [Int("a", 1, 2), Choice("b", [1, 2], {"a": [2]}), Choice("c", ["x", "y"], {"b": [2]})])
    assert chain.narrowed(set={"b": 2})["c"].when == {"a": (2,)}
    off = SPACE.narrowed(set={"augment": False})
    assert "rotation" not in off.names and off.fixed["augment"] is False
    assert SPACE.narrowed(set={"dropout": 0}).fixed["dropout"] == 0.0


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("3..4", "3 to 4"), ((3, 4), "3 to 4"), ("2..6", "2 to 6"), ("2,4", "one of 2, 4"), ([2, 4], "one of 2, 4"),
        ("2..4:2", "2 to 4, step 2"), ("2..5:log", "2 to 5, log"),
    ],
)  # fmt: skip
def test_ranges_replace_a_range(asked: Any, text: str):
    space, _ = narrowed_space(SPACE, None, {"blocks": asked})
    assert space["blocks"].text == text


def test_log_step_and_choices_are_kept_or_changed():
    ranged = {"learning_rate": "1e-3..1e-2", "dropout": "0.1..0.3", "filters_3": "100..200"}
    space, _ = narrowed_space(SPACE, None, ranged)
    assert space["learning_rate"].text == "0.001 to 0.01, log" and space["dropout"].text == "0.1 to 0.3, step 0.1"
    assert list(space["filters_3"].values()) == [128] and space["filters_3"].when == {"blocks": (3, 4, 5)}
    linear, _ = narrowed_space(SPACE, None, {"learning_rate": "1e-3..1e-2:linear"})
    assert linear["learning_rate"].text == "0.001 to 0.01"
    narrow_blocks, notes = narrowed_space(SPACE, None, {"blocks": "3..4"})
    assert narrow_blocks["filters_3"].when == {"blocks": (3, 4)} and "filters_5" not in narrow_blocks.names and notes


def test_all_faults_of_set_and_range_at_once():
    with pytest.raises(SpaceError) as caught:
        narrowed_space(
            SPACE,
            {"droput": "0.3", "dropout": "1.4", "pooling": "maximal"},
            {"dropout": "0..1", "block": "2..3", "blocks": "2..9", "pooling": "a,b", "augment": "true,false",
             "rotation": "x", "filters_3": "1..2", "learning_rate": "0..1"},
        )  # fmt: skip
    lines = caught.value.details
    for wanted in (
        "--range dropout: is in --set too",
        "--set droput: space 's' knows no 'droput'; did you mean 'dropout'?",
        "--set dropout: 1.4 is above 0.9, the largest legal value of dropout",
        "--set pooling: 'maximal' is not one of flatten, average",
        "--range block: space 's' has no parameter 'block'; did you mean 'blocks'?",
        "--range blocks: 9 is above 6, the largest legal value of blocks",
        "--range pooling: is fixed in space 's'; --set pooling=... changes it",
        "--range augment: is true or false; --set augment=true fixes it",
        "--range rotation: 'x' is not a number",
        "--range filters_3: none of 64, 128 is in 1 to 2",
        "--range learning_rate: low: 0 has no logarithm",
    ):
        assert any(line.startswith(wanted) for line in lines), (wanted, lines)


def test_names_of_an_own_model_may_only_be_narrowed():
    own = Space("own", [Int("width", 8, 64), Choice("kind", ["a", "b"])], build=lambda *args: None)
    assert own.narrowed(ranges={"width": (16, 32)})["width"].text == "16 to 32"
    space, _ = narrowed_space(own, {"batch_size": "16", "kind": "b"}, None)
    assert space.settings({"width": 8}) == {"batch_size": 16, "kind": "b", "width": 8} and space.build is own.build
    for ranges in ({"width": (16, 128)}, {"width": "1..9"}, {"kind": "c"}):
        with pytest.raises(SpaceError):
            narrowed_space(own, None, ranges)
    with pytest.raises(SpaceError):
        narrow(own, {"nothing": 1}, {})


def test_start_follows_the_narrowed_space():
    started = replace(SPACE, start=[{"blocks": 2}, {"blocks": 5, "dropout": 0.1}, {"dropout": 0.5}])
    space, notes = narrowed_space(started, {"blocks": "5"}, {"dropout": "0..0.3"})
    assert list(space.start) == [{"dropout": 0.1}]
    assert [n for n in notes if n.startswith("start")] == [
        "start[0] is left out: blocks 2, fixed to 5", "start[2] is left out: dropout: 0.5 is not in 0 to 0.3",
    ]  # fmt: skip


def test_narrowing_twice_is_narrowing_once():
    asked = ({"augment": "true"}, {"blocks": "2..3"})
    once, _ = narrowed_space(SPACE, *asked)
    assert narrowed_space(once, *asked)[0].fingerprint == once.fingerprint
    assert narrowed_space(SPACE, None, None) == (SPACE, [])


@pytest.mark.parametrize("text", ["", "3..", "..4", "a..b", "1..2:", "1..2:loga", ",", "1,2:log", "1..true"])
def test_what_is_no_range(text: str):
    with pytest.raises(SpaceError, match="is no range"):
        read_range(text)
    assert read_value("-1e-3") == -0.001 and read_value("007") == 7 and read_value("1e") == "1e"


def test_the_command_line_takes_them(capsys: pytest.CaptureFixture[str]):
    args = make_parser().parse_args(["search", "--set", "dropout=0.3", "--set", "a = b", "--range", "x=1..2:log"])
    assert args.set == [("dropout", "0.3"), ("a", "b")] and args.ranges == [("x", "1..2:log")]
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(["search", "--set", "dropout"])
    assert caught.value.code == 2 and "'dropout' is not NAME=VALUE" in capsys.readouterr().err


def test_a_range_upside_down_is_told_so() -> None:
    from fertune.errors import SpaceError
    from fertune.space import Choice, Int, Space

    for param in (Int("a", 1, 200), Choice("a", [1, 2, 3])):
        with pytest.raises(SpaceError) as error:
            Space("s", [param]).narrowed(ranges={"a": "128..32"})
        assert "128 is above the high end 32" in str(error.value)
