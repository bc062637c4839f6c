"""fertune: hyperparameter search and honest stacking for image classifiers.

    import fertune as ft
    run = ft.search("leaky_cnn", data="builtin:faces", tuner="hyperband", trials=8)
    result = ft.stack([run, other])
    result.comparison()

Importing this module imports neither keras nor any engine; names are looked up when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fertune.api import (
        Checkup,
        Compared,
        Runs,
        SearchRun,
        StackRun,
        TrainedModel,
        Watched,
        bundle,
        compare,
        doctor,
        export_csv,
        export_curves,
        export_optuna,
        list_runs,
        load,
        open_run,
        predict,
        remove_runs,
        run_experiment,
        search,
        stack,
        watch,
    )
    from fertune.data import ImageDataset, ReadOptions, open_dataset
    from fertune.errors import (
        AllTrialsFailed,
        ConfigError,
        DataError,
        FertuneError,
        Interrupted,
        MissingPackage,
        RunError,
        SpaceError,
    )
    from fertune.sklearn import FertuneClassifier, MetaClassifier
    from fertune.space import Bool, Choice, Float, Int, Space, load_space
    from fertune.stacking.meta import OwnMetaLearner, register_meta_learner
    from fertune.trial import Complete, Exhausted, Failure, Pruned, Searcher, Suggestion, Trial, Wait

_HOMES = {
    "fertune.api": (
        "Checkup",
        "Compared",
        "Runs",
        "SearchRun",
        "StackRun",
        "TrainedModel",
        "Watched",
        "bundle",
        "compare",
        "doctor",
        "export_csv",
        "export_curves",
        "export_optuna",
        "list_runs",
        "remove_runs",
        "load",
        "open_run",
        "predict",
        "run_experiment",
        "search",
        "stack",
        "watch",
    ),
    "fertune.data": ("ImageDataset", "ReadOptions", "open_dataset"),
    "fertune.errors": (
        "AllTrialsFailed",
        "ConfigError",
        "DataError",
        "FertuneError",
        "Interrupted",
        "MissingPackage",
        "RunError",
        "SpaceError",
    ),
    "fertune.sklearn": ("FertuneClassifier", "MetaClassifier"),
    "fertune.space": ("Bool", "Choice", "Float", "Int", "Space", "load_space"),
    "fertune.stacking.meta": ("OwnMetaLearner", "register_meta_learner"),
    "fertune.trial": ("Complete", "Exhausted", "Failure", "Pruned", "Searcher", "Suggestion", "Trial", "Wait"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AllTrialsFailed",
    "Bool",
    "Checkup",
    "Choice",
    "Complete",
    "Compared",
    "ConfigError",
    "DataError",
    "Exhausted",
    "Failure",
    "FertuneClassifier",
    "FertuneError",
    "Float",
    "ImageDataset",
    "Int",
    "Interrupted",
    "MetaClassifier",
    "MissingPackage",
    "OwnMetaLearner",
    "Pruned",
    "ReadOptions",
    "RunError",
    "Runs",
    "SearchRun",
    "Searcher",
    "Space",
    "SpaceError",
    "StackRun",
    "Suggestion",
    "TrainedModel",
    "Trial",
    "Wait",
    "Watched",
    "bundle",
    "compare",
    "doctor",
    "export_csv",
    "export_curves",
    "export_optuna",
    "list_runs",
    "load",
    "load_space",
    "open_dataset",
    "open_run",
    "predict",
    "register_meta_learner",
    "remove_runs",
    "run_experiment",
    "search",
    "stack",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from fertune.api.describe import fertune_version

        return fertune_version()
    if name not in _HOME_OF:
        raise AttributeError(f"module 'fertune' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
