"""``fertune search``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import (
    DATA_HELP,
    Commands,
    add_command,
    assigned,
    assignment,
    disk_size,
    duration,
    output_options,
    read_options,
    take_read_options,
    where_options,
)
from fertune.config import CLASS_WEIGHTS, DEFAULT_MAX_EPOCHS, DEFAULT_TRIALS, FIDELITIES, PRUNERS, SPRINT_MAX_EPOCHS
from fertune.trial import OBJECTIVES, SECOND_OBJECTIVES, TUNERS


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "search",
        "search a space for the best configuration",
        "  fertune search --space leaky_cnn --data fer2013.csv --time-budget 30m\n"
        "  fertune search --space relu_cnn --tuner tpe --pruner hyperband --trials 40\n"
        "  fertune search --space leaky_cnn --set dropout=0.3 --range filters_1=16..64\n"
        "  fertune search --out runs/leaky_cnn-01 --resume --trials 60\n",
    )
    p.add_argument("--space", help="shipped name or path of a .yaml or .py file (default leaky_cnn)")
    p.add_argument(
        "--set", action="append", type=assignment, metavar="NAME=VALUE", help="fix a parameter or setting of the space"
    )
    p.add_argument(
        "--range",
        action="append",
        type=assignment,
        metavar="NAME=RANGE",
        dest="ranges",
        help="another range of a parameter: LOW..HIGH[:log|:linear|:STEP], or values with commas",
    )
    p.add_argument("--data", help=DATA_HELP)
    p.add_argument(
        "--tuner",
        metavar="NAME",
        help=f"engine: {', '.join(TUNERS)}, or your own as my_file.py:MySearcher (default: sprint where only "
        "--time-budget is given, else what the space names)",
    )
    p.add_argument(
        "--pruner",
        choices=PRUNERS,
        help=f"of {', '.join(t.name for t in TUNERS.values() if t.prunes)}: which trials to stop early (default none)",
    )
    p.add_argument(
        "--trials",
        type=int,
        metavar="N",
        help="distinct configurations (default "
        f"{DEFAULT_TRIALS}; hyperband: one whole iteration; sprint, and asha with --time-budget: no limit); "
        "promotions and repeats do not count",
    )
    p.add_argument(
        "--max-epochs",
        type=int,
        metavar="N",
        help=f"most epochs a configuration (default {DEFAULT_MAX_EPOCHS}; sprint: {SPRINT_MAX_EPOCHS})",
    )
    p.add_argument(
        "--time-budget", type=duration, metavar="TIME", help="such as 90s, 30m, 1.5h; the running trial included"
    )
    p.add_argument("--seed", type=int, metavar="N", help="of everything drawn (default 0)")
    p.add_argument(
        "--objective",
        metavar="NAME[,NAME]",
        help=f"what is optimised: {', '.join(OBJECTIVES)} (default val_accuracy); with nsga2 also a second one, "
        f"{' or '.join(SECOND_OBJECTIVES)}",
    )
    p.add_argument(
        "--fidelity",
        choices=FIDELITIES,
        help=f"what the rungs of {' and '.join(t.name for t in TUNERS.values() if t.rungs)} give more of: epochs "
        "(default), training rows, or pixels",
    )
    p.add_argument("--class-weight", choices=CLASS_WEIGHTS, help="weight of rare classes in training (default none)")
    p.add_argument(
        "--max-params", type=int, metavar="N", help="configurations with more weights are infeasible and not trained"
    )
    p.add_argument(
        "--max-disk",
        type=disk_size,
        metavar="SIZE",
        help="most that the run's folder may take, such as 500MB or 5GB: models below the best one go first",
    )
    p.add_argument(
        "--cv",
        type=int,
        metavar="K",
        help="train each configuration on K folds, as a stack does; weak ones stop after one or two (default 0: none)",
    )
    p.add_argument(
        "--holdout",
        type=float,
        metavar="PART",
        help="part of the rows, such as 0.1, that no trial sees: a stack fits its meta-learners on them, and takes the "
        "models of this search as they are (default 0: none)",
    )
    p.add_argument(
        "--warm-start",
        action="append",
        metavar="RUN",
        help="begin with the trials of a search of the same space and data; may be given several times",
    )
    p.add_argument("--out", metavar="DIR", help="the run's folder (default runs/SPACE-NN)")
    p.add_argument("--resume", action="store_true", help="go on with the run in --out, or begin it")
    read_options(p)
    where_options(p)
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import keywords, print_run, watching

    options = take_read_options(args)
    args.set, args.ranges = assigned(args.set, "--set"), assigned(args.ranges, "--range")
    with watching(args) as observer:
        found = api.search(**keywords(args), data_options=options, observer=observer)
    print_run(args, found.path)
    return 0
