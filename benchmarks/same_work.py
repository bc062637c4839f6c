"""The same work: fertune and what a user would write instead, on the same configurations, faces and cores.

python benchmarks/same_work.py --fer2013 fer2013.csv --peer plain.py --peer-data fer2013/ --peer-python peers/bin/python

Twelve configurations of `spaces/plain_cnn.yaml`, up to six epochs each, 6,000 training and 1,500 validation faces.
fertune trains the very configurations that plain Keras Tuner draws (`drawn.py`); Optuna draws its own. Commands take
turns, each from an empty cache, and their whole wall time is told: starting, reading, training, ending.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import yaml
from common import (
    PLAIN_SPACE,
    Table,
    absolute,
    epochs_of,
    faces_options,
    fresh_cache,
    idle_at_the_end,
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


def with_start(args: argparse.Namespace, seed: int, folder: Path) -> Path:
    """The space with the configurations that the peer will draw as those to try first."""
    script = Path(__file__).parent / "drawn.py"
    drawn = measured([args.peer_python, str(script), str(seed), str(args.trials)], folder)
    start = [json.loads(line) for line in drawn.output.splitlines() if line.startswith("{")]
    for params in start:
        params["dropout"] = round(params["dropout"], 1)
    space = {**yaml.safe_load(PLAIN_SPACE.read_text("utf-8")), "start": start}
    path = folder / f"plain_cnn_{seed}.yaml"
    path.write_text(yaml.safe_dump(space, sort_keys=False), "utf-8")
    return path


def fertune(args: argparse.Namespace, seed: int, data: Path, folder: Path) -> dict[str, Any]:
    run = folder / f"fertune-{seed}"
    words = ["--tuner", "random", "--trials", str(args.trials), "--max-epochs", str(args.epochs), "--json"]
    command = search_command(args, with_start(args, seed, folder), data, run, seed, *words)
    done = measured(command, folder, fresh_cache(folder))
    document, lines = json.loads(done.output), journal(run)
    return {
        "seconds": done.seconds,
        "cpu": done.cpu,
        "peak_mb": done.peak_mb,
        "best": document["best"]["value"],
        "trials": len(document["trials"]),
        "epochs": epochs_of(lines),
        "idle_at_the_end": idle_at_the_end(lines),
        "configurations": [t["params"] for t in document["trials"]],
    }


def main() -> None:
    parser = options(__doc__)
    faces_options(parser, train=6000, val=1500)
    peer_options(parser)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--peers", default="random,optuna", help="tools of the peers' script (default random,optuna)")
    search_options(parser)
    args = absolute(parser.parse_args())
    if args.quick:
        args.train, args.val, args.trials, args.epochs, args.repeats = 640, 128, 2, 1, 1
    tools = ["fertune", *args.peers.split(",")]
    results: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    with scratch(args.out) as folder:
        data = write_cut(folder / "faces.npz", args)
        for seed in range(1, args.repeats + 1):
            # each repeat begins with another one: what heats or loads the machine meets all alike
            turn = [tools[(seed - 1 + i) % len(tools)] for i in range(len(tools))]
            for tool in turn:
                if tool == "fertune":
                    made = fertune(args, seed, data, folder)
                else:
                    made = plain(args, tool, seed, folder, args.trials)
                results[tool].append(made)
                print(f"{seed}/{args.repeats} {tool}: {made['seconds']:.1f} s, best {made['best']:.4f}", flush=True)
    ours = middle([r["seconds"] for r in results["fertune"]])
    table = Table(["tool", "wall s", "fertune / it", "epochs", "CPU s", "peak MB", "best validation accuracy"])
    ratios = {}
    for tool, rows in results.items():
        ratios[tool] = ours / middle([r["seconds"] for r in rows])
        table.row(
            tool,
            spread([r["seconds"] for r in rows]),
            "" if tool == "fertune" else f"{ratios[tool]:.2f}",
            spread([r["epochs"] for r in rows], 0),
            spread([r["cpu"] for r in rows], 0),
            spread([r["peak_mb"] for r in rows], 0),
            spread([r["best"] for r in rows], 3),
        )
    title = f"Same work: {args.trials} configurations, up to {args.epochs} epochs, {args.train} + {args.val} faces"
    idle = "; ".join(", ".join(f"{s:.0f}" for s in made["idle_at_the_end"]) for made in results["fertune"])
    notes = [
        f"Medians of {args.repeats} (least to greatest), whole commands in turns. `random` trained fertune's "
        "configurations, `optuna` its own. Aim: at most 0.75.",
        f"Seconds for which fertune's workers had nothing left to do at the end, repeat by repeat: {idle}.",
        peer_versions(args.peer_python),
    ]
    report(title, table, notes, {"results": results, "fertune_over": ratios, "workers": args.workers}, args.json)


if __name__ == "__main__":
    main()
