"""How a model is trained: every setting of the recipe. No keras here: spaces are checked without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fertune.models.catalog import CUSTOM, FAMILIES, complete
from fertune.space.setting import Setting
from fertune.trial import Value

RECIPE: tuple[Setting, ...] = (
    Setting("optimizer", "choice", "adam", choices=("adam", "sgd", "rmsprop", "adamw"), doc="sgd is Nesterov's"),
    Setting("learning_rate", "float", 1e-3, 1e-6, 1.0, doc="at the first epoch"),
    Setting("momentum", "float", 0.9, 0.0, 1.0, doc="of sgd; the others do not read it"),
    Setting("weight_decay", "float", 0.0, 0.0, 1.0, doc="decoupled, on kernels: they shrink by rate x this a step"),
    Setting("batch_size", "int", 64, 1, 4096, doc="rows a step; at most the rows there are"),
    Setting("loss", "choice", "categorical_crossentropy", choices=("categorical_crossentropy",), doc="to be minimised"),
    Setting("label_smoothing", "float", 0.0, 0.0, 0.5, doc="part of each label that is spread over all classes"),
    Setting("reduce_lr_factor", "float", 0.5, 0.001, 0.999, doc="the rate times this when val_loss stands still"),
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
    momentum: float
    weight_decay: float
    batch_size: int
    loss: str
    label_smoothing: float
    reduce_lr_factor: float
    reduce_lr_patience: int
    reduce_lr_min: float
    early_stopping_patience: int
    early_stopping_min_delta: float

    @classmethod
    def of(cls, settings: Mapping[str, Value], family: str) -> Recipe:
        """From the flat settings of a job; what is not given has its default.

        Raises:
            ConfigError: A value out of range, or a name that neither the recipe nor the family knows (a user's own
                build function may know any name).
        """
        names = None if family == CUSTOM or family not in FAMILIES else [s.name for s in FAMILIES[family].settings]
        values = complete(RECIPE, settings, where="training recipe", strangers=names)
        return cls(**{field.name: values[field.name] for field in fields(cls)})
