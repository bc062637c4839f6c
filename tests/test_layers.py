"""Imports point down, third-party names stay behind their fences, and nothing heavy is on the way to help."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fertune"

# From the ground up; a room imports lower ones only, and the siblings named below.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "files", "_version"),
    ("trial",),
    ("space", "data", "folds", "predictions", "evaluation", "config"),
    ("searchers", "execution", "training", "models", "store"),
    ("searching", "stacking", "bundles"),
    ("report", "console", "testing", "watching", "exports", "checkup"),
    ("api",),
    ("cli", "sklearn"),
    ("__init__", "__main__"),
)
SIBLINGS = {("data", "folds"), ("training", "models"), ("stacking", "searching"), ("bundles", "stacking")}
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

# Where each third-party name may be imported; a folder ends in a slash.
FENCES: dict[str, tuple[str, ...]] = {
    "optuna": ("searchers/optuna.py", "report/importance.py", "exports/optuna.py"),
    "sqlalchemy": ("exports/optuna.py",),
    "tensorboard": ("watching/curves.py",),
    "keras_tuner": ("searchers/keras_tuner.py",),
    "keras": ("models/", "training/", "api/runs.py"),
    "tensorflow": ("models/",),
    "h5py": ("training/",),
    "jax": ("models/", "training/", "execution/worker.py"),
    "jinja2": ("report/",),
    "markupsafe": ("report/",),
    "matplotlib": ("report/",),
    "seaborn": ("report/",),
    "rich": ("console/",),
    "xgboost": ("stacking/meta/",),
    "skops": ("stacking/meta/",),
    "sklearn": ("stacking/meta/", "data/", "sklearn/"),
    "threadpoolctl": ("searchers/bayesian.py", "stacking/meta/"),
    "scipy": ("evaluation/", "report/"),
    "pandas": ("api/", "bundles/", "data/", "report/"),
    "PIL": ("bundles/", "data/", "report/"),
    "ray": ("execution/ray.py", "execution/ray_agent.py", "execution/ray_start.py"),
    "cloudpickle": ("api/", "models/"),
    "filelock": ("store/", "data/"),
    "platformdirs": ("data/", "execution/split.py"),
    "psutil": ("execution/", "training/", "watching/", "checkup/", "data/sources/headers.py"),
    "pytest": ("testing/",),
    "yaml": ("config.py", "space/"),
}
FREE = {"numpy", "fertune"}
TYPES_ONLY = {("keras", "api/runs.py")}
NEVER = {"pickle", "dill", "joblib", "shelve", "marshal", "fcntl", "torch", "six"}
"""No pickle in the house; ``multiprocessing.connection`` does its own between parent and child. No POSIX-only locks."""
HEAVY = {
    "tensorflow",
    "keras",
    "keras_tuner",
    "optuna",
    "sklearn",
    "pandas",
    "matplotlib",
    "seaborn",
    "xgboost",
    "rich",
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST, here: str = "") -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every import, those inside functions and ``if TYPE_CHECKING`` too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise AssertionError(f"{here}:{node.lineno}: a relative import")
            # `from fertune import report` names a room, so each name counts as a module of its own
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value, node.lineno


def for_types_only(tree: ast.AST) -> set[int]:
    """Lines inside ``if TYPE_CHECKING``."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in node.body
        for line in range(child.lineno, (child.end_lineno or child.lineno) + 1)
    }


def upward(path: Path, source: str) -> list[str]:
    room = room_of(path)
    found = []
    for name, line in imported(ast.parse(source), place(path)):
        parts = name.split(".")
        if parts[0] != "fertune" or len(parts) < 2 or parts[1] == room or parts[1] not in RANK:
            continue
        if RANK[parts[1]] >= RANK[room] and (room, parts[1]) not in SIBLINGS:
            found.append(f"{place(path)}:{line}: {room} must not import {parts[1]}")
    return found


def outside_fence(path: Path, source: str) -> list[str]:
    tree = ast.parse(source)
    types = for_types_only(tree)
    found = []
    for name, line in imported(tree, place(path)):
        top = name.split(".")[0]
        if top in NEVER:
            found.append(f"{place(path)}:{line}: {top} is not for this house")
        elif top in sys.stdlib_module_names or top in FREE:
            continue
        elif top not in FENCES:
            found.append(f"{place(path)}:{line}: {top} has no fence; say in tests/test_layers.py where it may stand")
        elif not any(
            place(path) == gate or gate.endswith("/") and place(path).startswith(gate) for gate in FENCES[top]
        ):
            found.append(f"{place(path)}:{line}: {top} belongs in {', '.join(FENCES[top])}")
        elif (top, place(path)) in TYPES_ONLY and line not in types:
            found.append(f"{place(path)}:{line}: {top} stands here for types only")
    return found


def test_every_room_has_its_layer() -> None:
    rooms = {room_of(path) for path in modules()}
    assert rooms <= set(RANK), f"no layer for {sorted(rooms - set(RANK))}: add it to LAYERS"


def test_imports_point_down() -> None:
    assert [fault for path in modules() for fault in upward(path, path.read_text("utf-8"))] == []


def test_third_party_names_stay_behind_their_fences() -> None:
    assert [fault for path in modules() for fault in outside_fence(path, path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("where", "source", "says"),
    [
        ("trial/x.py", "from fertune.space import Space", "trial must not import space"),
        ("space/x.py", "from fertune.data import audit", "space must not import data"),
        ("store/x.py", "def f():\n    import fertune.searching", "store must not import searching"),
        ("searching/x.py", "if TYPE_CHECKING:\n    from fertune import api", "searching must not import api"),
        ("searching/x.py", "from fertune.stacking import x", "searching must not import stacking"),
        ("report/x.py", "import importlib\nimportlib.import_module('fertune.api')", "report must not import api"),
    ],
)
def test_the_direction_test_can_fail(where: str, source: str, says: str) -> None:
    faults = upward(PACKAGE / where, source)
    assert len(faults) == 1 and faults[0].endswith(says)


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("searching/x.py", "import optuna"),
        ("searchers/x.py", "from keras_tuner import oracles"),
        ("store/x.py", "import keras.ops"),
        ("cli/x.py", "from rich import print"),
        ("report/x.py", "import xgboost"),
        ("evaluation/x.py", "import sklearn.metrics"),
        ("store/x.py", "import pickle"),
        ("space/x.py", "import requests"),
        ("searching/x.py", "import cloudpickle"),
        ("api/x.py", "def f():\n    from keras import Model"),
        ("api/runs.py", "import keras"),
        ("stacking/x.py", "__import__('tensorflow')"),
    ],
)
def test_the_fence_test_can_fail(where: str, source: str) -> None:
    assert len(outside_fence(PACKAGE / where, source)) == 1


def test_no_relative_import_and_no_pickled_array() -> None:
    with pytest.raises(AssertionError):
        list(imported(ast.parse("from . import x")))
    for path in modules():
        assert "allow_pickle=True" not in path.read_text("utf-8"), place(path)


def test_no_module_is_over_400_lines() -> None:
    long = {place(p): n for p in modules() if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert long == {}


def loaded_by(code: str, cwd: Path) -> set[str]:
    """Heavy modules that a fresh process has loaded after ``code``."""
    script = f"import sys\n{code}\nprint(' '.join(sorted({HEAVY!r} & set(sys.modules))), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=cwd)
    return set(done.stderr.split())


def test_importing_fertune_imports_nothing_heavy(tmp_path: Path) -> None:
    assert loaded_by("import fertune; fertune.Space; fertune.FertuneError", tmp_path) == set()


def test_importing_the_api_imports_no_engine(tmp_path: Path) -> None:
    engines = {"tensorflow", "keras", "keras_tuner", "optuna"}
    assert loaded_by("import fertune; fertune.search; fertune.stack; fertune.open_run", tmp_path) & engines == set()


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"], ["stack", "--help"]])
def test_help_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        f"sys.argv = ['fertune', *{words!r}]\nfrom fertune.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert loaded_by(code, tmp_path) == set()


def best_of(words: list[str], cwd: Path, runs: int = 5) -> float:
    """Median seconds of a command."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True, cwd=cwd)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


@pytest.mark.slow
def test_help_answers_within_half_a_second_of_bare_python(tmp_path: Path) -> None:
    bare = best_of([sys.executable, "-c", "pass"], tmp_path)
    assert best_of([sys.executable, "-m", "fertune", "--help"], tmp_path) - bare < 0.5
