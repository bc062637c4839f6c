"""setup.cfg says what the tree is: packages, data, dependencies, and extras."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from fertune._version import __version__

ROOT = Path(__file__).resolve().parents[2]

# module -> distribution, where the two differ
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn", "keras_tuner": "keras-tuner"}
ENGINE_ROOM = {
    "tensorflow": ("tensorflow-cpu", "tensorflow"),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "jax": ("jax",),
    "ray": ("ray",),
    "tensorboard": ("tensorboard",),
}
"""Of extras, not of everybody's."""
OPTIONAL = {"ray": "ray"}  # package -> the extra that brings it
TEST_TOOLS = {"pytest"}
COMES_WITH = {"markupsafe": "jinja2", "sqlalchemy": "optuna", "threadpoolctl": "scikit-learn"}


@pytest.fixture(scope="module")
def config() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def lines(config: configparser.ConfigParser, section: str, option: str) -> list[str]:
    return [line.strip() for line in config[section][option].splitlines() if line.strip()]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[ ;]", line)[0].lower() for line in requirements}


def test_every_package_of_the_tree_is_listed(config: configparser.ConfigParser) -> None:
    tree = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "fertune").rglob("__init__.py")}
    assert set(lines(config, "options", "packages")) == tree | {"fertune.search_spaces"}
    homeless = {p.parent for p in (ROOT / "fertune").rglob("*.py")} - {
        p.parent for p in (ROOT / "fertune").rglob("__init__.py")
    }
    assert homeless == set(), "modules in a folder without __init__.py do not reach the wheel"


def test_every_data_file_is_matched_by_package_data(config: configparser.ConfigParser) -> None:
    shipped: set[Path] = set()
    for package, patterns in config["options.package_data"].items():
        folder = ROOT / ("search_spaces" if package == "fertune.search_spaces" else package.replace(".", "/"))
        for pattern in re.split(r"[,\s]+", patterns.strip()):
            shipped |= set(folder.glob(pattern))
    files = {
        p
        for root in ("fertune", "search_spaces")
        for p in (ROOT / root).rglob("*")
        if p.is_file() and p.suffix not in (".py", ".pyc")
    }
    assert files and files - shipped == set()


def test_every_import_is_declared(config: configparser.ConfigParser) -> None:
    required = names(lines(config, "options", "install_requires"))
    extras = {x: names(lines(config, "options.extras_require", x)) for x in config["options.extras_require"]}
    for path in (ROOT / "fertune").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for top in {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"fertune"}:
                if top in TEST_TOOLS:
                    assert top in names(lines(config, "options.extras_require", "check")), (top, path)
                elif top in OPTIONAL:
                    assert top in names(lines(config, "options.extras_require", OPTIONAL[top])), (top, path)
                elif top in ENGINE_ROOM:
                    assert any(name in extra for name in ENGINE_ROOM[top] for extra in extras.values()), (top, path)
                else:
                    assert COMES_WITH.get(top, DISTRIBUTIONS.get(top, top)).lower() in required, (top, path)


def test_extras_choose_the_engine_room(config: configparser.ConfigParser) -> None:
    extra = {name: lines(config, "options.extras_require", name) for name in config["options.extras_require"]}
    assert names(extra["cpu"]) == {"tensorflow-cpu", "xgboost-cpu"}
    assert names(extra["gpu"]) == {"tensorflow", "xgboost"} and extra["gpu"][0].startswith("tensorflow[and-cuda]")
    assert names(extra["jax"]) == {"jax", "xgboost-cpu"}
    assert extra["test"] == ["fertune[cpu,check]"] and extra["dev"][0] == "fertune[test,lint]"


def test_what_is_installed_here_is_new_enough(config: configparser.ConfigParser) -> None:
    for line in lines(config, "options", "install_requires"):
        name, least = re.match(r"([\w-]+)>=([\d.]+)", line).groups()  # type: ignore[union-attr]
        have = importlib.metadata.version(name)

        def numbers(version: str) -> list[int]:
            return [int(n) for n in re.findall(r"\d+", version)[:3]]

        assert numbers(have) >= numbers(least), line


def test_the_version_is_written_once(config: configparser.ConfigParser) -> None:
    assert config["metadata"]["version"] == "attr: fertune._version.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert __version__ in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_files_of_a_project_are_there() -> None:
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", ".ci/run"):
        assert (ROOT / name).stat().st_size > 0, name
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100, "the check can be run"
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert len((ROOT / "LICENSE").read_text("utf-8").splitlines()) > 200
