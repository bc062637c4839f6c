"""What a notebook and the command line call."""

from fertune.api.experiment import run_experiment
from fertune.api.predict import predict
from fertune.api.runs import SearchRun, StackRun, open_run
from fertune.api.search import search
from fertune.api.spaces import find_space, known_settings
from fertune.api.stack import stack

__all__ = [
    "SearchRun",
    "StackRun",
    "find_space",
    "known_settings",
    "open_run",
    "predict",
    "run_experiment",
    "search",
    "stack",
]
