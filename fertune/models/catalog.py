"""The families that fertune can build, and every setting of each. No keras here: spaces are checked without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fertune.errors import ConfigError, did_you_mean
from fertune.space.setting import Setting
from fertune.trial import Value

CUSTOM = "custom"
"""Family name of models that a user's own ``build(params, input_shape, n_classes)`` makes."""

MAX_BLOCKS = 6
_FILTERS = (32, 64, 128, 128, 128, 128)


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Attributes:
        name: As in ``model:`` of a search space.
        doc: One line for people.
        settings: All that it reads; everything has a default.
    """

    name: str
    doc: str
    settings: tuple[Setting, ...]


def _conv_settings() -> tuple[Setting, ...]:
    filters = [
        Setting(f"filters_{i}", "int", _FILTERS[i - 1], 4, 512, doc=f"channels of each convolution of block {i}")
        for i in range(1, MAX_BLOCKS + 1)
    ]
    kernels = [
        Setting(f"kernel_{i}", "int", 3, 1, 7, doc=f"side of the kernels of block {i}, in pixels of its map")
        for i in range(1, MAX_BLOCKS + 1)
    ]
    convs = [
        Setting(f"convs_{i}", "int", 0, 0, 3, doc=f"convolutions of block {i}; 0: as many as convs says")
        for i in range(1, MAX_BLOCKS + 1)
    ]
    return (
        Setting("input_side", "int", 0, 0, 512, doc="pixels to which pictures are brought first; 0: their own size"),
        Setting("activation", "choice", "relu", choices=("relu", "leaky_relu"), doc="after each convolution and layer"),
        Setting("negative_slope", "float", 0.1, 0.0, 1.0, doc="slope of leaky_relu below zero; relu does not read it"),
        Setting("blocks", "int", 3, 1, MAX_BLOCKS, doc="blocks of convolutions; each ends by halving the map"),
        Setting("convs", "int", 1, 1, 3, doc="convolutions a block"),
        Setting("pool_after", "choice", "last", choices=("last", "first"), doc="convolution of a block that is pooled"),
        *convs,
        *filters,
        *kernels,
        Setting(
            "tied", "bool", False, doc="one number for all: filters double in each block, kernels and dropout stay"
        ),
        Setting("batch_norm", "bool", True, doc="batch normalisation after each convolution"),
        Setting("conv_bias", "bool", False, doc="a bias before batch normalisation too, which takes it away again"),
        Setting("norm_momentum", "float", 0.9, 0.0, 0.9999, doc="momentum of the moving means of batch normalisation"),
        Setting("dropout", "float", 0.25, 0.0, 0.9, doc="share of values dropped after each block"),
        Setting("head_dropout", "float", 0.25, 0.0, 0.9, doc="share of values dropped before the last layer"),
        Setting("l2", "float", 0.0, 0.0, 0.1, doc="L2 penalty on the kernels of the convolutions; 0 is none"),
        Setting("dense_units", "int", 128, 0, 1024, doc="width of the layer before the last; 0 is none"),
        Setting("pooling", "choice", "flatten", choices=("flatten", "average"), doc="from maps to one row of numbers"),
        Setting("augment", "bool", False, doc="change training pictures at random, anew in each epoch"),
        Setting("flip", "bool", True, doc="augmentation: mirror left and right, every second time"),
        Setting("rotation", "float", 0.0, 0.0, 0.5, doc="augmentation: up to this part of a full turn, both ways"),
        Setting("shift", "float", 0.0, 0.0, 0.5, doc="augmentation: up to this part of the side, in both directions"),
        Setting("zoom", "float", 0.0, 0.0, 0.5, doc="augmentation: up to this part larger or smaller"),
    )


FAMILIES: dict[str, Family] = {
    "conv": Family("conv", "plain convolutional net: blocks of convolutions, one dense layer", _conv_settings()),
}


def complete(
    known: Iterable[Setting], given: Mapping[str, Value], *, where: str, strangers: Iterable[str] | None = None
) -> dict[str, Any]:
    """All settings with their values: the given ones where they are given, else the defaults.

    Args:
        known: What is read.
        given: Flat settings; may hold more than is known.
        where: For the message.
        strangers: Other legal names in ``given``; None means any name is legal.

    Raises:
        ConfigError: An unknown name, or a value out of range: all faults at once.
    """
    settings = {s.name: s for s in known}
    faults = [f"{name}: {fault}" for name, s in settings.items() if name in given and (fault := s.fault(given[name]))]
    if strangers is not None:
        legal = {*settings, *strangers}
        faults += [f"{name}: no such setting{did_you_mean(name, legal)}" for name in given if name not in legal]
    if faults:
        raise ConfigError(
            f"{where}: {len(faults)} of the settings {'is' if len(faults) == 1 else 'are'} not legal: {faults[0]}",
            details=faults,
        )
    values = {name: s.coerce(given.get(name, s.default)) for name, s in settings.items()}
    return _tie(values) if values.get("tied") else values


def _tie(settings: dict[str, Any]) -> dict[str, Any]:
    """``tied``: later blocks follow the first one, and the head follows the blocks."""
    blocks = range(1, MAX_BLOCKS + 1)
    return {
        **settings,
        **{f"filters_{i}": settings["filters_1"] * 2 ** (i - 1) for i in blocks},
        **{f"kernel_{i}": settings["kernel_1"] for i in blocks},
        "head_dropout": settings["dropout"],
    }
