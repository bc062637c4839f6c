"""How often predictions are right on the rows that a data set labels, and on those that were nowhere trained on.

python benchmarks/reading.py s15.npz --data fer2013.csv
python benchmarks/reading.py runs/s15 --data fer2013.csv --split test --json reading.json

The predictions are what `fertune predict` writes (`row`, `proba`), or a run, which then predicts. The second line of
the table leaves out rows whose picture, or its exact mirror image, also stands among the train or validation rows.
Standard errors and intervals are those of `fertune.evaluation`: pictures are drawn again, twins together, which says
nothing of what another training would give. Each call reads labels once more: note it where others see it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import Table, write_json
from numpy.typing import NDArray

from fertune.api.predict import predict
from fertune.data import ImageDataset, open_dataset, twin_rows
from fertune.errors import DataError, FertuneError
from fertune.evaluation import accuracy, paired_bootstrap, predicted


def predictions(path: Path, data: str, split: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """``row`` (n,) and ``proba`` (n, classes) of an npz, or as a run predicts them."""
    with tempfile.TemporaryDirectory(prefix="fertune-reading-") as folder:
        file = predict(path, data, split=split, out=Path(folder) / "proba.npz") if path.is_dir() else path
        try:
            with np.load(file, allow_pickle=False) as stored:
                return stored["row"], stored["proba"]
        except Exception as error:  # numpy, zipfile and zlib each raise their own
            raise DataError(f"{path}: neither a run nor an npz with row and proba: {error}") from error


def score(proba: NDArray[Any], labels: NDArray[Any], groups: NDArray[Any]) -> dict[str, float]:
    """Accuracy with its standard error and 95 % interval, all as fractions."""
    right = predicted(proba) == labels
    # against an answer that is never right, the difference is the accuracy itself
    found = paired_bootstrap(np.stack([np.zeros_like(right), right], axis=1), groups)
    return {
        "n": len(labels),
        "accuracy": accuracy(proba, labels),
        "standard_error": float(found.standard_error[1]),
        "low": float(found.low[1]),
        "high": float(found.high[1]),
    }


def reading(dataset: ImageDataset, split: str, row: NDArray[Any], proba: NDArray[Any]) -> dict[str, dict[str, float]]:
    """Scores of all rows, and ``without_twins`` where only some have twins among the other labelled splits.

    Raises:
        DataError: Rows that come twice or are not of the split, or other classes.
    """
    if proba.shape != (len(row), dataset.n_classes):
        raise DataError(f"probabilities {proba.shape} for {len(row)} rows and {dataset.n_classes} classes")
    at = dataset.positions(split)
    _, mine, theirs = np.intersect1d(row, dataset.row_ids[at], return_indices=True)
    if len(mine) != len(row) or not len(row):
        raise DataError(
            f"{len(row) - len(mine)} of {len(row)} rows come twice or are not of {split}, which has {len(at)}"
        )
    proba, position = proba[mine], at[theirs]
    labels, groups = dataset.labels[position], dataset.groups[position]
    known = tuple(name for name in ("train", "validation") if name != split)
    alone = ~twin_rows(dataset, split, known)[theirs]
    found = {"all": score(proba, labels, groups)}
    if alone.any() and not alone.all():
        found["without_twins"] = score(proba[alone], labels[alone], groups[alone])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions", type=Path, help="npz of fertune predict, or folder of a run")
    parser.add_argument("--data", required=True, help="what fertune --data takes; has the labels")
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="(default test)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    args = parser.parse_args()
    try:
        row, proba = predictions(args.predictions, args.data, args.split)
        dataset = open_dataset(args.data)
        found = reading(dataset, args.split, row, proba)
    except FertuneError as error:
        parser.error(str(error))
    words = {"all": "all", "without_twins": "without those that also stand among the rows trained on"}
    table = Table([f"{args.split} rows", "n", "right, %", "standard error, points", "95 % interval"])
    for name, of in found.items():
        interval = f"{100 * of['low']:.2f} to {100 * of['high']:.2f}"
        table.row(words[name], f"{of['n']:,}", 100 * of["accuracy"], 100 * of["standard_error"], interval)
    print(table)
    write_json(args.json, {"data": dataset.fingerprint, "split": args.split, **found})


if __name__ == "__main__":
    main()
