"""What a search may say of its data to an engine, and whether a fidelity goes with them."""

from __future__ import annotations

import math
import time

from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.errors import ConfigError
from fertune.models.catalog import FAMILIES
from fertune.searchers import Around
from fertune.searchers.rungs import LEAST_SIDE
from fertune.space import Space
from fertune.trial import Suggestion, Value

SIDE = "input_side"
"""Setting of a model family that brings pictures to another size."""


def around(data: ImageDataset, options: SearchOptions, started: float) -> Around:
    """The clock of a command that began at ``started`` (``time.monotonic()``), and the data."""
    rows = round(len(data.positions("train")) * (1 - options.holdout))

    def time_left() -> float:
        return math.inf if options.time_budget is None else started + options.time_budget - time.monotonic()

    height, width, _ = data.image_shape
    return Around(
        time_left=time_left,
        rows=rows,
        side=height if height == width else None,
    )


def check_fidelity(space: Space, options: SearchOptions, data: ImageDataset) -> None:
    """Check that rungs of smaller pictures can be trained.

    Raises:
        ConfigError: The model takes one size only, or the pictures are not square, or too small.
    """
    if options.fidelity != "resolution":
        return
    family = FAMILIES.get(space.model)
    height, width, _ = data.image_shape
    why = ""
    if family is None or SIDE not in {setting.name for setting in family.settings}:
        why = f"the model of space {space.name} has no setting {SIDE}"
    elif height != width:
        why = f"the pictures are not square: {height}x{width}"
    elif height <= LEAST_SIDE:
        why = f"the pictures are {height}x{width} already; no rung is below {LEAST_SIDE}"
    if why:
        raise ConfigError(f"--fidelity resolution: {why}", help="give --fidelity data, or leave it out")


def fed_with(settings: dict[str, Value], suggestion: Suggestion) -> dict[str, Value]:
    """The settings of a model for a piece of work that may have smaller pictures."""
    return settings if suggestion.side is None else {**settings, SIDE: suggestion.side}
