"""The loop's own cost: scripted trials of no training, the journal written as in a real search.

python benchmarks/coordinator.py --trials 2000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from fertune.searching import Search
from fertune.store import Journal
from fertune.trial import OBJECTIVES, Event, Exhausted, Finished, Job, Outcome, Reported, Suggestion, TrainResult


class Counting:
    """Suggests 0, 1, 2, ..."""

    def __init__(self, trials: int) -> None:
        self.trials, self.asked = trials, 0

    def ask(self) -> Suggestion | Exhausted:
        if self.asked == self.trials:
            return Exhausted("done")
        self.asked += 1
        return Suggestion(self.asked - 1, {"x": self.asked - 1}, 3)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        return


class Instant:
    """Every job reports three epochs and ends at once."""

    slots = 4

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def stop(self, job_id: str) -> None:
        return

    def events(self, timeout: float) -> Iterator[Event]:
        if not self.jobs:
            return
        job = self.jobs.pop(0)
        for step in (1, 2, 3):
            yield Reported(job.id, step, step / 10, {"loss": 1.0, "val_loss": 1.0, "val_accuracy": step / 10})
        yield Finished(job.id, TrainResult(0.3, 3, 3, 1.0, 1, "budget"))

    def close(self) -> None:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        begun = time.perf_counter()
        Search(
            searcher=Counting(trials),
            executor=Instant(),
            journal=Journal(path),
            make_job=lambda trial, suggestion: SimpleNamespace(id=str(suggestion.ticket)),
            objective=OBJECTIVES["val_accuracy"],
        ).run()
        seconds = time.perf_counter() - begun
        begun = time.perf_counter()
        Search(
            searcher=Counting(0),
            executor=Instant(),
            journal=Journal(path),
            make_job=lambda trial, suggestion: SimpleNamespace(id="0"),
            objective=OBJECTIVES["val_accuracy"],
        )
        resumed = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{trials} scripted trials: {trials / seconds:.0f} a second, peak {peak:.0f} MB")
    print(f"their journal was read in {resumed:.2f} s")


if __name__ == "__main__":
    main()
