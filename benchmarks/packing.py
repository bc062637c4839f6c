"""Packing: the same trainings by one worker that has all cores, and by several that share them.

python benchmarks/packing.py --fer2013 fer2013.csv

All trainings are of the middle net of `spaces/plain_cnn.yaml` (or `--filters`), on the same faces, for the same epochs;
nothing ends one early. Workers are started before the clock and have trained such a net once. Both ways then take turns
at so many trainings that every worker has equally many, and each waits while the other works. Two speeds are told:
of whole trainings (building, tracing, writing the files, and waiting for the last one included), and of epochs after
each training's first, which is the bare speed of training and of predicting the validation rows.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from common import Table, absolute, cut, faces_options, middle, options, plain_net, report, scratch, spread, train_all

from fertune.config import Where
from fertune.data import ImageDataset
from fertune.execution import make_executor
from fertune.execution.machine import cores
from fertune.trial import OBJECTIVES, Executor, Rows, TrainJob


class Way:
    """One way to share the cores.

    Args:
        executor: Its workers.
        data: Lies in a folder.
        args: ``trials``, ``epochs`` and ``filters``.
        folder: For what is trained.
    """

    def __init__(self, executor: Executor, data: ImageDataset, args: argparse.Namespace, folder: Path) -> None:
        self._executor, self._data, self._args, self._folder = executor, data, args, folder

    def _jobs(self, count: int, epochs: int) -> list[TrainJob]:
        settings = plain_net(filters_1=self._args.filters)
        return [
            TrainJob(
                id=str(n),
                data=str(self._data.folder),
                fingerprint=self._data.fingerprint,
                fit=Rows(("train",)),
                stop=Rows(("validation",)),
                family="conv",
                settings=settings,
                budget=epochs,
                objective=OBJECTIVES["val_accuracy"],
                seed=n,
                out=str(self._folder / str(n)),
            )
            for n in range(count)
        ]

    def warm(self) -> None:
        """Until every worker has trained once."""
        slots = self._executor.slots
        while sum(worker.jobs > 0 for worker in self._executor.status()) < slots:
            train_all(self._executor, self._jobs(slots, 1))

    def turn(self) -> dict[str, float]:
        """Epochs a second of one round."""
        begun = time.perf_counter()
        epochs = train_all(self._executor, self._jobs(self._args.trials, self._args.epochs))
        seconds = time.perf_counter() - begun
        later = [epoch.logs["seconds"] for epoch in epochs if epoch.step > 1]
        return {
            "seconds": seconds,
            "whole": len(epochs) / seconds,
            "later": self._executor.slots * len(later) / sum(later),
        }


def main() -> None:
    parser = options(__doc__)
    faces_options(parser, train=1500, val=500)
    few = min(4, cores())
    parser.add_argument("--workers", type=int, default=few, help=f"beside the one with all cores (default {few})")
    parser.add_argument("--trials", type=int, help="trainings in a round (default: one for each of the workers)")
    parser.add_argument("--epochs", type=int, default=4, help="of a training, at least 2 (default 4)")
    parser.add_argument("--filters", type=int, choices=(16, 32, 48), default=32, help="of the first block (default 32)")
    args = absolute(parser.parse_args())
    if args.quick:
        args.train, args.val, args.epochs, args.repeats = 256, 64, 2, 1
    args.trials = args.trials or args.workers
    if args.workers < 2 or args.trials % args.workers or args.epochs < 2:
        parser.error("--workers of at least 2, a multiple of it as --trials, and --epochs of at least 2 are needed")
    counts = (1, args.workers)
    results: dict[int, list[dict[str, Any]]] = {n: [] for n in counts}
    with scratch(args.out) as folder, ExitStack() as stack:
        data = ImageDataset.from_arrays(**cut(args.fer2013, args.train, args.val)).save(folder / "data")
        ways = {}
        for n in counts:
            own = folder / f"{n}-workers"
            own.mkdir(exist_ok=True)
            executor = stack.enter_context(closing(make_executor(Where(workers=n, gpus="none"), log_dir=own)))
            ways[n] = Way(executor, data, args, own)
            ways[n].warm()
        for at in range(args.repeats):
            for n in counts if at % 2 == 0 else reversed(counts):
                results[n].append(ways[n].turn())
                print(f"{at + 1}/{args.repeats} {n} workers: {results[n][-1]['whole']:.3f} epochs/s", flush=True)
    speeds = {n: {kind: middle([r[kind] for r in rows]) for kind in ("whole", "later")} for n, rows in results.items()}
    gains = {n: {kind: speeds[n][kind] / speeds[1][kind] for kind in ("whole", "later")} for n in counts}
    table = Table(
        [
            "workers x cores",
            "epochs a second",
            "times one worker's",
            "after the first epoch",
            "times one worker's",
            "s a round",
        ]
    )
    for n, rows in results.items():
        table.row(
            f"{n} x {max(1, cores() // n)}",
            spread([r["whole"] for r in rows], 3),
            f"{gains[n]['whole']:.2f}",
            spread([r["later"] for r in rows], 3),
            f"{gains[n]['later']:.2f}",
            spread([r["seconds"] for r in rows]),
        )
    title = (
        f"Packing: {args.trials} trainings of {args.epochs} epochs, {args.train} + {args.val} faces, "
        f"{args.filters} filters"
    )
    notes = [f"Medians of {args.repeats}, in turns, warm workers. Aim: 1.4 times with four workers on four cores."]
    report(title, table, notes, {"results": results, "gains": gains}, args.json)


if __name__ == "__main__":
    main()
