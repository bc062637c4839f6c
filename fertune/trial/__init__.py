"""Values that travel between who proposes, who runs, and the loop between them; and the two protocols."""

from fertune.trial.job import (
    Event,
    Failed,
    Finished,
    Job,
    PredictJob,
    Reported,
    Rows,
    Started,
    TrainJob,
    TrainResult,
    WorkerStatus,
)
from fertune.trial.objective import OBJECTIVES, SECOND_OBJECTIVES, Objective, objectives
from fertune.trial.pareto import pareto_front
from fertune.trial.protocols import Executor, Searcher
from fertune.trial.suggestion import (
    Complete,
    Exhausted,
    Failure,
    FailureKind,
    Outcome,
    Params,
    Pruned,
    Suggestion,
    Value,
    Wait,
)
from fertune.trial.trial import Rung, State, Trial
from fertune.trial.tuners import OWN, TUNERS, Tuner, library_of

__all__ = [
    "OBJECTIVES",
    "OWN",
    "SECOND_OBJECTIVES",
    "TUNERS",
    "PredictJob",
    "Complete",
    "Event",
    "Executor",
    "Exhausted",
    "Failed",
    "Failure",
    "FailureKind",
    "Finished",
    "Job",
    "Objective",
    "Outcome",
    "Params",
    "Pruned",
    "Reported",
    "Rows",
    "Rung",
    "Searcher",
    "Started",
    "State",
    "Suggestion",
    "TrainJob",
    "TrainResult",
    "Trial",
    "Tuner",
    "Value",
    "Wait",
    "WorkerStatus",
    "library_of",
    "objectives",
    "pareto_front",
]
