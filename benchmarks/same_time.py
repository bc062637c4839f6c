"""The same time: what each tool returns after fifteen minutes, on faces that it never saw.

python benchmarks/same_time.py --fer2013 fer2013.csv --log readings.jsonl --tools fertune,fertune+stack
python benchmarks/same_time.py --fer2013 fer2013.csv --log readings.jsonl --peer budget.py --peer-data fer2013/
    --peer-python PYTHON

Every tool gets the Training rows alone and chooses on a tenth of them, the same tenth for all. What it returns
predicts PublicTest once; each reading is a line of `--log`. `fertune` is the default search, `fertune+stack` a search
with a part of the rows held out and its stack within the same time; the others are of the peers' script, whose options
only they need. Where `--peer-data` is given, predictions of PrivateTest are kept in `--out`, for whoever has its
labels.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    FERTUNE,
    Table,
    absolute,
    epochs_of,
    faces_options,
    fresh_cache,
    journal,
    last_json,
    measured,
    middle,
    options,
    peer,
    peer_options,
    peer_versions,
    read_fer2013,
    report,
    scratch,
    search_command,
    search_options,
    spread,
)

OURS = ("fertune", "fertune+stack")
PEERS = ("optuna", "random", "hyperband")


def write_faces(args: argparse.Namespace, folder: Path) -> tuple[Path, Path, Any, Any]:
    """What fertune searches on, what it predicts, the labels of PublicTest, and row ids of PrivateTest (or None).

    The cut of Training is that of the peers' script: a permutation by seed 0, its first tenth to validate with.
    """
    faces = read_fer2013(args.fer2013)
    x, y = faces["Training"]
    rows = np.random.default_rng(0).permutation(len(x))
    val, train = rows[: len(rows) // 10], rows[len(rows) // 10 :]
    public, labels = faces["PublicTest"]
    if args.quick:
        train, val, public, labels = train[:1280], val[:256], public[:256], labels[:256]
    search, asked = folder / "training.npz", folder / "asked.npz"
    np.savez(search, x_train=x[train], y_train=y[train], x_val=x[val], y_val=y[val])
    pictures, private_rows = public, None
    if args.peer_data is not None and not args.no_private:
        sys.path.insert(0, str(args.peer_data))
        import fer2013  # of the folder just named

        images, _, usage, _, row = fer2013.load(private=True)
        pictures, private_rows = np.concatenate([public, images[usage == 2]]), row[usage == 2]
    # labels of the asked rows stay here: -1 is unlabelled, so no command of fertune can read them
    np.savez(asked, x_train=x[train[:500]], y_train=y[train[:500]], x_test=pictures)
    return search, asked, labels, private_rows


def read_once(args: argparse.Namespace, run: Path, asked: Path, labels: Any, private: Any, folder: Path) -> float:
    """Predict, keep PrivateTest's probabilities, and compare PublicTest's with its labels, once."""
    out = run.with_suffix(".npz")
    command = [*FERTUNE, "predict", str(run), "--data", str(asked), "--split", "unlabelled", "--out", str(out)]
    measured([*command, "--quiet"], folder, fresh_cache(folder))
    with np.load(out) as stored:
        proba, row = stored["proba"], stored["row"]
    if len(proba) != len(labels) + (0 if private is None else len(private)) or np.any(np.diff(row) <= 0):
        raise SystemExit(f"{out}: {len(proba)} rows, or not in order")
    if private is not None:
        np.savez(run.with_name(f"{run.name}-private.npz"), row=private, proba=proba[len(labels) :])
    return float((proba[: len(labels)].argmax(1) == labels).mean())


def fertune(args: argparse.Namespace, tool: str, seed: int, search: Path, folder: Path) -> tuple[dict[str, Any], Path]:
    """A search, or a search and a stack of it, within ``--minutes``."""
    begun = time.perf_counter()
    total = 60 * args.minutes
    environment = fresh_cache(folder)
    run = folder / f"{tool}-{seed}-search"
    stacked = tool == "fertune+stack"
    share = args.search_share if stacked else 1.0
    words = ["--time-budget", f"{share * total - args.spare:.0f}s", "--quiet"]
    words += ["--holdout", str(args.holdout)] if stacked else []
    measured(search_command(args, args.space, search, run, seed, *words), folder, environment)
    if stacked:
        left = total - args.spare - (time.perf_counter() - begun)
        stack = folder / f"{tool}-{seed}-stack"
        command = [*FERTUNE, "stack", str(run), "--out", str(stack), "--quiet", "--time-budget", f"{left:.0f}s"]
        measured([*command, "--workers", args.workers, *args.stack.split()], folder, environment)
        final = stack
    else:
        final = run
    lines = journal(run)
    made = {
        "seconds": time.perf_counter() - begun,
        "trials": len({line["trial"] for line in lines if line["event"] == "asked"}),
        "epochs": epochs_of(lines),
    }
    return made, final


def plain(args: argparse.Namespace, tool: str, seed: int, folder: Path) -> dict[str, Any]:
    out = folder / f"{tool}-{seed}-private.npz"
    words = [tool, "--minutes", str(args.minutes), "--epochs", str(args.epochs), "--seed", str(seed)]
    done = peer(args, [*words, "--out", str(out)], folder)
    said = last_json(done.output)
    return {
        "seconds": said["search_s"],
        "wall": done.seconds,
        "trials": said["trials"],
        "epochs": said["epochs"],
        "accuracy": said["public_accuracy"],
        "parameters": said["params"],
    }


def main() -> None:
    parser = options(__doc__, repeats=1)
    faces_options(parser)
    peer_options(parser, required=False)
    search_options(parser, space="leaky_cnn")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--epochs", type=int, default=12, help="most epochs of a peer's trial (default 12)")
    every = ",".join((*OURS, *PEERS))
    parser.add_argument("--tools", default=every, metavar="A,B", help=f"which, in this order (default {every})")
    parser.add_argument("--search-share", type=float, default=0.93, help="of fertune+stack (default 0.93)")
    parser.add_argument("--holdout", type=float, default=0.05, help="rows kept for the stack (default 0.05)")
    parser.add_argument("--spare", type=float, default=5.0, help="seconds for starting and ending (default 5)")
    some = "--top 1 --meta mean,logistic,lda,decision_tree --meta-trials 5"
    parser.add_argument("--stack", default=some, metavar="WORDS", help=f"more words for fertune stack (default {some})")
    parser.add_argument("--no-private", action="store_true", help="predict PublicTest only")
    parser.add_argument("--log", type=Path, required=True, metavar="FILE", help="a line for each reading of PublicTest")
    args = absolute(parser.parse_args())
    if args.quick:
        args.minutes, args.epochs, args.no_private = min(args.minutes, 3.0), 1, True
        args.search_share, args.holdout = 0.5, 0.2
    tools = list(dict.fromkeys(args.tools.split(",")))
    unknown = [tool for tool in tools if tool not in (*OURS, *PEERS)]
    if unknown:
        parser.error(f"--tools: {', '.join(map(repr, unknown))}; there are {every}")
    if set(tools) & set(PEERS) and not (args.peer and args.peer_data):
        parser.error(f"{', '.join(PEERS)} need --peer and --peer-data; without them: --tools {','.join(OURS)}")
    results: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    with scratch(args.out) as folder:
        search, asked, labels, private = write_faces(args, folder)
        for seed in range(1, args.repeats + 1):
            for tool in tools:
                if tool in OURS:
                    made, run = fertune(args, tool, seed, search, folder)
                    made["accuracy"] = read_once(args, run, asked, labels, private, folder)
                else:
                    made = plain(args, tool, seed, folder)
                results[tool].append(made)
                print(f"{seed}/{args.repeats} {tool}: {made}", flush=True)
                with args.log.open("a", encoding="utf-8") as log:
                    read = {
                        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
                        "rows": "PublicTest",
                        "n": len(labels) if tool in OURS else "all",
                    }
                    log.write(json.dumps({**read, "tool": tool, "seed": seed, "quick": args.quick, **made}) + "\n")
    table = Table(["tool", "seconds", "trials", "epochs", "accuracy on PublicTest"])
    for tool, rows in results.items():
        table.row(
            tool,
            spread([r["seconds"] for r in rows], 0),
            spread([r["trials"] for r in rows], 0),
            spread([r["epochs"] for r in rows], 0),
            spread([100 * r["accuracy"] for r in rows], 2) + " %",
        )
    worst = max(middle([r["seconds"] for r in results[t]]) for t in tools)
    notes = [
        f"{args.minutes:g} minutes each (the longest took {worst:.0f} s), all Training rows, a tenth to choose on.",
        f"PublicTest was read once by each result and is logged in {args.log.name}. Aim: 66 %, better 68.5 %.",
    ]
    if set(tools) & set(PEERS):
        notes.append(peer_versions(args.peer_python))
    report(f"Same time: {args.minutes:g} minutes", table, notes, {"results": results}, args.json)


if __name__ == "__main__":
    main()
