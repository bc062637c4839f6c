"""``fertune show``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands, "show", "summary of a run, also while it is live", "  fertune show runs/leaky_cnn-01 --json\n"
    )
    p.add_argument("run", metavar="RUN")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune.cli.printing import print_json
    from fertune.console import show_summary
    from fertune.store import open_record

    record = open_record(args.run)
    if args.json:
        print_json(record.to_json())
    elif args.quiet:
        print(args.run)
    else:
        show_summary(record, stream=sys.stdout)
    return 0
