"""One function a command: options in, exit code out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fertune import api
from fertune.console import choose_console, show_summary, space_details, spaces_table
from fertune.errors import ConfigError
from fertune.searching.observer import Observer
from fertune.store import open_record


def _keywords(args: argparse.Namespace, *leave: str) -> dict[str, Any]:
    return {k: v for k, v in vars(args).items() if k not in ("command", "version", "json", "quiet", *leave)}


def _observer(args: argparse.Namespace) -> Observer:
    return choose_console(json=args.json, quiet=args.quiet, stdout=sys.stdout, stderr=sys.stderr)


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))


def _done(args: argparse.Namespace, path: Path, observer: Observer) -> int:
    observer.close()
    if args.json:
        _print_json(open_record(path).to_json())
    elif args.quiet:
        print(path)
    return 0


def print_what_there_is(args: argparse.Namespace, run: Path | None) -> None:
    """With ``--json``: the document of a run that failed or was cut off, since it is there to be read."""
    if run is not None and getattr(args, "json", False):
        _print_json(open_record(run).to_json())


def _search(args: argparse.Namespace) -> int:
    observer = _observer(args)
    try:
        run = api.search(**_keywords(args), observer=observer)
    finally:
        observer.close()
    return _done(args, run.path, observer)


def _stack(args: argparse.Namespace) -> int:
    observer = _observer(args)
    try:
        run = api.stack(**_keywords(args), observer=observer)
    finally:
        observer.close()
    return _done(args, run.path, observer)


def _report(args: argparse.Namespace) -> int:
    path = api.open_run(args.run).report(args.out, pictures=not args.no_pictures)
    if args.json:
        _print_json({"kind": "report", "path": str(path)})
    else:
        print(path)
    return 0


def _show(args: argparse.Namespace) -> int:
    record = open_record(args.run)
    if args.json:
        _print_json(record.to_json())
    elif args.quiet:
        print(args.run)
    else:
        show_summary(record, stream=sys.stdout)
    return 0


def _predict(args: argparse.Namespace) -> int:
    observer = _observer(args)
    try:
        path = api.predict(**_keywords(args), observer=observer)
    finally:
        observer.close()
    if args.json:
        _print_json({"kind": "predictions", "path": str(path)})
    else:
        print(path)
    return 0


def _run(args: argparse.Namespace) -> int:
    observer = _observer(args)
    try:
        runs, result = api.run_experiment(
            args.experiment, args.data, root=args.root, workers=args.workers, observer=observer
        )
    finally:
        observer.close()
    path = result.report()
    if args.json:
        _print_json(
            {
                "kind": "experiment",
                "searches": [r.to_json() for r in runs],
                "stack": result.to_json(),
                "report": str(path),
            }
        )
    else:
        print(path)
    return 0


def _spaces(args: argparse.Namespace) -> int:
    from fertune.space import shipped_spaces

    if args.verb == "ls":
        spaces = [api.find_space(name) for name in shipped_spaces()]
        if args.json:
            _print_json({"kind": "spaces", "spaces": [s.to_dict() for s in spaces]})
        else:
            spaces_table(spaces, stream=sys.stdout)
    elif args.verb == "show":
        space = api.find_space(args.space)
        if args.json:
            _print_json(space.to_dict())
        else:
            space_details(space, stream=sys.stdout)
    elif args.verb == "cp":
        _copy_space(args.space, args.target)
    else:
        space = api.find_space(args.space)
        print(f"{args.space}: fine; {len(space.params)} parameters, fingerprint {space.fingerprint[:12]}")
    return 0


def _copy_space(name: str, target: str | None) -> None:
    from fertune.space import shipped_text

    text = shipped_text(name)
    path = Path(target if target is not None else f"{name}.yaml")
    if path.exists():
        raise ConfigError(f"{path} is there already", help=f"fertune spaces cp {name} OTHER.yaml")
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from None
    print(path)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "search": _search,
    "stack": _stack,
    "report": _report,
    "show": _show,
    "predict": _predict,
    "run": _run,
    "spaces": _spaces,
}
