"""What a rung costs: the fidelity at which a configuration is trained, from a cheap look to the whole training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fertune.config import FIDELITIES
from fertune.errors import ConfigError, did_you_mean

FACTOR = 3
"""Each rung costs so many times the one below it."""
HALVINGS = 3
"""Rungs below the highest, where epochs are the fidelity."""
FEWER_HALVINGS = 2
"""The same where each rung trains anew."""
LEAST_SIDE = 16
"""Pixels below which pictures are never brought."""


@dataclass(frozen=True)
class Around:
    """What an engine may know beside its space.

    Attributes:
        time_left: Seconds until no job runs on; infinite where there is no time budget.
        rows: Training rows, roughly; 0 where unknown.
        side: Pixels of a picture's side; None where unknown, or where pictures are not square.
    """

    time_left: Callable[[], float] = lambda: math.inf
    rows: int = 0
    side: int | None = None


@dataclass(frozen=True)
class Level:
    """One rung.

    Attributes:
        budget: Epochs in all at its end.
        share: Part of the training rows.
        side: Pixels to which pictures are brought; None: their own.
        cost: What its training costs after the rung below, in any unit.
    """

    budget: int
    share: float = 1.0
    side: int | None = None
    cost: float = 0.0


def levels(fidelity: str, max_epochs: int, side: int | None = None) -> tuple[Level, ...]:
    """All rungs, the cheapest first; the last one is the whole training.

    ``epochs``: ``max_epochs`` divided by 3, up to three times; a promotion goes on from where the rung below ended.
    ``data``: a ninth, a third, and all of the rows; ``resolution``: from half of the side to all of it in equal
    factors, in multiples of 4 pixels and at least 16. These two train ``max_epochs`` anew on each rung.

    Raises:
        ConfigError: No such fidelity, or the side of the pictures is not known.
    """
    if fidelity not in FIDELITIES:
        raise ConfigError(
            f"no fidelity named {fidelity!r}; legal: {', '.join(FIDELITIES)}{did_you_mean(fidelity, FIDELITIES)}"
        )
    if fidelity == "epochs":
        budgets = sorted({max(1, round(max_epochs / FACTOR**k)) for k in range(HALVINGS + 1)})
        below = [0, *budgets]
        return tuple(Level(b, cost=b - a) for a, b in zip(below, budgets, strict=False))
    if fidelity == "data":
        shares = [FACTOR**-k for k in range(FEWER_HALVINGS, -1, -1)]
        return tuple(Level(max_epochs, share=share, cost=max_epochs * share) for share in shares)
    if side is None:
        raise ConfigError("--fidelity resolution needs square pictures", help="give --fidelity data, or leave it out")
    drawn = [side * 2 ** (-k / FEWER_HALVINGS) for k in range(FEWER_HALVINGS, 0, -1)]
    sides = sorted({s for s in (max(LEAST_SIDE, 4 * math.floor(d / 4 + 0.5)) for d in drawn) if s < side})
    return (
        *(Level(max_epochs, side=s, cost=max_epochs * (s / side) ** 2) for s in sides),
        Level(max_epochs, cost=float(max_epochs)),
    )
