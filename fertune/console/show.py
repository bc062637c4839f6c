"""``fertune show RUN``: the summary of a stored run, finished or not, and its best rows."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from fertune.console.commands import next_lines
from fertune.console.screen import Screen
from fertune.console.stack_summary import stack_summary
from fertune.console.stack_view import StackState, fold_table
from fertune.console.summary import next_commands, search_details, search_summary


def summary_text(record: Any) -> str:
    """What the terminal says of a run at its end, as plain text without colours.

    Args:
        record: A ``SearchRecord`` or a ``StackRecord``.
    """
    stream = io.StringIO()
    screen = Screen(stream, {"NO_COLOR": "1"}, width=100)
    screen.lines(search_summary(screen, record) if record.info["kind"] == "search" else stack_summary(screen, record))
    return stream.getvalue().rstrip("\n")


def show_summary(record: Any, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
    """Print what a stored run came to.

    Args:
        record: A ``SearchRecord`` or a ``StackRecord``, of a run that ended or still goes on.
        stream, env: Stand in for those of the process.
    """
    screen = Screen(stream if stream is not None else sys.stdout, env)
    if record.info["kind"] == "search":
        commands = next_lines(screen, next_commands(record))
        summary = search_summary(screen, record)
        screen.lines(summary[: len(summary) - len(commands)])
        screen.lines([*search_details(screen, record), *commands])
        return
    state = StackState(record.info, [(r.member, r.fold, r.kind) for r in record.fold_runs])
    for run in record.fold_runs:
        if str(run.state) == "running":
            state.running[run.member, run.fold, run.kind] = run.epochs
        else:
            state.take_end(run)
    if state.jobs:
        screen.lines(fold_table(screen, state, state.members()))
    screen.lines(stack_summary(screen, record))
