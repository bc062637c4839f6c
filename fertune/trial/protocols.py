"""The two seams of the loop: what says what to try, and what says where it runs."""

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
    """Says where it runs. Called from one thread, also while an event is handled.

    Of each job comes a ``Started``, before anything else; a ``Reported`` for each epoch, in order; and at last one
    ``Finished`` or ``Failed``. Of one that is stopped before it started comes ``Finished`` alone. A job with ``alone``
    starts when nothing else runs on its machine, and nothing starts there beside it.
    """

    @property
    def slots(self) -> int:
        """How many jobs can run at once."""
        ...

    def submit(self, job: Job) -> None:
        """Take a job; it starts when a worker is free."""
        ...

    def stop(self, job_id: str) -> None:
        """End a job soon; it still says Finished with what it has, or Failed when it has nothing.

        Nothing happens where there is no such job, or not any more.
        """
        ...

    def events(self, timeout: float) -> Iterator[Event]:
        """What happened; ends when nothing does for ``timeout`` seconds, or when something did and was handed on.

        A Reported event is answered (go on, or stop where ``stop`` was called) when the next one is asked for.

        Nothing is raised for a job that breaks, nor for the process that it breaks: that is told as Failed.
        """
        ...

    def status(self) -> Sequence[WorkerStatus]:
        """The workers now; cheap, asked several times a second."""
        ...

    def close(self) -> None:
        """End all workers at once, whatever they do; no more events come."""
        ...
