"""``fertune spaces``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fertune.cli.grammar import Commands, add_command, output_options
from fertune.errors import ConfigError


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "spaces",
        "list, show, copy and check search spaces",
        "  fertune spaces ls\n  fertune spaces cp leaky_cnn my_space.yaml\n  fertune spaces check my_space.yaml\n",
    )
    verbs = p.add_subparsers(dest="verb", metavar="VERB", required=True)
    ls = verbs.add_parser("ls", help="the shipped spaces")
    output_options(ls)
    show = verbs.add_parser("show", help="one space: what is fixed, what is searched")
    show.add_argument("space")
    output_options(show)
    cp = verbs.add_parser("cp", help="copy a shipped space, to change it")
    cp.add_argument("space")
    cp.add_argument("target", nargs="?", metavar="FILE.yaml", help="default: NAME.yaml in this folder")
    check = verbs.add_parser("check", help="tell every fault of a space file")
    check.add_argument("space")


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_json
    from fertune.console import space_details, spaces_table
    from fertune.space import shipped_spaces

    if args.verb == "ls":
        spaces = [api.find_space(name) for name in shipped_spaces()]
        if args.json:
            print_json({"kind": "spaces", "spaces": [s.to_dict() for s in spaces]})
        else:
            spaces_table(spaces, stream=sys.stdout)
    elif args.verb == "show":
        space = api.find_space(args.space)
        if args.json:
            print_json(space.to_dict())
        else:
            space_details(space, stream=sys.stdout)
    elif args.verb == "cp":
        _copy(args.space, args.target)
    else:
        space = api.find_space(args.space)
        print(f"{args.space}: fine; {len(space.params)} parameters, fingerprint {space.fingerprint[:12]}")
    return 0


def _copy(name: str, target: str | None) -> None:
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
