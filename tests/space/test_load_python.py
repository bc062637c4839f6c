"""A space from a Python file, with the user's own build function."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

from fertune.errors import SpaceError
from fertune.space import Setting, load_space

GOOD = """
from __future__ import annotations
from dataclasses import dataclass
from fertune.space import Bool, Int, Space

FACTOR = 10

@dataclass
class Made:
    width: int

def helper(width):
    return Made(width * FACTOR)

def build(params, input_shape, n_classes):
    return helper(params["width"])

space = Space("mine", [Int("width", 1, 4), Bool("odd")], build=build)
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my_space.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_is_found_with_its_source_and_build(tmp_path: Path):
    space = load_space(write(tmp_path, GOOD), settings={})
    assert space.name == "mine" and space.model == "custom" and space.source == GOOD
    assert space.build is not None and space.build({"width": 3}, (8, 8, 1), 2).width == 30


def test_its_build_travels_to_a_process_that_has_no_such_file(tmp_path: Path):
    path = write(tmp_path, GOOD)
    pickled = tmp_path / "build.bin"
    pickled.write_bytes(cloudpickle.dumps(load_space(path).build))
    path.unlink()
    code = f"import pickle; print(pickle.load(open({str(pickled)!r}, 'rb'))({{'width': 3}}, None, None).width)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "30\n"


def test_two_files_of_one_name_are_two_modules(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = load_space(write(tmp_path / "a", GOOD))
    other = load_space(write(tmp_path / "b", GOOD.replace("FACTOR = 10", "FACTOR = 2")))
    assert one.build({"width": 1}, None, None).width == 10  # type: ignore[misc]
    assert other.build({"width": 1}, None, None).width == 2  # type: ignore[misc]
    assert not [name for name in sys.modules if name.startswith("fertune_space_")]


def test_one_space_under_two_names_counts_once_and_space_wins_among_many(tmp_path: Path):
    head = "from fertune.space import Bool, Space\n"
    assert load_space(write(tmp_path, head + "a = b = Space('x', [Bool('p')])")).name == "x"
    two = head + "first = Space('x', [Bool('p')])\n"
    assert load_space(write(tmp_path, two + "space = Space('y', [Bool('p')])")).name == "y"
    with pytest.raises(SpaceError, match="makes 2 spaces: first, second") as caught:
        load_space(write(tmp_path, two + "second = Space('y', [Bool('p')])"))
    assert caught.value.help == "call the one to search 'space'"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x = 1\n", "makes no Space"),
        ("x = 1\ny = 1 / 0\n", "my_space.py: line 2: ZeroDivisionError"),
        ("x = (\n", "my_space.py: line 1: SyntaxError"),
        ("import no_such_module_here\n", "line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "line 1: SystemExit"),
        ("from fertune.space import Int, Space\ns = Space('s', [Int('a', 3, 1)])", "high: 1 is below low, 3"),
    ],
)
def test_what_goes_wrong_in_it_is_told_with_its_line(tmp_path: Path, text: str, wanted: str):
    with pytest.raises(SpaceError) as caught:
        load_space(write(tmp_path, text))
    assert wanted in str(caught.value)


def test_names_are_free_beside_a_build_but_the_recipe_is_checked(tmp_path: Path):
    known = {"width": Setting("width", "float", 0.0, 0.0, 0.5), "batch_size": Setting("batch_size", "int", 8, 1, 64)}
    assert load_space(write(tmp_path, GOOD), settings=known).names == ("width", "odd")
    wrong = GOOD.replace("build=build", "build=build, recipe={'batchsize': 3, 'batch_size': 99}")
    with pytest.raises(SpaceError) as caught:
        load_space(write(tmp_path, wrong), settings=known)
    assert len(caught.value.details) == 2
    without = GOOD.replace(", build=build", "")
    with pytest.raises(SpaceError) as caught:
        load_space(write(tmp_path, without), settings=known)
    (line,) = (d for d in caught.value.details if "width" in d)
    assert line == "my_space.py: params.width.type: width is a number with a fraction; write 'type: float'"
