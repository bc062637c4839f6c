"""``fertune bundle``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "bundle",
        "write a run's model to one file that moves: models, meta-learner and a manifest, no pictures",
        "  fertune bundle runs/stack-01 -o model.fertune\n"
        "  fertune bundle runs/leaky_cnn-01 --trial 7 -o model.fertune\n"
        "  fertune predict model.fertune holiday/*.jpg\n",
    )
    p.add_argument("run", metavar="RUN", help="folder of a finished stack, or of a search")
    p.add_argument("-o", "--out", metavar="FILE", help="ends in .fertune (default: the run's name, in this folder)")
    p.add_argument("--trial", type=int, metavar="N", help="of a search: a kept trial (default: the best)")
    p.add_argument("--force", action="store_true", help="replace a file that stands there")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    import sys

    from fertune import api
    from fertune.cli.printing import print_json
    from fertune.console import show_bundle
    from fertune.store import sha256_file

    path = api.bundle(args.run, args.out, trial=args.trial, force=args.force)
    if args.json:
        size, digest = path.stat().st_size, sha256_file(path)
        print_json({"kind": "bundle", "path": str(path), "bytes": size, "sha256": digest})
    elif args.quiet:
        print(path)
    else:
        show_bundle(api.load(path), stream=sys.stdout)
    return 0
