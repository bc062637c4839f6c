"""``fertune stack``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, duration, output_options, where_options, words
from fertune.config import CLASS_WEIGHTS, META_LEARNERS


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "stack",
        "stack the best configurations of searches, and compare honestly",
        "  fertune stack runs/leaky_cnn-01 runs/relu_cnn-01 --top 2 --folds 5\n"
        "  fertune stack runs/leaky_cnn-01 --bagging 5 --class-weights none,sqrt,balanced\n"
        "  fertune stack runs/leaky_cnn-01 runs/relu_cnn-01 --holdout 0.1\n"
        "  fertune stack --from-oof oof.npz --meta mean,logistic,lda\n"
        "  fertune stack --out runs/stack-01 --resume\n",
    )
    p.add_argument("runs", nargs="*", metavar="RUN", help="folders of searches over the same data")
    p.add_argument("--top", type=int, metavar="N", help="best distinct configurations of each run (default 2)")
    p.add_argument("--folds", type=int, metavar="K", help="folds of the out-of-fold matrix (default 5)")
    p.add_argument(
        "--holdout",
        type=float,
        metavar="PART",
        help="in place of folds: part of the rows, such as 0.1, that is held out once (default: that of the search)",
    )
    p.add_argument("--epochs", type=int, metavar="N", help="most epochs of a fold's model (default: its search's)")
    p.add_argument("--bagging", type=int, metavar="N", help="bootstrap models of the best single one (default 0)")
    p.add_argument(
        "--class-weights",
        type=words,
        metavar="LIST",
        help=f"class-weight variants of the best single one, of {','.join(CLASS_WEIGHTS)}",
    )
    p.add_argument(
        "--from-oof",
        metavar="FILE|RUN",
        help="in place of RUN: out-of-fold probabilities made elsewhere (npz), or another stack; trains no network",
    )
    p.add_argument(
        "--meta",
        type=words,
        metavar="LIST",
        help=f"meta-learners, of {', '.join(META_LEARNERS)} (default all; mean is always fitted)",
    )
    p.add_argument("--meta-trials", type=int, metavar="N", help="trials of each tuned meta-learner (default 10)")
    p.add_argument("--time-budget", type=duration, metavar="TIME", help="for everything, test reading included")
    p.add_argument("--seed", type=int, metavar="N", help="of folds, bags and weights (default 0)")
    p.add_argument("--data", help="where the data moved since the searches; must be the same by content")
    p.add_argument(
        "--allow-pickle",
        action="store_true",
        help="unpickle an npy file where the data must be read again; runs code of whoever wrote the file",
    )
    p.add_argument(
        "--space",
        action="append",
        default=[],
        metavar="FILE.py",
        dest="spaces",
        help="a space with its own build function, given again",
    )
    p.add_argument("--out", metavar="DIR", help="the run's folder (default runs/stack-NN)")
    p.add_argument("--resume", action="store_true", help="go on with the stack in --out, or begin it")
    where_options(p)
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import keywords, print_run, watching

    with watching(args) as observer:
        found = api.stack(**keywords(args), observer=observer)
    print_run(args, found.path)
    return 0
