"""How often the fold race would stop a trial that is as good as the best one: one net, trained with several seeds.

python benchmarks/fold_race.py --fer2013 fer2013.csv
python benchmarks/fold_race.py --data builtin:digits --seeds 10 --epochs 20

The middle net of `spaces/plain_cnn.yaml` with 16 filters (and moving means of fewer batches, for there are few) is
trained with each seed on the first two folds of a cross-validation.
For each pair of these, by the rows that were held out of one fold and of two, the more accurate one is the leader, and
the race asks whether the other one is worse: with the losses of a row being 0 or 1 (wrong), as fertune does, and with
1 - p of the right class. All differences are those of seeds: each stop is one too many. Equal accuracies are no pair.
"""

from __future__ import annotations

from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from common import Table, absolute, cut, options, plain_net, report, scratch, train_all

from fertune.config import AUTO, Where
from fertune.data import ImageDataset, open_dataset
from fertune.evaluation import accuracy, predicted, signed_rank
from fertune.execution import make_executor
from fertune.folds import make_folds
from fertune.searching.judging import LEVEL, held_out_of
from fertune.store.fold_files import write_folds
from fertune.trial import OBJECTIVES, Rows, TrainJob

LEVELS = (0.05, 1e-4, LEVEL)
SETTINGS = {**plain_net(filters_1=16), "norm_momentum": 0.9}


def main() -> None:
    parser = options(__doc__, repeats=None)
    parser.add_argument("--fer2013", type=Path, metavar="CSV", help="Kaggle's fer2013.csv")
    parser.add_argument("--rows", type=int, default=3500, help="first rows of its Training (default 3500)")
    parser.add_argument("--data", help="another data set, whole, in the stead of --fer2013")
    parser.add_argument("--seeds", type=int, default=8, help="trainings (default 8: 28 pairs)")
    parser.add_argument("--folds", type=int, default=3, help="of the cross-validation (default 3)")
    parser.add_argument("--epochs", type=int, default=10, help="(default 10)")
    parser.add_argument("--workers", default=AUTO, type=lambda n: n if n == AUTO else int(n), help="(default auto)")
    args = absolute(parser.parse_args())
    if (args.fer2013 is None) == (args.data is None):
        parser.error("one of --fer2013 and --data is needed")
    if args.quick:
        args.rows, args.seeds, args.epochs = 400, 3, 1
    with scratch(args.out) as folder:
        if args.data is None:
            faces = cut(args.fer2013, args.rows, 0)
            data = ImageDataset.from_arrays(faces["x_train"], faces["y_train"]).save(folder / "data")
        else:
            data = open_dataset(args.data)
        rows = data.positions("train", "validation")
        folds = make_folds(rows, data.labels, data.groups, k=args.folds, seed=0)
        write_folds(folder / "folds.npz", folds)

        def part(fold: int, name: str) -> Rows:
            return Rows(file=str(folder / "folds.npz"), key=f"fold{fold}_{name}")

        jobs = [
            TrainJob(
                id=f"{seed}-{fold}",
                data=str(data.folder),
                fingerprint=data.fingerprint,
                fit=part(fold, "fit"),
                stop=part(fold, "stop"),
                predict={"held_out": part(fold, "held_out")},
                family="conv",
                settings=SETTINGS,
                budget=args.epochs,
                objective=OBJECTIVES["val_accuracy"],
                seed=2 * seed + fold,
                out=str(held_out_of(folder / str(seed), fold).parent),
            )
            for seed in range(args.seeds)
            for fold in (0, 1)
        ]
        with closing(make_executor(Where(workers=args.workers), log_dir=folder, most=len(jobs))) as executor:
            train_all(executor, jobs)
        proba: list[list[Any]] = []
        for seed in range(args.seeds):
            files = [held_out_of(folder / str(seed), fold) for fold in (0, 1)]
            proba.append([np.load(file)["proba"] for file in files])
        held = [fold.held_out for fold in folds]
    table = Table(["after", "losses", "pairs", *(f"p < {level:g}" for level in LEVELS), "least p"])
    figures: dict[str, Any] = {}
    for after in (1, 2):
        at = np.concatenate(held[:after])
        labels, groups = np.asarray(data.labels[at]), data.groups[at]
        trained = [np.concatenate(p[:after]) for p in proba]
        scores = [accuracy(p, labels) for p in trained]
        pairs = [
            (i, j) if scores[i] > scores[j] else (j, i)
            for i, j in combinations(range(args.seeds), 2)
            if scores[i] != scores[j]
        ]
        losses = {
            "wrong or not": [(predicted(p) != labels).astype(float) for p in trained],
            "1 - p": [1.0 - p[np.arange(len(at)), labels] for p in trained],
        }
        for name, of in losses.items():
            p = [signed_rank(of[leader], of[other], groups) for leader, other in pairs]
            stopped = {f"{level:g}": sum(value < level for value in p) for level in LEVELS}
            figures[f"{after} {name}"] = {"pairs": len(pairs), "stopped": stopped, "p": sorted(p)}
            folds_word = f"{after} fold{'s' if after > 1 else ''}, {len(at)} rows"
            table.row(folds_word, name, len(pairs), *stopped.values(), f"{min(p, default=1.0):.1g}")
    what = args.data or f"{args.rows} faces of FER-2013"
    notes = [
        f"fertune stops at p < {LEVEL:g} with 'wrong or not'. Accuracies over both folds: "
        f"{min(scores):.3f} to {max(scores):.3f}."
    ]
    title = f"Fold race: {args.seeds} trainings of one net, {args.epochs} epochs, {what}, {args.folds} folds"
    report(title, table, notes, {"races": figures, "scores": scores}, args.json)


if __name__ == "__main__":
    main()
