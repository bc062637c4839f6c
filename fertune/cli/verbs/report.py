"""``fertune report``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "report",
        "write the report of a run: one HTML file that needs no network, Markdown with its figures, or JSON",
        "  fertune report runs/stack-01 -o report.html\n"
        "  fertune report runs/stack-01 -o report.md          # and the folder report_figures\n"
        "  fertune report runs/stack-01 --format json -o -    # on stdout\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument("-o", "--out", metavar="FILE", help="default: report.html in the run's folder; - is stdout")
    p.add_argument(
        "--format", choices=("html", "markdown", "json"), help="default: what the end of FILE says, else html"
    )
    p.add_argument("--no-pictures", action="store_true", help="leave all pictures out")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_path

    if args.out == "-":
        from fertune import report
        from fertune.store import open_record

        print(report.build(open_record(args.run), args.format or "html", pictures=not args.no_pictures), end="")
        return 0
    written = api.open_run(args.run).report(args.out, format=args.format, pictures=not args.no_pictures)
    print_path(args, "report", written)
    return 0
