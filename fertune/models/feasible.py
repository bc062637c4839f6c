"""Whether a configuration can be built, its weights, and its cost, before anything is built. No keras here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fertune.models.catalog import FAMILIES, complete
from fertune.trial import Value


def infeasible(
    family: str,
    settings: Mapping[str, Value],
    input_shape: tuple[int, int, int],
    n_classes: int,
    max_params: int | None = None,
) -> str | None:
    """Why a configuration is not worth a worker's time, one line; None where nothing is known against it.

    Args:
        family: Of another one than fertune's own nothing is known here.
        settings: Flat; names that the family does not know are not read.
        input_shape: (height, width, channels).
        max_params: Most weights that are allowed.
    """
    if family != "conv":
        return None
    known = complete(FAMILIES[family].settings, settings, where=f"model family {family}")
    input_shape = at_side(known, input_shape)
    fault = pooling_fault(int(known["blocks"]), input_shape)
    if fault is not None:
        return fault
    if max_params is not None and (count := conv_params(known, input_shape, n_classes)) > max_params:
        return too_many(count, max_params)
    return None


def weights(
    family: str, settings: Mapping[str, Value], input_shape: tuple[int, int, int], n_classes: int
) -> int | None:
    """Number of weights of a model that can be built; None where nothing is known of its family."""
    if family != "conv":
        return None
    return conv_params(
        complete(FAMILIES[family].settings, settings, where=f"model family {family}"), input_shape, n_classes
    )


def multiply_adds(
    family: str, settings: Mapping[str, Value], input_shape: tuple[int, int, int], n_classes: int
) -> int | None:
    """Multiplications, each with its addition, of one picture through a model that can be built; None as in
    ``weights``."""
    if family != "conv":
        return None
    known = complete(FAMILIES[family].settings, settings, where=f"model family {family}")
    layers = conv_layers(known, input_shape, n_classes)
    return sum(layer.positions * layer.inputs * layer.outputs for layer in layers)


def too_many(count: int, most: int) -> str:
    """The message for a model of ``count`` weights."""
    return f"{count:,} parameters; --max-params allows {most:,}"


def at_side(settings: Mapping[str, Any], input_shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """(height, width, channels) that reach the first convolution: ``input_side`` resizes pictures."""
    side = int(settings["input_side"])
    return (side, side, input_shape[2]) if side else input_shape


def pooling_fault(blocks: int, input_shape: tuple[int, int, int]) -> str | None:
    """Which block would halve a map that is only one pixel high or wide; None where all can."""
    height, width, _ = input_shape
    for block in range(1, blocks + 1):
        if min(height, width) < 2:
            return (
                f"block {block} pools a {height}x{width} map "
                f"({input_shape[0]}x{input_shape[1]} input, halved in each block)"
            )
        height, width = height // 2, width // 2
    return None


class Layer(NamedTuple):
    """A convolution, or a layer of the head.

    Attributes:
        positions: Pixels of the map that it is computed at; 1 in the head.
        inputs: Numbers that each output is summed up from.
        outputs: Numbers at each position.
        own: Weights of each output beside its kernel, those of its normalisation included.
    """

    positions: int
    inputs: int
    outputs: int
    own: int


def conv_params(settings: Mapping[str, Any], input_shape: tuple[int, int, int], n_classes: int) -> int:
    """Weights of the conv family's model, moving means included.

    Args:
        settings: All settings of the family, complete and checked; the pictures are large enough for the blocks.
    """
    return sum(layer.outputs * (layer.inputs + layer.own) for layer in conv_layers(settings, input_shape, n_classes))


def conv_layers(settings: Mapping[str, Any], input_shape: tuple[int, int, int], n_classes: int) -> Iterator[Layer]:
    """The layers with weights of the conv family's model, from the pictures on; see ``conv_params``."""
    height, width, channels = at_side(settings, input_shape)
    own = (4 if settings["batch_norm"] else 1) + int(settings["batch_norm"] and settings["conv_bias"])
    for block in range(1, settings["blocks"] + 1):
        filters, kernel = settings[f"filters_{block}"], settings[f"kernel_{block}"]
        small = (height // 2, width // 2)
        for conv in range(settings[f"convs_{block}"] or settings["convs"]):
            if conv == 1 and settings["pool_after"] == "first":
                height, width = small
            yield Layer(height * width, kernel * kernel * channels, filters, own)
            channels = filters
        height, width = small
    features = channels if settings["pooling"] == "average" else channels * height * width
    if settings["dense_units"]:
        yield Layer(1, features, settings["dense_units"], 1)
        features = settings["dense_units"]
    yield Layer(1, features, n_classes, 1)
