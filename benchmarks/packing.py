"""Packing: the same trials by one worker with all cores, and by several workers that share them.

python benchmarks/packing.py --fer2013 fer2013.csv

All trials are given the same epochs and none stops early, so both do the same work. Epochs a second are counted from
the first start of a training to the end of the last: starting the workers is told beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml
from common import (
    FERTUNE,
    Table,
    absolute,
    epochs_of,
    fresh_cache,
    journal,
    measured,
    middle,
    options,
    report,
    scratch,
    spread,
    write_cut,
)

SPACE = Path(__file__).parent / "spaces" / "plain_cnn.yaml"


def without_stops(folder: Path) -> Path:
    """plain_cnn without early stopping."""
    space = yaml.safe_load(SPACE.read_text("utf-8"))
    space["recipe"] |= {"early_stopping_patience": 0, "reduce_lr_patience": 0}
    path = folder / "plain_cnn.yaml"
    path.write_text(yaml.safe_dump(space, sort_keys=False), "utf-8")
    return path


def search(args: argparse.Namespace, workers: str, seed: int, space: str, data: Path, folder: Path) -> dict[str, Any]:
    run = folder / f"{workers}-workers-{seed}"
    command = [*FERTUNE, "search", "--space", space, "--data", str(data), "--tuner", "random", "--out", str(run)]
    command += ["--trials", str(args.trials), "--max-epochs", str(args.epochs), "--seed", str(seed), "--quiet"]
    done = measured([*command, "--workers", workers, *args.fertune], folder, fresh_cache(folder))
    lines = journal(run)
    begun = min(line["time"] for line in lines if line["event"] == "started")
    ended = max(line["time"] for line in lines if line["event"] == "told")
    epochs = epochs_of(lines)
    return {"seconds": done.seconds, "training": ended - begun, "epochs": epochs, "rate": epochs / (ended - begun),
            "whole_rate": epochs / done.seconds, "peak_mb": done.peak_mb}  # fmt: skip


def main() -> None:
    parser = options(__doc__, peers=False)
    parser.add_argument("--train", type=int, default=6000)
    parser.add_argument("--val", type=int, default=1500)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--workers", default="1,4", metavar="A,B", help="the first is what is compared with (1,4)")
    parser.add_argument("--space", help="another space; its trials may stop early (default plain_cnn, without stops)")
    parser.add_argument("fertune", nargs="*", help="more words for fertune search, after --")
    args = absolute(parser.parse_args())
    if args.quick:
        args.train, args.val, args.trials, args.epochs, args.repeats = 640, 128, 4, 1, 1
    counts = args.workers.split(",")
    results: dict[str, list[dict[str, Any]]] = {n: [] for n in counts}
    with scratch(args.out) as folder:
        data = write_cut(folder / "faces.npz", args.fer2013, args.train, args.val)
        space = args.space or str(without_stops(folder))
        for seed in range(1, args.repeats + 1):
            for n in counts if seed % 2 else reversed(counts):
                results[n].append(search(args, n, seed, space, data, folder))
                print(f"{seed}/{args.repeats} {n} workers: {results[n][-1]['rate']:.3f} epochs/s", flush=True)
    base = middle([r["rate"] for r in results[counts[0]]])
    table = Table(["workers", "epochs a second", "times the first", "of the whole command", "wall s", "peak MB"])
    gains = {}
    for n, rows in results.items():
        gains[n] = middle([r["rate"] for r in rows]) / base
        cells = [spread([r["whole_rate"] for r in rows], 3), spread([r["seconds"] for r in rows])]
        table.row(n, spread([r["rate"] for r in rows], 3), f"{gains[n]:.2f}", *cells,
                  spread([r["peak_mb"] for r in rows], 0))  # fmt: skip
    title = f"Packing: {args.trials} trials of {args.epochs} epochs, {args.train} faces"
    notes = [f"Medians of {args.repeats}, in turns. Aim: 1.4 times with four workers on four cores."]
    report(title, table, notes, {"results": results, "gains": gains}, args.json)


if __name__ == "__main__":
    main()
