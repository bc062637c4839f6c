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
        SearchRun,
        StackRun,
        open_run,
        predict,
        run_experiment,
        search,
        stack,
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
    from fertune.space import Bool, Choice, Float, Int, Space, load_space
    from fertune.trial import Trial

_HOMES = {
    "fertune.api": ("SearchRun", "StackRun", "open_run", "predict", "run_experiment", "search", "stack"),
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
    "fertune.space": ("Bool", "Choice", "Float", "Int", "Space", "load_space"),
    "fertune.trial": ("Trial",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AllTrialsFailed",
    "Bool",
    "Choice",
    "ConfigError",
    "DataError",
    "FertuneError",
    "Float",
    "ImageDataset",
    "Int",
    "Interrupted",
    "MissingPackage",
    "ReadOptions",
    "RunError",
    "SearchRun",
    "Space",
    "SpaceError",
    "StackRun",
    "Trial",
    "load_space",
    "open_dataset",
    "open_run",
    "predict",
    "run_experiment",
    "search",
    "stack",
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
