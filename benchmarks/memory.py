"""Memory over real trials: how much the coordinator and its worker grow.

python benchmarks/memory.py --trials 50

Trains tiny nets on the built-in digits in one warm worker and prints resident megabytes after each tenth trial, then
the growth a trial (from the 5th on, when everything is imported).
"""

from __future__ import annotations

import argparse
import os
import tempfile

import psutil

os.environ.setdefault("FERTUNE_COORDINATOR", "1")

import fertune as ft  # the variable above must be set first
from fertune.searching import Observer

MB = 1024 * 1024


class Meter(Observer):
    """Reads both processes whenever a trial has ended."""

    def __init__(self) -> None:
        self.me = psutil.Process()
        self.coordinator: list[float] = []
        self.worker: list[float] = []

    def trial_ended(self, trial: object, best: object) -> None:
        self.coordinator.append(self.me.memory_info().rss / MB)
        self.worker.append(max((c.memory_info().rss / MB for c in self.me.children(recursive=True)), default=0.0))
        if len(self.coordinator) % 10 == 0:
            print(
                f"trial {len(self.coordinator):4d}  coordinator {self.coordinator[-1]:7.1f} MB"
                f"  worker {self.worker[-1]:7.1f} MB",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=50)
    trials = parser.parse_args().trials
    space = ft.Space(
        "tiny",
        [ft.Float("learning_rate", 1e-3, 1e-2, log=True), ft.Choice("filters_1", (4, 8))],
        fixed={"blocks": 1, "dense_units": 0, "pooling": "average"},
    )
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        ft.search(space, data="builtin:digits", trials=trials, max_epochs=2, out=f"{folder}/run", observer=meter)
    grown = (meter.coordinator[-1] - meter.coordinator[4]) / (len(meter.coordinator) - 5)
    print(f"coordinator grew by {grown:.3f} MB a trial over trials 5 to {trials}")
    print(f"worker grew by {(meter.worker[-1] - meter.worker[4]) / (trials - 5):.3f} MB a trial")


if __name__ == "__main__":
    main()
