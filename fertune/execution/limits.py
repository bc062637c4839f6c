"""What a worker may take before it is replaced, and a job before it is given up."""

from __future__ import annotations

from dataclasses import dataclass

from fertune.execution.machine import memory_free, memory_total

FAR_OVER = 2.0
"""Times its limit at which a worker is ended while it works."""

SHORT = 0.05
"""Part of the machine's memory; with less left, a worker that is over its limit at all is ended while it works."""

LEAST = 2**30
"""Bytes: a warm backend alone takes half of it, and a worker is not to be replaced for that."""

STUBBORN = 10.0
"""Times ``silence`` that a silent worker is left alone while it computes: native code may hold Python's lock long."""


@dataclass(frozen=True)
class Limits:
    """Limits of the workers of one executor.

    Attributes:
        memory: Bytes of its own (pages of mapped data are not counted) above which a worker is replaced after a job.
        jobs: After so many it is replaced as well: what a library leaks a job stays bounded, and the 3 to 5 s of a new
            worker are, over 100 jobs, under 0.05 s each.
        job_seconds: Wall seconds after which a job is ended by force; None for no such limit.
        silence: Seconds without a sign of life after which a worker is ended that does not compute either.
    """

    memory: int
    jobs: int = 100
    job_seconds: float | None = None
    silence: float = 120.0

    def too_much(self, own: int, share: float = 1.0) -> bool:
        """Whether a worker with ``own`` bytes is to be ended while it works; ``share`` is a factor of the limit."""
        limit = self.memory * share
        return own > FAR_OVER * limit or (own > limit and memory_free() < SHORT * memory_total())


def fair_memory(workers: int) -> int:
    """Bytes for each of so many workers: 60 % of the memory divided among them, at least ``LEAST``."""
    return max(LEAST, int(0.6 * memory_total() / workers))
