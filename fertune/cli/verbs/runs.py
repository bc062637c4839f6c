"""``fertune runs``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "runs",
        "list the runs of a folder, the one written to last first",
        "  fertune runs\n  fertune runs /data/runs --json\n",
    )
    p.add_argument("folder", nargs="?", default="runs", metavar="FOLDER", help="default runs")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune.api.listing import list_runs
    from fertune.cli.printing import print_json
    from fertune.console.runs_table import runs_table

    document = list_runs(args.folder).to_json()
    if args.json:
        print_json(document)
    elif args.quiet:
        print("\n".join(run["path"] for run in document["runs"]), end="\n" if document["runs"] else "")
    else:
        runs_table(document, stream=sys.stdout)
    return 0
