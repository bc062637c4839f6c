"""Who gets which cores and which GPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fertune.errors import ConfigError
from fertune.execution.gpus import Gpu


@dataclass(frozen=True)
class Slot:
    """The place of one worker.

    Attributes:
        number: From 0.
        threads: Cores it may use.
        gpu: The GPU it sees; None: as the environment has it.
        share: Part of that GPU's memory which it may take, above 0 to 1.
    """

    number: int
    threads: int
    gpu: Gpu | None = None
    share: float = 1.0

    @property
    def device(self) -> str:
        return "cpu" if self.gpu is None else f"gpu:{self.gpu.id}"


def share_out(
    workers: int, cores: int, gpus: Sequence[Gpu] = (), *, per_gpu: int = 1, threads: int | None = None
) -> list[Slot]:
    """Places for ``workers``; cores that are left over go to the first ones.

    Args:
        workers: At least 1.
        cores: Of the machine. Where there are fewer than workers, each has one all the same.
        gpus: Handed out in turn.
        per_gpu: Workers that share one at most.
        threads: Cores of each; by default all are shared out.

    Raises:
        ConfigError: More workers than the GPUs take.
    """
    if gpus and workers > len(gpus) * per_gpu:
        raise ConfigError(
            f"{workers} workers do not fit on {len(gpus)} GPU{'s' if len(gpus) > 1 else ''} with {per_gpu} on each",
            help=f"--workers {len(gpus) * per_gpu}, --per-gpu {-(-workers // len(gpus))}, or --gpus none",
        )
    each, over = divmod(cores, workers)
    places = []
    for number in range(workers):
        gpu = gpus[number % len(gpus)] if gpus else None
        sharing = len(range(number % len(gpus), workers, len(gpus))) if gpus else 1
        places.append(Slot(number, threads or max(1, each + (number < over)), gpu, 1 / sharing))
    return places


def whole_machine(places: Sequence[Slot], cores: int) -> Slot:
    """The place of a job that runs alone: all cores, and the first GPU to itself."""
    return Slot(len(places), cores, places[0].gpu)
