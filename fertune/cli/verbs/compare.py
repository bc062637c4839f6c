"""``fertune compare``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "compare",
        "two or more searches, or two or more stacks, side by side",
        "  fertune compare runs/stack-01 runs/stack-02\n  fertune compare runs/leaky_cnn-01 runs/relu_cnn-01 --json\n",
    )
    p.add_argument("runs", nargs="+", metavar="RUN", help="the first one is the reference")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_json
    from fertune.console.compare import show_compared

    found = api.compare(*args.runs)
    if args.json:
        print_json(found.to_json())
    elif args.quiet:
        print("\n".join(pair["sentence"] for pair in found.pairs), end="\n" if found.pairs else "")
    else:
        show_compared(found.to_json(), stream=sys.stdout)
    return 0
