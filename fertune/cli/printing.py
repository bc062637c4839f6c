"""What the functions of several commands share: who watches, and what is printed at the end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fertune.console import choose_console
from fertune.searching.observer import Observer
from fertune.store import open_record

NOT_KEYWORDS = ("command", "version", "json", "quiet", "run_command")


def keywords(args: argparse.Namespace, *leave: str) -> dict[str, Any]:
    """The options of a command as keywords of its function."""
    return {k: v for k, v in vars(args).items() if k not in (*NOT_KEYWORDS, *leave)}


@contextmanager
def watching(args: argparse.Namespace) -> Iterator[Observer]:
    """The console for this command, closed at the end."""
    observer = choose_console(json=args.json, quiet=args.quiet, stdout=sys.stdout, stderr=sys.stderr)
    try:
        yield observer
    finally:
        observer.close()


def print_json(document: Mapping[str, Any]) -> None:
    """The one document on stdout."""
    print(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))


def print_run(args: argparse.Namespace, path: Path) -> None:
    """At the end of a run: its document, or its path, or nothing, since the console has told it."""
    if args.json:
        print_json(open_record(path).to_json())
    elif args.quiet:
        print(path)


def print_path(args: argparse.Namespace, kind: str, path: Path) -> None:
    """The path of a file that a command wrote."""
    if args.json:
        print_json({"kind": kind, "path": str(path)})
    else:
        print(path)


def print_what_there_is(args: argparse.Namespace, run: Path | None) -> None:
    """With ``--json``: the document of a run that failed or was cut off, since it is there to be read."""
    if run is not None and getattr(args, "json", False):
        print_json(open_record(run).to_json())
