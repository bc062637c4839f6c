"""docs/spaces.md names every key and every setting, and its examples are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fertune.errors import SpaceError
from fertune.models.catalog import FAMILIES
from fertune.space import Setting, load_space
from fertune.space.parse import COMMON, KEYS, PARAM_KEYS
from fertune.training.recipe import RECIPE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "spaces.md").read_text(encoding="utf-8")
SETTINGS = (*FAMILIES["conv"].settings, *RECIPE)


def known(model: str) -> dict[str, Setting] | None:
    return {s.name: s for s in SETTINGS} if model == "conv" else None


def code(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return str(block)


def test_every_key_is_explained():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {*KEYS, *COMMON, *(k for keys in PARAM_KEYS.values() for k in keys)} <= named
    assert set(PARAM_KEYS) <= {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_setting_stands_there_with_its_range_and_default():
    def row(s: Setting) -> str:
        default = str(s.default).lower() if isinstance(s.default, bool) else s.default
        return f"| `{s.name}` | {s.legal} | {default} |"

    missing = [row(s) for s in SETTINGS if row(s) not in PAGE]
    assert missing == [], "docs/spaces.md lacks these rows"
    known = {s.name for s in SETTINGS}
    part = PAGE[PAGE.index("## Settings") : PAGE.index("## How the YAML is read")]
    assert set(re.findall(r"^\| `(\w+)` \|", part, re.M)) == known, "docs/spaces.md has a row too many"


def test_the_example_is_legal(tmp_path: Path):
    path = tmp_path / "my_space.yaml"
    path.write_text(code("yaml"), encoding="utf-8")
    space = load_space(path, settings=known)
    assert space.name == "my_space" and len(space.params) == 9


def test_the_faults_are_as_shown(tmp_path: Path):
    path = tmp_path / "my_space.yaml"
    path.write_text(
        code("yaml").replace("high: 0.5, step: 0.1}", "high: 1.4, step: 0.1}")
        + "  droput: {type: float, low: 0.0, high: 0.5}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpaceError) as caught:
        load_space(path, settings=known)
    assert "\n".join(f"    {line}" for line in str(caught.value).splitlines()) in PAGE


def test_the_python_example_is_a_space(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text(code("python"), encoding="utf-8")
    space = load_space(path, settings=known)
    assert space.name == "mine" and space.model == "custom" and space.build is not None
