"""The coordinator's own cost: thousands of scripted trials through the real verb, its real journal and its real report.

python benchmarks/coordinator.py --trials 10000

Four measured steps, each a process of its own: the search (`ft.search` as a user calls it, with a searcher that counts
and an executor whose trainings take no time), its resume, `fertune show` and `fertune report`. Nothing is trained.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import Table, machine, measured, scratch, write_json

from fertune.trial import (
    Complete,
    Event,
    Exhausted,
    Finished,
    Job,
    Outcome,
    Reported,
    Started,
    Suggestion,
    TrainResult,
    WorkerStatus,
)

PARAMS, PRIME = 6, 100_003


class Counting:
    """Suggests a new point at each ask; it costs nothing, so that the rest is what is measured."""

    def __init__(self, space: object, *, objective: object, seed: int, trials: int | None, max_epochs: int) -> None:
        self.trials, self.asked, self.epochs = trials or 0, 0, max_epochs

    def ask(self) -> Suggestion | Exhausted:
        if self.asked >= self.trials:
            return Exhausted("scripted end")
        self.asked += 1
        number = self.asked - 1
        point = {f"x{i}": (number * (2 * i + 3) % PRIME) / PRIME for i in range(PARAMS)}
        return Suggestion(number, point, self.epochs)

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        assert isinstance(outcome, Complete)

    def extend(self, trials: int) -> None:
        self.trials = trials


class Instant:
    """Every training reports its epochs and ends at once.

    Args:
        slots: Jobs that it holds at a time.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._jobs: deque[Job] = deque()
        self.first: tuple[float, float] | None = None

    @property
    def slots(self) -> int:
        return self._slots

    def submit(self, job: Job) -> None:
        if self.first is None:
            self.first = time.perf_counter(), time.process_time()
        self._jobs.append(job)

    def stop(self, job_id: str) -> None:
        return

    def events(self, timeout: float) -> Iterator[Event]:
        for _ in range(len(self._jobs)):
            job: Any = self._jobs.popleft()
            number = int(job.id.split("-")[1])
            yield Started(job.id, number % self._slots)
            best = 0.0
            for step in range(1, job.budget + 1):
                best = (number * 37 % 10007) / 10007 * step / job.budget
                logs = {"loss": 1.0, "accuracy": best, "val_loss": 1.5, "val_accuracy": best, "learning_rate": 1e-3}
                yield Reported(job.id, step, best, {**logs, "seconds": 1.25})
            yield Finished(job.id, TrainResult(best, job.budget, job.budget, 3.75, 123_456, "budget"))

    def status(self) -> list[WorkerStatus]:
        return []

    def close(self) -> None:
        return


def sit(run: str, trials: int, epochs: int, slots: int) -> None:
    """One sitting in this process; prints a JSON line of what it cost."""
    import fertune as ft
    from fertune.api import sitting

    executor = Instant(slots)
    sitting.make_executor = lambda *args, **kw: executor
    space = ft.Space("scripted", [ft.Float(f"x{i}", 0.0, 1.0) for i in range(PARAMS)], build=lambda *a: None)
    begun, cpu = time.perf_counter(), time.process_time()
    ft.search(
        space, data="builtin:digits", tuner=Counting, trials=trials, max_epochs=epochs, out=run, resume=True, workers=1
    )
    seconds, used = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    at = executor.first or (begun, cpu)
    first = {"first": at[0] - begun, "first_cpu": at[1] - cpu}
    print(json.dumps({"seconds": seconds, **first, "cpu": used, "peak_mb": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3, help="epochs that each trial reports (default 3)")
    parser.add_argument("--slots", type=int, default=4, help="trials at a time (default 4)")
    parser.add_argument("--out", type=Path, help="folder to work in (default: a passing one)")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--sit", metavar="RUN", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.sit:
        sit(args.sit, args.trials, args.epochs, args.slots)
        return
    with scratch(args.out) as folder:
        run = folder / "scripted"
        again = [__file__, "--sit", str(run), "--trials", str(args.trials), "--epochs", str(args.epochs)]
        again += ["--slots", str(args.slots)]
        env = {**os.environ, "FERTUNE_CACHE": str(folder / "cache")}
        fertune = [sys.executable, "-m", "fertune"]
        warm = measured([sys.executable, *again[:2], str(folder / "warm"), *again[3:4], "1", *again[5:]], folder, env)
        search = measured([sys.executable, *again], folder, env)
        inner = json.loads(search.output.splitlines()[-1])
        more = [str(args.trials + args.slots) if word == str(args.trials) else word for word in again]
        resume = measured([sys.executable, *more], folder, env)
        begun = json.loads(resume.output.splitlines()[-1])
        show = measured([*fertune, "show", str(run)], folder, env)
        report = measured([*fertune, "report", str(run), "-o", str(folder / "report.html")], folder, env)
        journal = (run / "journal.jsonl").stat().st_size / 1e6
        page = (folder / "report.html").stat().st_size / 1e6
    figures = {
        "machine": machine(),
        "command": sys.argv,
        "trials": args.trials,
        "epochs": args.epochs,
        "trials_a_second": args.trials / inner["seconds"],
        "search": {**inner, "wall": search.seconds},
        "resume": {**begun, "wall": resume.seconds},
        "one_trial": {"wall": warm.seconds, "peak_mb": warm.peak_mb},
        "show": {"wall": show.seconds, "peak_mb": show.peak_mb},
        "report": {"wall": report.seconds, "peak_mb": report.peak_mb, "page_mb": page},
        "journal_mb": journal,
    }
    table = Table(["step", "wall s", "CPU s", "peak MB", "aim"])
    rate = f"{figures['trials_a_second']:.0f} trials/s"
    table.row(
        f"search, {args.trials} trials x {args.epochs} epochs: {rate}",
        inner["seconds"],
        inner["cpu"],
        inner["peak_mb"],
        "500 trials/s, 300 MB",
    )
    table.row("resume, until a worker is given the next trial", begun["first"], begun["first_cpu"], "", "3 s")
    table.row(
        f"resume, {args.slots} more trials, and its summary", begun["seconds"], begun["cpu"], begun["peak_mb"], ""
    )
    table.row("resume, whole command", resume.seconds, resume.cpu, resume.peak_mb, "")
    table.row("a search of one trial, whole command", warm.seconds, warm.cpu, warm.peak_mb, "")
    table.row("fertune show", show.seconds, show.cpu, show.peak_mb, "")
    table.row(f"fertune report ({page:.1f} MB)", report.seconds, report.cpu, report.peak_mb, "20 s")
    print(table)
    print(f"\nThe journal has {journal:.1f} MB.")
    write_json(args.json, figures)


if __name__ == "__main__":
    main()
