"""``fertune watch``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "watch",
        "watch a run that another terminal works on; Ctrl-C leaves it, the run goes on",
        "  fertune watch runs/leaky_cnn-01\n  fertune watch runs/stack-01 --json    # one look\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument(
        "--every",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="time between two looks into its journal (default 1)",
    )
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune.api.watch import watch
    from fertune.cli.printing import print_json, watching
    from fertune.errors import ConfigError

    if not args.every > 0:
        raise ConfigError(f"--every {args.every:g} is not above zero")
    if args.json:
        print_json(watch(args.run, follow=False).to_json())
        return 0
    try:
        with watching(args) as observer:
            seen = watch(args.run, every=args.every, observer=observer)
    except KeyboardInterrupt:
        if not args.quiet:
            print(f"left; the run goes on    # fertune watch {args.run}")
        return 130
    if args.quiet:
        print(args.run)
    return 0 if seen.status == "finished" else 1
