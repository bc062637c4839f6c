"""``fertune report``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "report",
        "write the HTML report of a run: one file, no network",
        "  fertune report runs/stack-01 -o report.html\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument("-o", "--out", metavar="FILE", help="default: report.html in the run's folder")
    p.add_argument("--no-pictures", action="store_true", help="leave all pictures out")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_path

    print_path(args, "report", api.open_run(args.run).report(args.out, pictures=not args.no_pictures))
    return 0
