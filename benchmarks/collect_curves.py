"""Learning curves and seconds an epoch of finished runs, as numbers alone: what `simulation.py` plays.

python benchmarks/collect_curves.py runs/curves --epochs 27 --out benchmarks/curves/small-faces.json

Takes the trials that were trained at least so many epochs; the first of these count. A trial's seconds an epoch are the
median of its own. No picture, name or path of the data is kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from fertune.store import open_record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("--note", default="", help="one sentence on what was trained, kept in the file")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    curves = []
    for run in given.runs:
        for trial in open_record(run).trials:
            rows = trial.history[: given.epochs]
            if len(rows) == given.epochs:
                seconds = statistics.median(float(row["seconds"]) for row in rows)
                curves.append({"seconds": round(seconds, 3), "values": [round(float(row["value"]), 4) for row in rows]})
    head = json.dumps({"epochs": given.epochs, "objective": "val_accuracy", "note": given.note})[1:-1]
    lines = ",\n".join(json.dumps(curve) for curve in curves)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(f'{{{head}, "curves": [\n{lines}\n]}}\n', "utf-8")
    print(f"{len(curves)} curves: {given.out}")


if __name__ == "__main__":
    main()
