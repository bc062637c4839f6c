"""``fertune doctor``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "doctor",
        "look whether this machine can train, and how many workers suit it",
        "  fertune doctor\n  fertune doctor --measure    # how many workers do most; remembered for --workers auto\n",
    )
    group = p.add_mutually_exclusive_group()
    group.add_argument(
        "--measure",
        action="store_true",
        default=None,
        help="measure the best split into workers again (default: where it was never measured and all is quiet)",
    )
    group.add_argument("--no-measure", action="store_false", dest="measure", default=None, help="do not measure")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune.api.doctor import doctor
    from fertune.cli.printing import print_json, watching
    from fertune.console.doctor import show_checkup

    with watching(args) as observer:
        found = doctor(measure=args.measure, observer=observer)
    if args.json:
        print_json(found.to_json())
    elif args.quiet:
        print("usable" if found.usable else "not usable")
    else:
        show_checkup(found.to_json(), stream=sys.stdout)
    return 0 if found.usable else 1
