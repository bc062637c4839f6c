"""The configurations that plain Keras Tuner's RandomSearch draws from the space of the peers' script, as JSON.

Runs in the peers' environment: `python drawn.py SEED TRIALS`. Its random oracle draws from the seed alone, so that
fertune can be given the very same configurations, and both train the same nets.
"""

from __future__ import annotations

import json
import sys

import keras_tuner


def main() -> None:
    seed, trials = int(sys.argv[1]), int(sys.argv[2])
    space = keras_tuner.HyperParameters()
    space.Int("filters", 16, 48, step=16)
    space.Choice("kernel", [3, 5])
    space.Float("dropout", 0.1, 0.5, step=0.1)
    space.Float("l2", 1e-5, 1e-3, sampling="log")
    space.Float("lr", 3e-4, 3e-3, sampling="log")
    space.Choice("dense", [128, 256])
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("val_accuracy", "max"), max_trials=trials, seed=seed, hyperparameters=space
    )
    names = {"filters": "filters_1", "kernel": "kernel_1", "lr": "learning_rate", "dense": "dense_units"}
    for number in range(trials):
        values = oracle.populate_space(str(number))["values"]
        print(json.dumps({names.get(name, name): value for name, value in values.items()}))


if __name__ == "__main__":
    main()
