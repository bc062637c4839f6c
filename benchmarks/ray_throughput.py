"""Epochs a second of the same search on local workers and on a Ray cluster of this machine alone, in turn.

python benchmarks/ray_throughput.py --rounds 3

Each search is a process of its own, with the same seed, so both train the same configurations. The figure counts from
the first epoch's worker taking its job to the last trial's end; the start of Ray is shown beside it. `--quick` is a
small one, to see that it runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from common import (
    FERTUNE,
    Table,
    epochs_of,
    fresh_cache,
    journal,
    machine_line,
    measured,
    middle,
    scratch,
    spread,
    write_json,
)

SPACE = """\
name: throughput
model: conv
tuner: random
fixed: {dense_units: 64, blocks: 3, filters_1: 16}
recipe: {early_stopping_patience: 0}
params:
  filters_2: {type: choice, values: [24, 32, 40, 48]}
  filters_3: {type: choice, values: [32, 48, 64, 80]}
  learning_rate: {type: float, low: 5.0e-4, high: 5.0e-3, log: true}
"""


def figures(run: Path) -> tuple[int, float, list[float | None]]:
    """Epochs trained, seconds in which they were, and the values of the trials."""
    lines = journal(run)
    begun = min(line["time"] for line in lines if line["event"] == "started")
    told = [line for line in lines if line["event"] == "told"]
    values = [line.get("value") for line in sorted(told, key=lambda line: line["trial"])]
    return epochs_of(lines), max(line["time"] for line in told) - begun, values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="builtin:faces?n=3000&size=48")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--workers", default="2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="keeps the runs here")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="digits, 4 trials of 1 epoch, 1 round")
    given = parser.parse_args()
    if given.quick:
        given.data, given.trials, given.epochs, given.rounds = "builtin:digits", 4, 1, 1
    speed: dict[str, list[float]] = {"local": [], "ray": []}
    start: dict[str, list[float]] = {"local": [], "ray": []}
    seen: dict[str, list[float | None]] = {}
    with scratch(given.out) as folder:
        (folder / "throughput.yaml").write_text(SPACE, "utf-8")
        env = fresh_cache(folder)
        words = [*FERTUNE, "search", "--space", "throughput.yaml", "--data", given.data, "--trials", str(given.trials)]
        words += ["--max-epochs", str(given.epochs), "--workers", given.workers, "--tuner", "random"]
        measured([*FERTUNE, "data", "show", given.data], folder, env)  # both find it in the cache
        for at in range(given.rounds):
            for name in ("local", "ray") if at % 2 == 0 else ("ray", "local"):
                run = folder / f"{name}-{at}"
                whole = measured([*words, "--executor", name, "--out", str(run)], folder, env).seconds
                epochs, seconds, values = figures(run)
                speed[name].append(epochs / seconds)
                start[name].append(whole - seconds)
                same = seen.setdefault("values", values) == values
                print(f"{name:5}  {epochs / seconds:6.3f} epochs/s  {seconds:6.1f} s  same values: {same}", flush=True)
    table = Table(["executor", "epochs a second", "seconds before and after"])
    for name in speed:
        table.row(name, spread(speed[name], 3), spread(start[name]))
    ratio = middle(speed["ray"]) / middle(speed["local"])
    print(f"\n{table}\n\nRay over local: {ratio:.3f}. {machine_line()}")
    write_json(given.json, {"epochs_a_second": speed, "seconds_around": start, "ratio": ratio})


if __name__ == "__main__":
    main()
