"""What a running job may ask of whoever runs it, and the simplest answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Context(Protocol):
    """The two questions of a job."""

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        """An epoch is done. False: end here, the searcher prunes it."""
        ...

    def stopping(self) -> bool:
        """Whether to end at once; cheap, asked between batches."""
        ...


@dataclass
class InProcess:
    """A context in the same process: remembers what it is told, and stops where it was asked to.

    Attributes:
        prune_at: Epoch after which ``report`` says no; None never does.
        stop_after: How many times ``stopping`` says no before it says yes; None never does.
        reports: (step, value, logs) in the order they came.
    """

    prune_at: int | None = None
    stop_after: int | None = None
    reports: list[tuple[int, float, Mapping[str, float]]] = field(default_factory=list)
    asked: int = 0

    def report(self, step: int, value: float, logs: dict[str, float]) -> bool:
        self.reports.append((step, value, dict(logs)))
        return self.prune_at is None or step < self.prune_at

    def stopping(self) -> bool:
        self.asked += 1
        return self.stop_after is not None and self.asked > self.stop_after
