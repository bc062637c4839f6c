"""Which parameters of a space an engine really models; what it says of itself before the first trial."""

from __future__ import annotations

import math

from fertune.space import Float, Int, Param, Space
from fertune.trial import TUNERS

FIXED_SET = ("gp", "cmaes", "nsga2")
"""Samplers that model one set of parameters which all configurations have."""


def varied(space: Space) -> list[Param]:
    """Parameters with more than one value."""
    return [p for p in space.params if p.count != 1]


def modelled(tuner: str, space: Space) -> list[str]:
    """Names of the parameters whose values follow from earlier trials, or from a sequence; in declared order.

    ``gp``, ``cmaes`` and ``nsga2`` model what every configuration has, ``cmaes`` numbers only; the others that model
    anything model all. ``random``, ``grid``, ``sprint`` and those with rungs model nothing by design.
    """
    params = varied(space)
    if tuner in ("random", "grid", "sprint") or tuner not in TUNERS or TUNERS[tuner].rungs:
        return []
    if tuner in FIXED_SET:
        params = [p for p in params if p.when is None]
    if tuner == "cmaes":
        params = [p for p in params if isinstance(p, (Int, Float))]
    return [p.name for p in params]


def modelling_note(tuner: str, space: Space) -> str | None:
    """``"cmaes models 7 of 11 parameters; drawn at random: ..."``; None where all are, or none are meant to be."""
    if tuner not in FIXED_SET:
        return None
    names, params = set(modelled(tuner, space)), varied(space)
    left = [p for p in params if p.name not in names]
    if not left:
        return None
    why = []
    conditional = [p.name for p in left if p.when is not None]
    choices = [p.name for p in left if p.when is None]
    if conditional:
        why.append(f"the conditional {', '.join(conditional)}")
    if choices:
        why.append(f"the choice{'s' if len(choices) > 1 else ''} {', '.join(choices)}")
    head = f"{tuner} models {len(names) or 'none'} of {len(params)} parameters"
    tail = "; this is a random search" if not names else ""
    return f"{head}; drawn at random: {' and '.join(why)}{tail}"


def startup(trials: int | None) -> int:
    """Random trials before a model is asked: 10, or a quarter of a small number, at least 4."""
    return 10 if trials is None else min(10, max(4, trials // 4))


def population(trials: int | None) -> int:
    """Of a generation of nsga2: 50, or a quarter of a small number of trials, at least 4."""
    return 50 if trials is None else min(50, max(4, trials // 4))


def cmaes_population(space: Space) -> int:
    """Of a generation of cmaes: 4 + floor(3 ln n) for n modelled parameters (Hansen 2016)."""
    n = len(modelled("cmaes", space))
    return 4 + math.floor(3 * math.log(n)) if n else 4
