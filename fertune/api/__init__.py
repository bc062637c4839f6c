"""What a notebook and the command line call."""

from fertune.api.bundle import bundle, load
from fertune.api.compare import Compared, compare
from fertune.api.data import look_at_data
from fertune.api.doctor import Checkup, doctor
from fertune.api.experiment import run_experiment
from fertune.api.export import export_csv, export_curves, export_optuna
from fertune.api.listing import Runs, list_runs
from fertune.api.predict import predict, predict_pictures
from fertune.api.remove import remove_runs
from fertune.api.runs import SearchRun, StackRun, open_run
from fertune.api.search import search
from fertune.api.spaces import find_space, known_settings
from fertune.api.stack import stack
from fertune.api.watch import Watched, watch
from fertune.bundles import TrainedModel

__all__ = [
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
    "find_space",
    "known_settings",
    "list_runs",
    "load",
    "look_at_data",
    "open_run",
    "predict",
    "predict_pictures",
    "remove_runs",
    "run_experiment",
    "search",
    "stack",
    "watch",
]
