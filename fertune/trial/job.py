"""What an Executor is given, and what it says while and after it runs. Small frozen values that pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fertune.trial.objective import Objective
from fertune.trial.suggestion import Failure, Value


@dataclass(frozen=True)
class Rows:
    """Which rows of a data set, by name or by file, never by value.

    Attributes:
        splits: Names of splits, e.g. ``("train",)``; used where ``file`` is None.
        file: An npz file whose array ``key`` (int32) holds positions in the data set.
    """

    splits: tuple[str, ...] = ()
    file: str | None = None
    key: str = ""


class Job(Protocol):
    """Anything with an id that the executor's runner understands."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class TrainJob:
    """Train one configuration once, in a child.

    Attributes:
        id: Unique in the run.
        data: Folder of the cached data set (memory maps).
        fingerprint: What that data set must have; checked by the child.
        fit: Rows that gradients see.
        stop: Rows that early stopping, schedules and the choice of the best epoch watch.
        predict: name -> Rows whose probabilities the best epoch's model writes to ``<out>/<name>.npz`` after training
            (``row`` int32, ``proba`` float32 (n, classes)); never watched.
        family: Name of a model family in ``fertune.models``, or ``"custom"``.
        build: cloudpickled ``build(params, input_shape, n_classes)`` where family is custom; never stored.
        settings: Everything fixed, of the recipe, and suggested: one flat dict of plain values.
        budget: Epochs to have been trained in all at the end.
        objective: Chooses the best epoch.
        seed: Of weights, dropout, augmentation and the order of rows.
        class_weight: ``none``, ``balanced`` or ``sqrt``.
        out: Folder for ``model.keras``, predictions and, where ``keep_state``, the full state.
        resume: Folder that holds the full state of an earlier stretch, or of this one where it was cut off; None starts
            anew, and so does a state that is damaged or of another job.
        told: Epochs that earlier stretches told of: those that the state holds beyond are reported again, first. None:
            none of them is.
        keep_state: Whether a later stretch may go on from here: the full state is written at the end.
        checkpoint: Seconds between two writings of the full state while it trains, from which a training that is cut
            off can go on; it is also written where the job is told to stop. None writes none before the end.
        max_params: A model with more weights is not trained; None: any size is.
        latency: Measure how long the trained model takes for a picture.
        horizon: Epoch at which a schedule that is annealed ends; None: at ``budget``. A trial that may be promoted
            has its largest budget here, so that a later stretch goes on along the same schedule.
        share: Part of the ``fit`` rows that is used, above 0 to 1; a smaller part is contained in a larger one.
        alone: Run it with all cores of the machine, when nothing else runs there.
        seconds: See ``Suggestion``; all stretches of the training together.

    Rows may repeat in ``fit`` (a bootstrap): they are trained as often as they stand there.
    """

    id: str
    data: str
    fingerprint: str
    fit: Rows
    stop: Rows
    family: str
    settings: Mapping[str, Value]
    budget: int
    objective: Objective
    seed: int
    out: str
    class_weight: str = "none"
    predict: Mapping[str, Rows] = field(default_factory=dict)
    build: bytes | None = None
    resume: str | None = None
    told: int | None = None
    keep_state: bool = False
    checkpoint: float | None = None
    max_params: int | None = None
    latency: bool = False
    horizon: int | None = None
    share: float = 1.0
    alone: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class PredictJob:
    """Probabilities of a kept model for some rows, written to ``out`` (npz: ``row`` int32, ``proba`` float32 (n, c)).

    Attributes:
        model: Path of a ``.keras`` file, loaded with ``safe_mode``.
        out: Path of the npz file.
    """

    id: str
    data: str
    fingerprint: str
    rows: Rows
    model: str
    out: str


@dataclass(frozen=True)
class TrainResult:
    """What a finished TrainJob leaves behind.

    Attributes:
        value: Objective at the best epoch.
        best_epoch: From 1.
        epochs: Trained in all.
        seconds: Wall seconds of this stretch, building and saving included; of a sitting that was cut off only those
            of the epochs that its state held.
        parameters: Weights of the model.
        ended_by: ``budget``, ``early stopping``, ``pruned`` or ``stopped``.
        memory: Resident bytes of the worker after the job.
        latency: Milliseconds a picture; None where it was not asked for, or nothing was trained.
        note: One clause for people on what did not go as usual; mostly empty.
    """

    value: float
    best_epoch: int
    epochs: int
    seconds: float
    parameters: int
    ended_by: str
    memory: int = 0
    latency: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Started:
    """A worker took the job; comes before anything else of it.

    Attributes:
        job_id: Of the job.
        worker: Number of the worker, from 0.
    """

    job_id: str
    worker: int = 0


@dataclass(frozen=True)
class Reported:
    """One epoch is done. The worker waits until the next event is asked for, so an answer is never late.

    Attributes:
        job_id: Of the job.
        step: Epochs trained in all, from 1.
        value: The objective after this epoch.
        logs: See ``Trial.history``.
    """

    job_id: str
    step: int
    value: float
    logs: dict[str, float]


@dataclass(frozen=True)
class Finished:
    """The job ended well; ``result`` is what its runner returned (a TrainResult for a TrainJob)."""

    job_id: str
    result: Any


@dataclass(frozen=True)
class Failed:
    """The job could not be done; a class and a cause, never an exception in the coordinator."""

    job_id: str
    failure: Failure


Event = Started | Reported | Finished | Failed


@dataclass(frozen=True)
class WorkerStatus:
    """One worker as its executor sees it now.

    Attributes:
        number: From 0.
        job_id: What it does; None while it is idle or starts.
        ready: Whether it has started.
        since: ``time.monotonic()`` at which it took the job, or became idle.
        memory: Resident bytes at its last sign of life; 0 where unknown.
        threads: Cores it may use.
        device: ``cpu``, ``gpu:0``, or the node it is on.
        jobs: How many it has done since it was started.
    """

    number: int
    job_id: str | None = None
    ready: bool = False
    since: float = 0.0
    memory: int = 0
    threads: int = 1
    device: str = "cpu"
    jobs: int = 0
