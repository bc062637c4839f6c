"""``fertune run``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import DATA_HELP, Commands, add_command, output_options, read_options, take_read_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "run",
        "run an experiment file: its searches, then its stack, then its report",
        "  fertune run experiments/fer2013_first.yaml --data fer2013.csv\n",
    )
    p.add_argument("experiment", metavar="FILE.yaml")
    p.add_argument("--data", help=DATA_HELP + "; wins over the file's own")
    p.add_argument("--workers", type=int, metavar="N", help="child processes side by side; wins over the file's own")
    p.add_argument("--root", default="runs", metavar="DIR", help="where the runs go (default runs)")
    read_options(p)
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_json, watching

    options = take_read_options(args)
    with watching(args) as observer:
        runs, result = api.run_experiment(
            args.experiment, args.data, root=args.root, workers=args.workers, data_options=options, observer=observer
        )
    path = result.report()
    if args.json:
        print_json(
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
