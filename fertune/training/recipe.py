"""How a model is trained: every setting of the recipe. No keras here: spaces are checked without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fertune.models.catalog import CUSTOM, FAMILIES, complete
from fertune.space.setting import Setting
from fertune.trial import Value

ANNEALED = ("one_cycle", "cosine")
"""Schedules that end, with the training, at a rate near 0; only then is a model at its best."""

SCHEDULES = ("plateau", "constant", "step", *ANNEALED)
PRECISIONS = ("float32", "bfloat16", "auto")

RECIPE: tuple[Setting, ...] = (
    Setting("optimizer", "choice", "adam", choices=("adam", "sgd", "rmsprop", "adamw"), doc="sgd is Nesterov's"),
    Setting("learning_rate", "float", 1e-3, 1e-6, 1.0, doc="the first one; of one_cycle the highest"),
    Setting("schedule", "choice", "plateau", choices=SCHEDULES, doc="of the learning rate"),
    Setting("warm_up", "float", 0.25, 0.0, 0.9, doc="one_cycle: part of the training in which the rate rises"),
    Setting("final_rate", "float", 1e-4, 0.0, 1.0, doc="one_cycle, cosine: the last rate over the highest"),
    Setting("step_epochs", "int", 10, 1, 1000, doc="step: epochs after which the rate falls"),
    Setting("step_factor", "float", 0.1, 0.001, 0.999, doc="step: the rate times this"),
    Setting("momentum", "float", 0.9, 0.0, 1.0, doc="of sgd; the others do not read it"),
    Setting("weight_decay", "float", 0.0, 0.0, 1.0, doc="decoupled, on kernels: they shrink by rate x this a step"),
    Setting("batch_size", "int", 64, 1, 4096, doc="rows a step; at most the rows there are"),
    Setting("loss", "choice", "categorical_crossentropy", choices=("categorical_crossentropy",), doc="to be minimised"),
    Setting("label_smoothing", "float", 0.0, 0.0, 0.5, doc="part of each label that is spread over all classes"),
    Setting("precision", "choice", "float32", choices=PRECISIONS, doc="auto is bfloat16 where the hardware has it"),
    Setting("small_side", "int", 0, 0, 512, doc="pixels of the pictures that a training begins with; 0: their own"),
    Setting("small_until", "float", 0.5, 0.0, 1.0, doc="part of the training that sees pictures of small_side"),
    Setting("flip_at_prediction", "bool", False, doc="a prediction is the mean of a picture's and of its mirror's"),
    Setting("shift_at_prediction", "float", 0.0, 0.0, 0.25, doc="a prediction is also the mean over four such shifts"),
    Setting("reduce_lr_factor", "float", 0.5, 0.001, 0.999, doc="plateau: the rate times this where val_loss stands"),
    Setting("reduce_lr_patience", "int", 2, 0, 100, doc="epochs val_loss may stand still; 0 is never"),
    Setting("reduce_lr_min", "float", 1e-6, 0.0, 1.0, doc="the learning rate never falls below this"),
    Setting("early_stopping_patience", "int", 5, 0, 1000, doc="epochs the objective may stand still; 0 is for ever"),
    Setting("early_stopping_min_delta", "float", 0.0, 0.0, 1.0, doc="a smaller gain is standing still"),
)


@dataclass(frozen=True)
class Recipe:
    """The recipe of one job; the fields are described in ``RECIPE``."""

    optimizer: str
    learning_rate: float
    schedule: str
    warm_up: float
    final_rate: float
    step_epochs: int
    step_factor: float
    momentum: float
    weight_decay: float
    batch_size: int
    loss: str
    label_smoothing: float
    precision: str
    small_side: int
    small_until: float
    flip_at_prediction: bool
    shift_at_prediction: float
    reduce_lr_factor: float
    reduce_lr_patience: int
    reduce_lr_min: float
    early_stopping_patience: int
    early_stopping_min_delta: float

    @classmethod
    def of(cls, settings: Mapping[str, Value], family: str) -> Recipe:
        """From the flat settings of a job; what is not given has its default.

        Early stopping has patience 0, which is none, where the schedule is annealed and nothing else is given: before
        its end a model that stands still is no sign of anything.

        Raises:
            ConfigError: A value out of range, or a name that neither the recipe nor the family knows (a user's own
                build function may know any name).
        """
        names = None if family == CUSTOM or family not in FAMILIES else [s.name for s in FAMILIES[family].settings]
        values = complete(RECIPE, settings, where="training recipe", strangers=names)
        if values["schedule"] in ANNEALED and "early_stopping_patience" not in settings:
            values["early_stopping_patience"] = 0
        return cls(**{field.name: values[field.name] for field in fields(cls)})
