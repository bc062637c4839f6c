"""``fertune predict``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options, read_options, take_read_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "predict",
        "write probabilities of a run's model for the rows of a data set",
        "  fertune predict runs/stack-01 --data fer2013.csv --split test --out proba.npz\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument("--data", help="default: the data that the run was made on")
    p.add_argument("--split", default="test", help="test (default), unlabelled, validation or train")
    p.add_argument(
        "--out", default="proba.npz", metavar="FILE", help="npz with row int32 and proba float32 (default proba.npz)"
    )
    p.add_argument("--workers", type=int, default=1, metavar="N", help="child processes side by side (default 1)")
    read_options(p)
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import keywords, print_path, watching

    options = take_read_options(args)
    with watching(args) as observer:
        path = api.predict(**keywords(args), data_options=options, observer=observer)
    print_path(args, "predictions", path)
    return 0
