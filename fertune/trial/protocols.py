"""The two seams of the loop, three verbs each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from fertune.trial.job import Event, Job, WorkerStatus
from fertune.trial.suggestion import Exhausted, Outcome, Suggestion, Wait


class Searcher(Protocol):
    """Says what to try. Called from one thread, never holds data or models.

    A searcher is deterministic: a fresh one with the same arguments, given the same calls in the same order, says the
    same things. Resuming is exactly that: the journal's calls are replayed.
    """

    def ask(self) -> Suggestion | Wait | Exhausted:
        """The next piece of work. ``Wait`` only while something asked for was not told."""
        ...

    def report(self, ticket: int, step: int, value: float) -> bool:
        """One epoch's value; True to go on, False to stop this piece of work (it is then told ``Pruned``)."""
        ...

    def tell(self, ticket: int, outcome: Outcome) -> None:
        """The end of a piece of work, once each."""
        ...


class Executor(Protocol):
    """Says where it runs."""

    @property
    def slots(self) -> int:
        """How many jobs can run at once."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job; it starts when a worker is free."""
        ...

    def stop(self, job_id: str) -> None:
        """End a job soon; it still says Finished with what it has, or Failed when it has nothing."""
        ...

    def events(self, timeout: float) -> Iterator[Event]:
        """What happened; ends when nothing does for ``timeout`` seconds, or when something did and was handed on.

        A Reported event is answered (go on, or stop where ``stop`` was called) when the next one is asked for.
        """
        ...

    def status(self) -> Sequence[WorkerStatus]:
        """The workers now; cheap, asked several times a second."""
        ...

    def close(self) -> None:
        """End all workers."""
        ...
