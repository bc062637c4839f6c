"""What coordinator and worker say to each other, and what a running job may ask of its executor."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

from fertune.trial import Failure, Job, Reported

# coordinator -> worker: ("job", Job) | ("go", bool) | ("stop", job_id) | ("exit",)
# worker -> coordinator: ("ready", pid) | ("beat", resident, own) | ("started", job_id) | ("reported", Reported)
#     | ("finished", Finished, resident, own) | ("failed", Failed, resident, own)
Message = tuple[Any, ...]

LONGEST_MESSAGE = 2**28
"""Bytes; what claims to be longer is no message."""

BEAT = 1.0
"""Seconds between two signs of life of a worker."""


class Context(Protocol):
    """What a running job may ask of its executor."""

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        """Tell that an epoch is done; blocks until answered. False: end here, the searcher prunes it."""
        ...

    def stopping(self) -> bool:
        """Whether to end at once (time is up, or the user interrupts); cheap, asked between batches."""
        ...


class Asking:
    """The ``Context`` of one job, in the process that does it: whoever serves it sets ``stop`` and fills ``answers``.

    Args:
        job_id: Of the job.
        say: Hands a report on.
    """

    def __init__(self, job_id: str, say: Callable[[Reported], None]) -> None:
        self.job_id = job_id
        self.answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.stop = threading.Event()
        self._say = say

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        self._say(Reported(self.job_id, step, value, logs))
        return self.answers.get()

    def stopping(self) -> bool:
        return self.stop.is_set()


class Runner(Protocol):
    """A module that knows how to do jobs: ``fertune.training.runner``, or a scripted one in tests.

    It may also have ``warm()``: whatever makes the first job begin sooner, such as the import of a backend. Its failure
    is no failure: the first job meets it again.
    """

    def run(self, job: Job, context: Context) -> Any: ...

    def classify(self, error: BaseException) -> Failure: ...
