"""From a family and flat settings to a Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fertune.errors import ConfigError, did_you_mean
from fertune.models.catalog import CUSTOM, FAMILIES, complete
from fertune.models.engine import load_keras
from fertune.trial import Value

if TYPE_CHECKING:
    import keras


def build_model(
    family: str,
    settings: Mapping[str, Value],
    input_shape: tuple[int, int, int],
    n_classes: int,
    build: bytes | None = None,
) -> keras.Model:
    """A model with fresh weights that maps pictures to probabilities.

    Input: (n, h, w, c), 0 to 255, uint8 or float. Output: float32 (n, n_classes), rows sum to 1. Weights, dropout and
    augmentation draw their seeds from Python's generator: call ``keras.utils.set_random_seed`` first. Shipped families
    return uncompiled models that load with ``safe_mode`` (no Lambda, no custom objects).

    Args:
        family: A name in ``FAMILIES``, or ``"custom"``.
        settings: Flat; names that the family does not know are the recipe's and are not read here.
        input_shape: (height, width, channels).
        n_classes: At least 2.
        build: cloudpickled ``build(params, input_shape, n_classes)`` where the family is custom. It may return a
            compiled model (its own optimizer and loss are then used) or an uncompiled one.

    Raises:
        ConfigError: No such family, or a value out of range.
        ValueError: The pictures are too small for so many blocks; or a custom model breaks the rules above.
        MissingPackage: Keras or its backend is not installed.
    """
    load_keras()
    if family == CUSTOM:
        if build is None:
            raise ConfigError("a space of one's own needs its build function", help="give the space's .py file again")
        from fertune.models.custom import build_custom

        return build_custom(build, settings, input_shape, n_classes)
    if family not in FAMILIES:
        known = [*FAMILIES, CUSTOM]
        raise ConfigError(f"no model family named {family!r}; legal: {', '.join(known)}{did_you_mean(family, known)}")
    complete_settings = complete(FAMILIES[family].settings, settings, where=f"model family {family}")
    from fertune.models.conv import build_conv

    return build_conv(complete_settings, input_shape, n_classes)
