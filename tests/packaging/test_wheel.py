"""The wheel, installed alone, and an editable install find the shipped spaces from any folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LOOK = """
import importlib.util, fertune, fertune.search_spaces
from fertune.space import load_space, shipped_spaces
print(fertune.__file__)
print(*shipped_spaces())
print(importlib.util.find_spec("search_spaces"))
print(len(load_space("leaky_cnn").params) > 3)
"""


def run(*words: str | Path, cwd: Path) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run([str(w) for w in words], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(*words: str | Path, cwd: Path) -> None:
    run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words, cwd=cwd)


def copy_of_tree(to: Path) -> Path:
    """What a fresh clone holds, so that nothing is built inside this one."""
    for name in ("fertune", "search_spaces"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, to / name)
    return to


def environment(at: Path) -> Path:
    """A fresh environment that sees the dependencies of this one, but not its fertune; returns its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", at, cwd=at.parent)
    python = at / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=at.parent).strip())
    # a path in a .pth file is searched, but its own .pth files (an editable fertune) are not read
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    tree = copy_of_tree(folder / "tree")
    pip("wheel", "--no-deps", "--wheel-dir", folder, tree, cwd=folder)
    return next(folder.glob("fertune-*.whl"))


def test_the_wheel_holds_what_it_should_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        entry = next(n for n in names if n.endswith("entry_points.txt"))
        assert "fertune = fertune.cli:main" in file.read(entry).decode()
    assert {n.split("/")[0] for n in names} == {"fertune", wheel.name.split("-py3")[0] + ".dist-info"}
    source = {
        f"fertune/{p.relative_to(ROOT / 'fertune').as_posix()}"
        for p in (ROOT / "fertune").rglob("*")
        if p.is_file() and p.suffix != ".pyc"
    }
    spaces = {f"fertune/search_spaces/{p.name}" for p in (ROOT / "search_spaces").iterdir() if p.is_file()}
    assert {n for n in names if n.startswith("fertune/")} == source | spaces
    assert "fertune/search_spaces/leaky_cnn.yaml" in names and "fertune/py.typed" in names
    assert any(n.endswith("licenses/LICENSE") for n in names)


def look(python: Path, empty: Path) -> list[str]:
    empty.mkdir()
    lines = run(python, "-c", LOOK, cwd=empty).splitlines()
    assert lines[1:] == ["leaky_cnn relu_cnn", "None", "True"]
    command = python.parent / "fertune"
    assert "leaky_cnn" in run(command, "spaces", "ls", cwd=empty)
    assert "usage: fertune" in run(command, "--help", cwd=empty)
    return lines


def test_the_wheel_alone_finds_its_spaces(wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    pip("--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    assert look(python, tmp_path / "empty")[0].startswith(str(tmp_path / "venv"))


def test_an_editable_install_finds_its_spaces(tmp_path: Path) -> None:
    tree = copy_of_tree(tmp_path / "tree")
    python = environment(tmp_path / "venv")
    pip("--python", python, "install", "--no-deps", "--editable", tree, cwd=tmp_path)
    assert look(python, tmp_path / "empty")[0] == str(tree / "fertune" / "__init__.py")
    (tree / "search_spaces" / "another.yaml").write_text("{}", "utf-8")
    shown = run(python, "-c", "from fertune.space import shipped_spaces; print(*shipped_spaces())", cwd=tmp_path)
    assert shown.split() == ["another", "leaky_cnn", "relu_cnn"], "an edit is seen at once"


def test_a_wheel_made_of_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    copy_of_tree(tree)
    pip("install", "--target", tmp_path / "tools", "setuptools>=77", cwd=tmp_path)
    build = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'tools')!r}); "
        "from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    )
    run(sys.executable, "-c", build, tmp_path, cwd=tree)
    sdist = next(tmp_path.glob("fertune-*.tar.gz"))
    pip("wheel", "--no-deps", "--wheel-dir", tmp_path / "made", sdist, cwd=tmp_path)
    made = next((tmp_path / "made").glob("fertune-*.whl"))

    def names(path: Path) -> set[str]:
        with zipfile.ZipFile(path) as file:
            return {name for name in file.namelist() if ".dist-info/" not in name}

    assert names(made) == names(wheel)
