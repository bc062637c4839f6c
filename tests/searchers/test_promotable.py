"""What Hyperband says may yet be promoted: all that it promotes, and not much more."""

from __future__ import annotations

import random
from typing import Any

import pytest

from fertune.searchers import make_searcher
from fertune.space import Float, Space
from fertune.trial import OBJECTIVES, Complete, Exhausted, Failure, FailureKind, Suggestion

SPACE = Space("s", [Float("x", 0.0, 1.0)])


@pytest.mark.parametrize(
    ("objective", "trials", "workers", "fail"), [("val_accuracy", None, 4, 0.2), ("val_loss", 40, 1, 0.1)]
)
def test_whatever_is_promoted_was_promotable_ever_since_it_ended(
    objective: str, trials: int | None, workers: int, fail: float
) -> None:
    searcher: Any = make_searcher(
        "hyperband", SPACE, objective=OBJECTIVES[objective], seed=1, trials=trials, max_epochs=27
    )
    chance = random.Random(f"{objective} {trials}")
    open_: list[int] = []
    lost: set[int] = set()
    ended: set[int] = set()
    most = promotions = 0
    while True:
        answer = searcher.ask() if len(open_) < workers else None
        if isinstance(answer, Exhausted):
            break
        if isinstance(answer, Suggestion):
            if answer.continues is not None:
                promotions += 1
                assert answer.continues not in lost, "its state was given up too early"
            open_.append(answer.ticket)
            continue
        ticket = open_.pop(chance.randrange(len(open_)))
        failed = chance.random() < fail
        searcher.tell(ticket, Failure(FailureKind.NAN_LOSS, "") if failed else Complete(chance.random()))
        ended.add(ticket)
        alive = searcher.promotable()
        assert alive <= ended
        lost |= ended - alive
        most = max(most, len(alive))
    assert promotions >= 15 and most <= 20, "not more than the places that are left"
    assert searcher.promotable() == set(), "all rungs are over"
