"""The command line: parses, calls ``fertune.api``, prints."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from fertune.cli.parser import make_parser
from fertune.errors import FertuneError, Interrupted


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 done; 1 everything that was to be trained failed; 2 input, usage, or a run that another process holds; 130 Ctrl-C;
    143 SIGTERM; 70 a bug in fertune, told with its traceback.
    """
    parser = make_parser()
    args = parser.parse_args(argv)
    if args.version:
        from fertune.api.describe import fertune_version

        print(f"fertune {fertune_version()}")
        return 0
    if args.command is None:
        parser.print_help()
        return 0
    os.environ.setdefault("FERTUNE_COORDINATOR", "1")
    from fertune.cli.printing import print_what_there_is
    from fertune.console import print_bug, print_error, print_interrupted

    try:
        return int(args.run_command(args))
    except FertuneError as error:
        print_error(error, stream=sys.stderr)
        print_what_there_is(args, getattr(error, "run", None))
        return error.exit_code
    except Interrupted as stop:
        if not (stop.told and _seen_on_stderr(args)):
            print_interrupted(stop, stream=sys.stderr)
        print_what_there_is(args, stop.run)
        return 128 + stop.signum
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone: nothing is left to be told
        sys.stderr.close()
        return 0
    except Exception as error:  # not expected, so a bug of fertune: told whole, with the way on
        out = getattr(args, "out", None) if hasattr(args, "resume") else None
        resume = f"fertune {args.command} --out {shlex.quote(out)} --resume" if out else None
        print_bug(error, resume, stream=sys.stderr)
        return 70


def _seen_on_stderr(args: argparse.Namespace) -> bool:
    """Whether what the console said at the end stands where errors stand: the same terminal, or the same file."""
    if getattr(args, "quiet", False):
        return False
    if getattr(args, "json", False):
        return True
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # a stream that is no file
        return False
