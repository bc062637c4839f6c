"""What a worker runs: training and prediction jobs. The face that the executors see."""

from __future__ import annotations

import traceback

from fertune.models.engine import load_keras
from fertune.training.context import Context
from fertune.training.failures import classify
from fertune.training.memory import forgetting, limit_gpu, settle
from fertune.trial import Job, PredictJob, TrainJob, TrainResult

__all__ = ["classify", "run", "warm"]


def warm() -> None:
    """Import what the first job needs: Keras, its backend (3 to 5 s), and the code of a training.

    Raises:
        MissingPackage: Keras or its backend is not installed.
    """
    load_keras()
    limit_gpu()
    from fertune.training import predict, train  # noqa: F401


def run(job: Job, context: Context) -> TrainResult | None:
    """Do one job; whatever it raises is told by ``classify``. Memory of its model is given back either way.

    Returns:
        A TrainResult for a TrainJob, None for a PredictJob.

    Raises:
        MissingPackage: Keras or its backend is not installed.
        Exception: What ``train`` and ``predict`` raise.
    """
    load_keras()
    limit_gpu()
    settle()
    with forgetting():
        try:
            if isinstance(job, TrainJob):
                from fertune.training.train import train

                return train(job, context)
            if isinstance(job, PredictJob):
                from fertune.training.predict import predict

                predict(job)
                return None
            raise TypeError(f"no runner for a {type(job).__name__}")
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)  # they hold the model
            raise
