"""``fertune export``."""

from __future__ import annotations

import argparse

from fertune.cli.grammar import Commands, add_command, output_options
from fertune.errors import ConfigError


def add(commands: Commands) -> None:
    p = add_command(
        commands,
        "export",
        "write a run as an Optuna study, a csv table, or curves for TensorBoard",
        "  fertune export runs/leaky_cnn-01 --optuna sqlite:///study.db    # then: optuna-dashboard sqlite:///study.db\n"
        "  fertune export runs/leaky_cnn-01 --csv trials.csv\n"
        "  fertune export runs/leaky_cnn-01 --log-dir logs                 # then: tensorboard --logdir logs\n",
    )
    p.add_argument("run", metavar="RUN")
    p.add_argument("--optuna", metavar="URL", help="storage of an Optuna study, such as sqlite:///study.db")
    p.add_argument("--study", metavar="NAME", help="name of the study (default: the run's)")
    p.add_argument("--overwrite", action="store_true", help="take the place of a study of that name")
    p.add_argument("--csv", metavar="FILE", help="one row a trial of a search, or a model of a stack")
    p.add_argument("--log-dir", metavar="DIR", help="curves for TensorBoard below this folder")
    output_options(p)


def run(args: argparse.Namespace) -> int:
    from fertune import api
    from fertune.cli.printing import print_json, watching

    if not (args.optuna or args.csv or args.log_dir):
        raise ConfigError(
            "nothing to export to: none of --optuna, --csv and --log-dir is given",
            help=f"fertune export {args.run} --optuna sqlite:///study.db",
        )
    if (args.study or args.overwrite) and not args.optuna:
        raise ConfigError("--study and --overwrite go with --optuna")
    written: dict[str, str] = {}
    with watching(args) as observer:
        if args.optuna:
            written["study"] = api.export_optuna(
                args.run, args.optuna, study=args.study, overwrite=args.overwrite, observer=observer
            )
            written["optuna"] = args.optuna
        if args.csv:
            written["csv"] = str(api.export_csv(args.run, args.csv))
        if args.log_dir:
            written["log_dir"] = str(api.export_curves(args.run, args.log_dir))
    if args.json:
        print_json({"kind": "export", "run": args.run, **written})
    elif args.quiet:
        print("\n".join(v for k, v in written.items() if k != "study"))
    else:
        for text in _told(args, written):
            print(text)
    return 0


def _told(args: argparse.Namespace, written: dict[str, str]) -> list[str]:
    told = []
    if "optuna" in written:
        told.append(f"study {written['study']} in {written['optuna']}    # optuna-dashboard {written['optuna']}")
    if "csv" in written:
        told.append(written["csv"])
    if "log_dir" in written:
        told.append(f"{written['log_dir']}    # tensorboard --logdir {args.log_dir}")
    return told
