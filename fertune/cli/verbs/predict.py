"""``fertune predict``."""

from __future__ import annotations

import argparse
import shlex

from fertune.cli.grammar import (
    Commands,
    add_command,
    any_order,
    output_options,
    read_options,
    take_read_options,
    workers,
)
from fertune.errors import ConfigError

OF_DATA = ("data", "split", "workers")
PROBA = "proba.npz"


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "predict",
        "classes of picture files; or, with --data, probabilities for the rows of a data set",
        "  fertune predict model.fertune me.jpg holiday/ --top 3\n"
        "  fertune predict runs/stack-01 holiday/ --csv holiday.csv\n"
        "  fertune predict runs/stack-01 --data fer2013.csv --split test --out proba.npz\n",
    )
    p.add_argument("model", metavar="MODEL", help="folder of a run, or a .fertune file")
    p.add_argument("paths", metavar="PATH", nargs="*", help="picture files, and folders with pictures in and below")
    p.add_argument("--top", type=int, metavar="K", help="classes to name for each picture (default 3)")
    p.add_argument(
        "-o", "--out", "--csv", dest="out", metavar="FILE",
        help=f"of pictures: a .csv with all probabilities; with --data: an npz (default {PROBA})",
    )  # fmt: skip
    p.add_argument("--trial", type=int, metavar="N", help="of a search: a kept trial (default: the best)")
    p.add_argument("--data", help="probabilities for a data set instead (default: the data that the run was made on)")
    p.add_argument("--split", help="of --data: test (default), unlabelled, validation or train")
    p.add_argument("--workers", type=workers, metavar="N", help="of --data: processes at work, or auto (default 1)")
    read_options(p)
    output_options(p)
    any_order(p)


def run(args: argparse.Namespace) -> int:
    options = take_read_options(args)
    if not args.paths:
        return _rows(args, options)
    given = [f"--{name}" for name in OF_DATA if getattr(args, name) is not None]
    given += [f"--{name.replace('_', '-')}" for name in options]
    if given:
        raise ConfigError(
            f"picture files and {', '.join(given)} do not go together: the model knows how to read pictures",
            help=f"fertune predict {shlex.quote(args.model)} PICTURE...    # or no pictures, and --data DATA",
        )
    return _pictures(args)


def _rows(args: argparse.Namespace, options: dict[str, object]) -> int:
    """Probabilities for a data set, to an npz file."""
    from fertune import api
    from fertune.cli.printing import print_path, watching

    if args.top is not None:
        raise ConfigError(
            "--top is for picture files", help=f"fertune predict {shlex.quote(args.model)} PICTURE... --top 3"
        )
    if args.out is not None and args.out.lower().endswith(".csv"):
        raise ConfigError(f"--data writes an npz file, not {args.out}", help=f"--out {PROBA}")
    with watching(args) as observer:
        path = api.predict(
            args.model,
            args.data,
            data_options=options or None,
            split=args.split or "test",
            out=args.out or PROBA,
            workers=args.workers or 1,
            trial=args.trial,
            observer=observer,
        )
    print_path(args, "predictions", path)
    return 0


def _pictures(args: argparse.Namespace) -> int:
    """A table, a document or a csv file; 2 where no picture could be read."""
    import sys
    from pathlib import Path

    from fertune import api
    from fertune.cli.printing import print_json, watching
    from fertune.console import predictions_table, predictions_warnings

    top = 3 if args.top is None else args.top
    if top < 1:
        raise ConfigError(f"--top: {top} where a whole number from 1 is legal")
    out = None if args.out is None else Path(args.out)
    if out is not None and out.suffix.lower() != ".csv":
        raise ConfigError(f"{out}: predictions of pictures are written as .csv", help=f"-o {out.with_suffix('.csv')}")
    with watching(args) as observer:
        found = api.predict_pictures(args.model, args.paths, trial=args.trial, out=out, observer=observer)
    if args.json:
        print_json({"kind": "predictions", "path": None if out is None else str(out), "model": args.model,
                    **found.to_json(top)})  # fmt: skip
    elif out is not None:
        print(out)
    elif len(found):
        predictions_table(found, top, stream=sys.stdout)
    predictions_warnings(found, stream=sys.stderr)
    return 0 if len(found) else 2
