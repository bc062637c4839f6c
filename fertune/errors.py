"""What can go wrong before or around training, and how it is told.

Every error here is an *expected* one: its message says what came and what is legal, ``details`` lists
each single fault, ``help`` is what to type next. The command line prints the three and leaves with
``exit_code``; no traceback. Anything else that is raised in the coordinator is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_DETAILS = 20


class FertuneError(Exception):
    """Base of all expected errors.

    Args:
        message: One sentence: what came, where, and what is legal. No full stop.
        details: Single faults, one line each; the first 20 are shown, then a count.
        help: What to type next, one line.
    """

    exit_code = 2

    def __init__(self, message: str, *, details: Sequence[str] = (), help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.help = help

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"  {line}" for line in self.details[:MAX_DETAILS]]
        if len(self.details) > MAX_DETAILS:
            lines.append(f"  and {len(self.details) - MAX_DETAILS} more")
        if self.help:
            lines.append(f"help: {self.help}")
        return "\n".join(lines)


class DataError(FertuneError):
    """The data cannot be read, or are not what they say they are."""


class SpaceError(FertuneError):
    """A search space is broken, or an engine cannot search it."""


class ConfigError(FertuneError):
    """An option or an experiment file is not legal."""


class RunError(FertuneError):
    """A run folder is missing, taken, damaged, of another protocol, or held by another process."""


class MissingPackage(FertuneError):
    """A package that this call needs is not installed; ``help`` is the install line."""


class AllTrialsFailed(FertuneError):
    """No trial of a search (or no member of a stack) could be trained.

    Attributes:
        run: The run's folder, where there is one; what happened is in it.
    """

    exit_code = 1
    run: Path | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM; every finished trial is in the run folder.

    Attributes:
        signum: 2 (SIGINT) or 15 (SIGTERM); the command line leaves with 128 + signum.
        resume: The command that goes on.
        run: The run's folder.
        told: Whether the observer was told already, so that a console has said so.
    """

    def __init__(self, message: str, *, signum: int, resume: str, run: Path | None = None, told: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.signum = signum
        self.resume = resume
        self.run = run
        self.told = told


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'leaky_cnn'?"`` where a known word is near, else an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
