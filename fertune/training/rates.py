"""The learning rate as a function of where a training stands: nothing is remembered, so any stretch can go on."""

from __future__ import annotations

import math

from fertune.training.recipe import Recipe

RISE = 25.0
"""One-cycle: the highest rate over the first one."""


def rate_at(recipe: Recipe, highest: float, position: float, epoch: int) -> float | None:
    """The learning rate of a batch; None where a rule that watches the run moves it (``plateau``).

    ``one_cycle`` rises along half a cosine over the share ``warm_up`` of the training and falls along another one to
    ``final_rate`` of the highest rate (Smith and Topin, Super-convergence, 2018). ``cosine`` only falls (Loshchilov and
    Hutter, SGDR, 2017; without restarts). ``step`` takes the rate times ``step_factor`` every ``step_epochs``.

    Args:
        highest: The rate that the schedule is built on.
        position: Part of the whole training that lies behind, 0 to 1.
        epoch: Whole epochs that lie behind.
    """
    last = highest * recipe.final_rate
    if recipe.schedule == "one_cycle":
        if position < recipe.warm_up:
            return _glide(highest / RISE, highest, position / recipe.warm_up)
        return _glide(highest, last, (position - recipe.warm_up) / (1.0 - recipe.warm_up))
    if recipe.schedule == "cosine":
        return _glide(highest, last, position)
    if recipe.schedule == "step":
        return highest * recipe.step_factor ** (epoch // recipe.step_epochs)
    return highest if recipe.schedule == "constant" else None


def _glide(start: float, end: float, part: float) -> float:
    """Half a cosine from ``start`` (part 0) to ``end`` (part 1)."""
    return end + (start - end) * (1.0 + math.cos(math.pi * min(part, 1.0))) / 2.0
