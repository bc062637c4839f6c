"""The command line's grammar: every command of ``cli/verbs``; imports nothing heavy, so that help answers at once."""

from __future__ import annotations

import argparse

from fertune.cli.verbs import (
    bundle,
    compare,
    data,
    doctor,
    export,
    predict,
    report,
    rm,
    run,
    runs,
    search,
    show,
    spaces,
    stack,
    watch,
)

VERBS = (search, stack, report, show, watch, predict, bundle, run, runs, compare, rm, export, data, spaces, doctor)
"""In the order of the help."""


def make_parser() -> argparse.ArgumentParser:
    """The whole grammar; the chosen command's function is ``args.run_command``."""
    parser = argparse.ArgumentParser(
        prog="fertune",
        description="Hyperparameter search and honest stacking for image classifiers.",
        epilog="a first round:\n  fertune search --space leaky_cnn --trials 8\n  fertune stack runs/leaky_cnn-01\n"
        "  fertune report runs/stack-01 -o report.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print fertune's version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for verb in VERBS:
        verb.add(commands)
        name = verb.__name__.rpartition(".")[2]
        commands.choices[name].set_defaults(run_command=verb.run)
    return parser
