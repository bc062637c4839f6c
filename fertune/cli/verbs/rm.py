"""``fertune rm``."""

from __future__ import annotations

import argparse
import sys

from fertune.cli.grammar import Commands, add_command, output_options
from fertune.errors import ConfigError


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "rm",
        "remove whole runs",
        "  fertune rm runs/leaky_cnn-01\n  fertune rm runs/leaky_cnn-02 runs/stack-01 --yes\n",
    )
    p.add_argument("runs", nargs="+", metavar="RUN")
    p.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal to ask on")
    p.add_argument("--force", action="store_true", help="also searches that a stack was made from, and damaged runs")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune.api.remove import plan_removal, remove
    from fertune.cli.printing import print_json
    from fertune.console.runs_table import removal_lines
    from fertune.console.text import bytes_text

    removals = plan_removal(args.runs, force=args.force)
    total = sum(r.bytes for r in removals)
    number = "1 run" if len(removals) == 1 else f"{len(removals)} runs"
    if not args.yes:
        if not sys.stdin.isatty():
            raise ConfigError(
                f"{number} of {bytes_text(total)} would be removed, and there is no terminal to ask on",
                help="add --yes",
            )
        removal_lines([(str(r.path), r.kind, r.bytes) for r in removals], stream=sys.stderr)
        print(f"Remove {number}, {bytes_text(total)}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("nothing was removed", file=sys.stderr)
            return 0
    freed = remove(removals)
    if args.json:
        runs = [{"path": str(r.path), "kind": r.kind, "bytes": r.bytes} for r in removals]
        print_json({"kind": "removed", "runs": runs, "bytes": freed})
    elif not args.quiet:
        print(f"removed {number}; {bytes_text(freed)} are free again")
    return 0
