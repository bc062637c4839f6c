"""The page of the command line, written from the parser itself; and the hook by which mkdocs asks for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

PAGE = "reference/cli.md"
HEAD = """# Command line

Every command with its options, as `fertune COMMAND --help` prints them. Commands that write something print where;
`--json` prints one document on standard output and everything else on standard error.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | everything that was to be trained failed |
| 2 | bad input, options or data, or a run that another process holds; nothing was written |
| 70 | a bug in fertune, told with its traceback; finished trials are safe |
| 130, 143 | Ctrl-C, SIGTERM; every finished trial is kept |
"""


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Name -> parser of the commands one level below; empty where there are none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for told in action._choices_actions:
                child = action.choices[told.dest]
                child.description = child.description or told.help
            return dict(action.choices)
    return {}


def _sentence(text: str | None) -> str:
    text = (text or "").strip()
    return text[:1].upper() + text[1:] + "."


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _rows(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)):
            continue
        if action.choices is not None and action.metavar is None:
            value = "\\|".join(str(c) for c in action.choices)
        else:
            value = str(action.metavar or action.dest.upper())
        if not action.option_strings:
            word = f"`{_escaped(value)}`"
        elif action.nargs == 0:
            word = f"`{', '.join(action.option_strings)}`"
        else:
            word = f"`{', '.join(action.option_strings)} {value}`"
        yield f"| {word} | {_escaped((action.help or '') % vars(action))} |"


def _section(words: str, parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} {words}\n"
    yield _sentence(parser.description)
    below = subcommands(parser)
    rows = list(_rows(parser))
    if rows:
        yield "\n| option | meaning |\n|---|---|"
        yield from rows
    if parser.epilog and parser.epilog.startswith("examples:"):
        yield "\nExamples:\n\n```sh"
        yield from (line.strip() for line in parser.epilog.splitlines()[1:] if line.strip())
        yield "```"
    for name, child in below.items():
        yield from _section(f"{words} {name}", child, level + 1)


def cli_page() -> str:
    """Markdown of the whole command line."""
    from fertune.cli.parser import make_parser

    parser = make_parser()
    lines = [HEAD, "\n| command | what it does |\n|---|---|"]
    for name, child in subcommands(parser).items():
        lines.append(f"| [`{name}`](#fertune-{name}) | {_escaped(child.description or '')} |")
    for name, child in subcommands(parser).items():
        lines += _section(f"fertune {name}", child, 2)
    return "\n".join(lines) + "\n"


def on_files(files: Any, config: Any) -> Any:
    """mkdocs' hook: the page joins the others; it is in no commit, so it cannot go stale."""
    from mkdocs.structure.files import File

    files.append(File.generated(config, PAGE, content=cli_page()))
    return files
