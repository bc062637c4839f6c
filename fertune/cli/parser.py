"""The command line's grammar; imports nothing heavy, so that help answers at once."""

from __future__ import annotations

import argparse

from fertune.config import CLASS_WEIGHTS, DEFAULT_MAX_EPOCHS, DEFAULT_TRIALS, PRUNERS, TUNERS, parse_duration
from fertune.errors import ConfigError
from fertune.trial import OBJECTIVES

DATA_HELP = "csv of Kaggle's FER shape, folder of class folders, npz, builtin:faces (default) or builtin:digits"


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, everything else on stderr")
    parser.add_argument("--quiet", action="store_true", help="print the result's path and nothing else")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str, examples: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help,
        description=help,
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def make_parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    parser = argparse.ArgumentParser(
        prog="fertune",
        description="Hyperparameter search and honest stacking for image classifiers.",
        epilog="a first round:\n  fertune search --space leaky_cnn --trials 8\n  fertune stack runs/leaky_cnn-01\n"
        "  fertune report runs/stack-01 -o report.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print fertune's version and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _search(commands)
    _stack(commands)
    _looking(commands)
    _experiment(commands)
    _spaces(commands)
    return parser


def _search(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    p = _command(
        commands,
        "search",
        "search a space for the best configuration",
        "  fertune search --space leaky_cnn --data fer2013.csv --time-budget 30m\n"
        "  fertune search --space relu_cnn --tuner tpe --pruner hyperband --trials 40\n"
        "  fertune search --out runs/leaky_cnn-01 --resume --trials 60\n",
    )
    p.add_argument("--space", help="shipped name or path of a .yaml or .py file (default leaky_cnn)")
    p.add_argument("--data", help=DATA_HELP)
    p.add_argument("--tuner", choices=TUNERS, help="engine (default: what the space names)")
    p.add_argument("--pruner", choices=PRUNERS, help="of tpe: which trials to stop early (default none)")
    p.add_argument(
        "--trials",
        type=int,
        metavar="N",
        help="distinct configurations (default "
        f"{DEFAULT_TRIALS}; hyperband: one whole iteration); promotions and repeats do not count",
    )
    p.add_argument(
        "--max-epochs", type=int, metavar="N", help=f"most epochs a configuration (default {DEFAULT_MAX_EPOCHS})"
    )
    p.add_argument(
        "--time-budget", type=_duration, metavar="TIME", help="such as 90s, 30m, 1.5h; the running trial included"
    )
    p.add_argument("--seed", type=int, metavar="N", help="of everything drawn (default 0)")
    p.add_argument("--objective", choices=tuple(OBJECTIVES), help="what is optimised (default val_accuracy)")
    p.add_argument("--class-weight", choices=CLASS_WEIGHTS, help="weight of rare classes in training (default none)")
    p.add_argument("--workers", type=int, metavar="N", help="child processes side by side (default 1)")
    p.add_argument("--out", metavar="DIR", help="the run's folder (default runs/SPACE-NN)")
    p.add_argument("--resume", action="store_true", help="go on with the run in --out, or begin it")
    _output(p)


def _stack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    p = _command(
        commands,
        "stack",
        "stack the best configurations of searches, and compare honestly",
        "  fertune stack runs/leaky_cnn-01 runs/relu_cnn-01 --top 2 --folds 5\n"
        "  fertune stack runs/leaky_cnn-01 --bagging 5 --class-weights none,sqrt,balanced\n"
        "  fertune stack --out runs/stack-01 --resume\n",
    )
    p.add_argument("runs", nargs="*", metavar="RUN", help="folders of searches over the same data")
    p.add_argument("--top", type=int, metavar="N", help="best distinct configurations of each run (default 2)")
    p.add_argument("--folds", type=int, metavar="K", help="folds of the out-of-fold matrix (default 5)")
    p.add_argument("--epochs", type=int, metavar="N", help="most epochs of a fold's model (default: its search's)")
    p.add_argument("--bagging", type=int, metavar="N", help="bootstrap models of the best single one (default 0)")
    p.add_argument(
        "--class-weights",
        type=_list,
        metavar="LIST",
        help=f"class-weight variants of the best single one, of {','.join(CLASS_WEIGHTS)}",
    )
    p.add_argument("--meta-trials", type=int, metavar="N", help="trials of each tuned meta-learner (default 10)")
    p.add_argument("--time-budget", type=_duration, metavar="TIME", help="for everything, test reading included")
    p.add_argument("--seed", type=int, metavar="N", help="of folds, bags and weights (default 0)")
    p.add_argument("--workers", type=int, metavar="N", help="child processes side by side (default 1)")
    p.add_argument("--data", help="where the data moved since the searches; must be the same by content")
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
    _output(p)


def _looking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    p = _command(
        commands,
        "report",
        "write the HTML report of a run: one file, no network",
        "  fertune report runs/stack-01 -o report.html\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument("-o", "--out", metavar="FILE", help="default: report.html in the run's folder")
    p.add_argument("--no-pictures", action="store_true", help="leave all pictures out")
    _output(p)
    p = _command(
        commands, "show", "summary of a run, also while it is live", "  fertune show runs/leaky_cnn-01 --json\n"
    )
    p.add_argument("run", metavar="RUN")
    _output(p)
    p = _command(
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
    _output(p)


def _experiment(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    p = _command(
        commands,
        "run",
        "run an experiment file: its searches, then its stack, then its report",
        "  fertune run experiments/fer2013_first.yaml --data fer2013.csv\n",
    )
    p.add_argument("experiment", metavar="FILE.yaml")
    p.add_argument("--data", help=DATA_HELP + "; wins over the file's own")
    p.add_argument("--workers", type=int, metavar="N", help="child processes side by side; wins over the file's own")
    p.add_argument("--root", default="runs", metavar="DIR", help="where the runs go (default runs)")
    _output(p)


def _spaces(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    p = _command(
        commands,
        "spaces",
        "list, show, copy and check search spaces",
        "  fertune spaces ls\n  fertune spaces cp leaky_cnn my_space.yaml\n  fertune spaces check my_space.yaml\n",
    )
    verbs = p.add_subparsers(dest="verb", metavar="VERB", required=True)
    ls = verbs.add_parser("ls", help="the shipped spaces")
    _output(ls)
    show = verbs.add_parser("show", help="one space: what is fixed, what is searched")
    show.add_argument("space")
    _output(show)
    cp = verbs.add_parser("cp", help="copy a shipped space, to change it")
    cp.add_argument("space")
    cp.add_argument("target", nargs="?", metavar="FILE.yaml", help="default: NAME.yaml in this folder")
    check = verbs.add_parser("check", help="tell every fault of a space file")
    check.add_argument("space")
