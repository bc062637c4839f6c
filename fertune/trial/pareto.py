"""Which trials of a search for two objectives are worth a look."""

from __future__ import annotations

from collections.abc import Iterable

from fertune.trial.objective import Objective
from fertune.trial.trial import Trial


def pareto_front(trials: Iterable[Trial], first: Objective, second: Objective) -> list[int]:
    """Ids of the scored trials that no other one equals or betters in both objectives and betters in one.

    Best value of the first objective first. Of trials that are equal in both, all are in.
    """
    known = [
        (first.sort_key(t.values[first.name]), second.sort_key(t.values[second.name]), t.id)
        for t in trials
        if t.scored and first.name in t.values and second.name in t.values
    ]
    front: list[tuple[float, float, int]] = []
    least = float("inf")
    for row in sorted(known):
        if row[1] < least or (front and row[:2] == front[-1][:2]):
            front.append(row)
            least = row[1]
    return [id_ for _, _, id_ in front]
