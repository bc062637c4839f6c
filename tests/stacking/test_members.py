"""Whether held-out rows chose a member."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fertune.stacking.members import _chosen_on


def searched(cv: int | None, *values: float | None) -> Any:
    options = {} if cv is None else {"cv": cv}
    return SimpleNamespace(info={"options": options}, trials=[SimpleNamespace(value=v) for v in values])


@pytest.mark.parametrize(
    ("cv", "values", "folds"),
    [(3, (0.5, 0.6), 3), (3, (0.5,), 0), (3, (0.5, None), 0), (0, (0.5, 0.6), 0), (None, (0.5, 0.6), 0)],
)
def test_rows_that_measured_one_trial_alone_chose_nothing(cv: int | None, values: Any, folds: int) -> None:
    assert _chosen_on(searched(cv, *values)) == folds
