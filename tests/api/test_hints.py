"""A search in which all failed says which range to try."""

from __future__ import annotations

import pytest

from fertune.api.hints import with_range
from fertune.searching.failing import all_failed
from fertune.space import Float, Int, Space
from fertune.trial import Failure, FailureKind, Rung, State, Trial

SPACE = Space("leaky", [Int("blocks", 2, 6), Float("learning_rate", 1e-4, 0.1, log=True)])


def failed(kind: FailureKind, **params: float) -> Trial:
    whole = {"blocks": 6, "learning_rate": 0.01, **params}
    return Trial(0, whole, State.FAILED, (Rung(9, {}, None, 0, 0.0),), failure=Failure(kind, "why"))


@pytest.mark.parametrize(
    ("kind", "blocks", "rate", "range_"),
    [
        (FailureKind.INVALID_SHAPE, (6, 6, 5), (0.01,) * 3, "blocks=2..4"),
        (FailureKind.NAN_LOSS, (2, 3, 4), (0.08, 0.04, 0.06), "learning_rate=0.0001..0.02"),
        (FailureKind.INVALID_SHAPE, (6, 2, 5), (0.01,) * 3, None),
        (FailureKind.CRASHED, (6, 6, 6), (0.01,) * 3, None),
        (FailureKind.OUT_OF_MEMORY, (6, 6, 6), (0.01,) * 3, None),
    ],
)
def test_the_range_below_all_failing_values(
    kind: FailureKind, blocks: tuple[int, ...], rate: tuple[float, ...], range_: str | None
) -> None:
    trials = [failed(kind, blocks=b, learning_rate=r) for b, r in zip(blocks, rate, strict=True)]
    error = all_failed(trials, "runs/x")
    before = error.help
    with_range(error, SPACE, "my space.yaml", trials)
    assert error.help is not None
    if range_ is None:
        assert error.help == before
        return
    assert error.help.startswith(f"fertune search --space 'my space.yaml' --range {range_}    # full messages")
    name = range_.partition("=")[0]
    SPACE.narrowed(ranges={name: range_.partition("=")[2]})
    assert f"all 3 have {name} at" in error.details[-1]
