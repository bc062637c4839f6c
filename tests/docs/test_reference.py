"""What the pages say of commands, options, names and extras exists, and nothing that exists is missing."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import fertune as ft
from fertune.cli.parser import make_parser
from tests.docs.pages import ROOT, RUNNABLE, SHOWN, blocks, commands, pages

BLOCKS = [block for page in pages() for block in blocks(page)]


def cli_page() -> str:
    spec = importlib.util.spec_from_file_location("cli_page", ROOT / "docs" / "hooks" / "cli_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.cli_page())


def leaves(parser, words: str = "fertune"):
    """(words, parser) of each command that takes options."""
    below = next((a.choices for a in parser._actions if a.dest in ("command", "verb") and a.choices), None)
    if below is None:
        yield words, parser
        return
    for name, child in below.items():
        yield from leaves(child, f"{words} {name}")


def test_the_page_of_the_command_line_has_every_command_and_option() -> None:
    page = cli_page()
    for words, parser in leaves(make_parser()):
        heading = re.search(rf"^#+ {re.escape(words)}\n", page, re.M)
        assert heading, words
        part = re.split(r"^#+ ", page[heading.end() :], maxsplit=1, flags=re.M)[0]
        for action in parser._actions:
            for flag in action.option_strings:
                if flag not in ("-h", "--help"):
                    assert re.search(rf"(?<![\w-]){flag}(?![\w-])", part), (words, flag)


def test_every_option_says_what_it_does() -> None:
    silent = [
        (words, action.dest)
        for words, parser in leaves(make_parser())
        for action in parser._actions
        if action.option_strings and not action.help
    ]
    assert silent == []


def test_every_public_name_stands_on_the_page_of_python() -> None:
    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
    told = {line.rpartition(".")[2] for line in re.findall(r"^::: (\S+)$", page, re.M)}
    assert set(ft.__all__) == told


@pytest.mark.parametrize("name", ft.__all__)
def test_every_public_name_has_a_docstring(name: str) -> None:
    assert (getattr(ft, name).__doc__ or "").strip(), name


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.where)
def test_blocks_are_in_a_known_language(block) -> None:
    assert block.language in (*RUNNABLE, *SHOWN)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=lambda b: b.where)
def test_python_blocks_are_python(block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=lambda b: b.where)
def test_commands_are_ones_that_the_parser_takes(block) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for line in commands(block.text):
        words = shlex.split(line)
        if words[0] == "fertune":
            make_parser().parse_args(words[1:])
        elif words[0] == "make":
            assert set(words[1:]) <= targets, line
        elif words[:2] == ["pip", "install"]:
            for name in re.findall(r"fertune\[([\w,]+)\]", line):
                assert set(name.split(",")) <= set(setup["options.extras_require"]), line
        else:
            assert words[0] in ("export", "rsync"), f"{block.where}: {line}"


def test_every_page_stands_in_the_navigation() -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("tag:", lambda *a: None)
    nav = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)["nav"]

    def files(entry) -> set[str]:
        if isinstance(entry, str):
            return {entry}
        return set().union(*(files(e) for e in (entry.values() if isinstance(entry, dict) else entry)))

    docs = ROOT / "docs"
    assert files(nav) == {p.relative_to(docs).as_posix() for p in docs.rglob("*.md")} | {"reference/cli.md"}


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the site is built with mkdocs")
    pytest.importorskip("mkdocstrings", reason="the site is built with mkdocstrings")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**__import__("os").environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "max_epochs" in (tmp_path / "site" / "reference" / "python" / "index.html").read_text("utf-8")
    assert "--max-epochs" in (tmp_path / "site" / "reference" / "cli" / "index.html").read_text("utf-8")
