"""The same quality: how soon fertune has the best validation accuracy that plain Keras Tuner Hyperband ends with.

python benchmarks/same_quality.py --fer2013 fer2013.csv --peer plain.py --peer-data fer2013/ --peer-python PYTHON

The peer runs to its end; fertune then searches the same faces with a space and an engine of its own choice, and the
clock runs from typing the command to the end of the first epoch that is as good. Both accuracies are search scores on
the same validation rows, so both are optimistic in the same way.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

from common import (
    Table,
    absolute,
    faces_options,
    fresh_cache,
    journal,
    measured,
    middle,
    options,
    peer_options,
    peer_versions,
    plain,
    report,
    scratch,
    search_command,
    search_options,
    spread,
    write_cut,
)


def fertune(args: argparse.Namespace, seed: int, seconds: float, data: Path, folder: Path) -> dict[str, Any]:
    """One search of at most ``seconds``; when each epoch ended, counted from the command."""
    run = folder / f"fertune-{seed}"
    words = ["--objective", "val_accuracy", "--time-budget", f"{max(1, math.ceil(seconds))}s", "--quiet"]
    command = search_command(args, args.space, data, run, seed, *words)
    environment = fresh_cache(folder)
    begun = time.time()
    done = measured(command, folder, environment)
    lines = [line for line in journal(run) if line["event"] == "epoch"]
    scores = [(line["time"] - begun, line["value"]) for line in lines if line["value"] is not None]
    return {"seconds": done.seconds, "scores": scores, "best": max((v for _, v in scores), default=0.0)}


def first(scores: list[tuple[float, float]], target: float) -> float | None:
    """Seconds to the first epoch that is as good as ``target``; the peer's is rounded to four digits."""
    return next((seconds for seconds, value in scores if value >= target - 5e-5), None)


def known(values: list[float]) -> list[float | None]:
    """As JSON has it: nothing where it was never reached."""
    return [value if math.isfinite(value) else None for value in values]


def main() -> None:
    parser = options(__doc__)
    faces_options(parser, train=6000, val=1500)
    peer_options(parser)
    search_options(parser, space="leaky_cnn")
    parser.add_argument("--epochs", type=int, default=6, help="most epochs of the peer's trials (default 6)")
    parser.add_argument("--tool", default="hyperband", help="of the peers' script (default hyperband)")
    parser.add_argument("--share", type=float, default=0.6, help="of the peer's time that fertune gets (default 0.6)")
    args = absolute(parser.parse_args())
    if args.quick:
        args.train, args.val, args.epochs, args.repeats, args.share = 640, 128, 2, 1, 1.0
    peers, ours, times, ratios = [], [], [], []
    with scratch(args.out) as folder:
        data = write_cut(folder / "faces.npz", args)
        for seed in range(1, args.repeats + 1):
            peers.append(plain(args, args.tool, seed, folder))
            target, seconds = peers[-1]["best"], peers[-1]["seconds"]
            ours.append(fertune(args, seed, args.share * seconds, data, folder))
            reached = first(ours[-1]["scores"], target)
            times.append(reached if reached is not None else math.inf)
            ratios.append(times[-1] / seconds)
            told = "never" if reached is None else f"after {reached:.1f} s"
            print(
                f"{seed}/{args.repeats} {args.tool} {target:.4f} in {seconds:.1f} s; fertune reached it {told}, "
                f"and {ours[-1]['best']:.4f} in {ours[-1]['seconds']:.1f} s",
                flush=True,
            )
    table = Table(["", "seconds", "best validation accuracy"])
    table.row(
        f"plain {args.tool}, to its end", spread([p["seconds"] for p in peers]), spread([p["best"] for p in peers], 3)
    )
    table.row(f"fertune, to that accuracy ({args.space})", spread(times), spread([p["best"] for p in peers], 3))
    table.row("fertune, to its end", spread([o["seconds"] for o in ours]), spread([o["best"] for o in ours], 3))
    share = middle(ratios)
    needed = f"fertune needed {share:.2f} of the time" if math.isfinite(share) else "fertune did not reach it in time"
    notes = [f"{needed}; medians of {args.repeats}. Aim: at most 0.4.", peer_versions(args.peer_python)]
    title = f"Same quality: the best of plain {args.tool} on {args.train} + {args.val} faces"
    figures = {"peer": peers, "fertune": ours, "seconds_to_it": known(times), "ratios": known(ratios)}
    report(title, table, notes, figures, args.json)


if __name__ == "__main__":
    main()
