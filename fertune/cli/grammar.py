"""Pieces of the command line's grammar that several commands share; imports nothing heavy."""

from __future__ import annotations

import argparse
from typing import Any

from fertune.config import EXECUTORS, parse_duration, parse_size
from fertune.errors import ConfigError

Commands = Any
"""``argparse``'s sub-parsers action, which is generic only in its stub."""

DATA_HELP = (
    "csv of Kaggle's FER shape (plain, or packed: gz, zip, tar), table of paths and labels (csv, parquet), "
    "folder of class folders, npz, npy, builtin:faces (default) or builtin:digits"
)
READ_OPTIONS = ("image_size", "allow_pickle", "skip_bad_rows", "path_column", "label_column", "group_column")


def duration(text: str) -> float:
    """A time such as ``30m`` in seconds."""
    try:
        return parse_duration(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.message) from None


def disk_size(text: str) -> int:
    """A size such as ``5GB`` in bytes."""
    try:
        return parse_size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.message) from None


def words(text: str) -> tuple[str, ...]:
    """Words with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def assignment(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` in two."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not name or not equals or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as dropout=0.3")
    return name, value


def assigned(pairs: list[tuple[str, str]] | None, option: str) -> dict[str, str] | None:
    """Name -> value.

    Raises:
        ConfigError: A name stands there twice.
    """
    if pairs is None:
        return None
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"{option} {', '.join(twice)} is given twice", help="leave one of the two out")
    return dict(pairs)


def size(text: str) -> tuple[int, int]:
    """``48`` or ``64x48`` (width x height) as (height, width)."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(p.isdigit() and int(p) > 0 for p in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; legal: 48, or 64x48 (width x height)")
    return int(parts[-1]), int(parts[0])


def output_options(parser: argparse.ArgumentParser) -> None:
    """``--json`` and ``--quiet``."""
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, everything else on stderr")
    parser.add_argument("--quiet", action="store_true", help="print the result's path and nothing else")


def workers(text: str) -> int | str:
    """``auto`` or a number."""
    if text == "auto":
        return text
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not auto or a whole number of at least 1")
    return int(text)


def where_options(parser: argparse.ArgumentParser) -> None:
    """Where the jobs of a run are done; see ``fertune.config.Where``."""
    group = parser.add_argument_group("where it runs")
    group.add_argument(
        "--workers", type=workers, metavar="N", help="processes side by side, or auto: what suits the machine (default)"
    )
    group.add_argument("--gpus", metavar="LIST", help="auto (default: all there are), none, or numbers such as 0,1")
    group.add_argument("--per-gpu", type=int, metavar="K", help="workers that share a GPU (default 1)")
    group.add_argument(
        "--trial-timeout", type=duration, metavar="TIME", help="kill the training of a model after so long: 90s, 30m"
    )
    group.add_argument("--log-dir", metavar="DIR", help="write curves for TensorBoard below this folder")
    group.add_argument("--executor", choices=EXECUTORS, help="local processes (default), or a Ray cluster")
    group.add_argument("--address", metavar="HOST:PORT", help="of the Ray cluster (default: begin one here)")


def read_options(parser: argparse.ArgumentParser) -> None:
    """How ``--data`` is read; see ``fertune.data.ReadOptions``."""
    group = parser.add_argument_group("how the data are read")
    group.add_argument(
        "--image-size", type=size, metavar="SIZE", help="bring all pictures to this size: 48, or 64x48 (width x height)"
    )
    group.add_argument(
        "--skip-bad-rows", action="store_true", help="leave out rows and pictures that cannot be read, and list them"
    )
    group.add_argument(
        "--allow-pickle", action="store_true", help="unpickle an npy file; runs code of whoever wrote the file"
    )
    group.add_argument("--path-column", metavar="NAME", help="of a table: paths of the pictures (default path)")
    group.add_argument("--label-column", metavar="NAME", help="of a table: labels (default label)")
    group.add_argument(
        "--group-column", metavar="NAME", help="of a table: rows with the same value stay together (persons, actors)"
    )


def take_read_options(args: argparse.Namespace) -> dict[str, Any]:
    """What was given of ``READ_OPTIONS``, taken out of ``args``; ready for ``ReadOptions(**...)``."""
    values = {name: vars(args).pop(name) for name in READ_OPTIONS if name in vars(args)}
    return {name: value for name, value in values.items() if value not in (None, False)}


def any_order(parser: argparse.ArgumentParser) -> None:
    """Let options stand between positional arguments; argparse takes a list of these in one piece only."""
    plain = parser.parse_known_args
    inside = False

    def parse(args: Any = None, namespace: Any = None) -> Any:
        nonlocal inside
        if inside:
            return plain(args, namespace)
        inside = True
        try:
            return parser.parse_known_intermixed_args(args, namespace)
        finally:
            inside = False

    # argparse has no hook for this: parse_args calls this method of the parser
    parser.parse_known_args = parse  # type: ignore[method-assign]


def add_command(commands: Commands, name: str, help: str, examples: str) -> argparse.ArgumentParser:
    """A command with its help and examples."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help,
        epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
