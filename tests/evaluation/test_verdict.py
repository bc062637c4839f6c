"""The verdict: its three forms word by word, and every odd case that a run can bring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.evaluation import cost_sentence, judge, no_test, paired_bootstrap, twins_sentence, write_verdict
from fertune.evaluation.paired import mcnemar
from fertune.evaluation.words import MINUS, decimals_for, percent, pictures, points


def ruling(**changes: Any) -> Any:
    plain = {
        "n": 3589, "accuracy": 0.661, "difference": 0.012, "low": 0.004, "high": 0.020, "gained": 150, "lost": 107,
        "standard_error": 0.004, "same": False,
    }  # fmt: skip
    return write_verdict("logistic", **(plain | changes))


def test_helped() -> None:
    found = ruling()
    assert found.kind == "helped"
    assert found.sentence == (
        "Stacking helped: logistic is right on 66.1 % of 3,589 test pictures, 1.2 points more than the best single "
        "model (95 % interval +0.4 to +2.0)."
    )
    assert found.detectable == pytest.approx(2.8 * 0.004)
    assert found.to_json() == {"kind": "helped", "sentence": found.sentence, "detectable": found.detectable}


def test_hurt() -> None:
    found = ruling(accuracy=0.63, difference=-0.019, low=-0.027, high=-0.011, gained=100, lost=168)
    assert found.kind == "hurt"
    assert found.sentence == (
        "Stacking hurt: logistic is right on 63.0 % of 3,589 test pictures, 1.9 points less than the best single model "
        f"(95 % interval {MINUS}2.7 to {MINUS}1.1)."
    )


def test_none() -> None:
    found = ruling(difference=0.003, low=-0.005, high=0.011)
    assert found.kind == "none"
    assert found.sentence == (
        f"No difference that these 3,589 pictures can show: +0.3 points ({MINUS}0.5 to +1.1). "
        "One under about 1.1 points would likely have been missed."
    )


def test_no_test_rows() -> None:
    found = no_test()
    assert (found.kind, found.sentence, found.detectable) == ("no_test", "No verdict: no labelled test rows", None)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.02), (-0.02, 0.0), (0.0, 0.0)])
def test_an_interval_that_touches_0_is_a_tie(low: float, high: float) -> None:
    assert ruling(low=low, high=high).kind == "none"


def test_identical_predictions() -> None:
    found = ruling(difference=0.0, low=0.0, high=0.0, gained=0, lost=0, standard_error=0.0, same=True)
    assert found.kind == "none" and found.detectable is None
    assert found.sentence == (
        "No difference: logistic and the best single model give the same answer on all 3,589 test pictures."
    )
    one = ruling(n=1, difference=0.0, low=0.0, high=0.0, gained=0, lost=0, standard_error=0.0, same=True)
    assert one.sentence.endswith("give the same answer on the 1 test picture.")


def test_few_differing_pictures_are_counted() -> None:
    found = ruling(gained=31, lost=8)
    assert found.kind == "helped"
    assert found.sentence.endswith("(95 % interval +0.4 to +2.0; 31 gained, 8 lost).")
    assert "; 20 gained, 18 lost)." in ruling(low=-0.01, gained=20, lost=18).sentence


def test_few_pictures_cannot_help_by_their_interval_alone() -> None:
    """4 gained and 0 lost of 100: the percentile interval excludes 0, the exact test (p = 0.125) does not agree."""
    reference = np.array([False] * 4 + [True] * 60 + [False] * 36)
    other = np.array([True] * 64 + [False] * 36)
    interval = paired_bootstrap(np.stack([reference, other], axis=1), np.arange(100), seed=1)
    assert interval.difference_low[1] > 0
    test = mcnemar(reference, other)
    assert judge(interval.difference_low[1], interval.difference_high[1], test.gained, test.lost) == "none"
    found = ruling(n=100, difference=0.04, low=0.01, high=0.08, gained=4, lost=0, standard_error=0.02)
    assert found.sentence.startswith(
        "No difference that these 100 pictures can show: +4.0 points, but 4 gained and 0 lost are too few to tell."
    )


def test_one_picture() -> None:
    found = ruling(n=1, accuracy=1.0, difference=1.0, low=1.0, high=1.0, gained=1, lost=0, standard_error=0.0)
    assert found.kind == "none" and found.detectable is None
    assert found.sentence == (
        "No difference that this 1 picture can show: +100.0 points, but 1 gained and 0 lost are too few to tell."
    )


def test_two_pictures_are_too_few_for_anything() -> None:
    found = ruling(n=2, difference=0.0, low=-1.0, high=1.0, gained=1, lost=1, standard_error=0.7)
    assert found.sentence.endswith("They are too few for any difference to show.")


def test_a_small_but_shown_difference_never_reads_as_0() -> None:
    found = ruling(n=900_000, difference=0.0006, low=0.0002, high=0.001, gained=3000, lost=2500, standard_error=0.0002)
    assert "0.06 points more" in found.sentence and "+0.02 to +0.10" in found.sentence


def test_different_answers_without_gain_or_loss() -> None:
    found = ruling(difference=0.0, low=0.0, high=0.0, gained=0, lost=0, standard_error=0.0)
    assert (
        found.sentence == "No difference that these 3,589 pictures can show: 0.0 points (0.0 to 0.0; 0 gained, 0 lost)."
    )


@given(
    st.integers(1, 5000), st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 300), st.integers(0, 300), st.floats(0, 1)
)
def test_no_sentence_says_too_much(n: int, a: float, b: float, gained: int, lost: int, error: float) -> None:
    low, high = min(a, b), max(a, b)
    found = ruling(n=n, difference=(low + high) / 2, low=low, high=high, gained=gained, lost=lost, standard_error=error)
    for word in ("significant", "proves", "equal", "nan", "None", "inf", " -", "(-"):
        assert word not in found.sentence
    for zero in (f"{MINUS}0.0 ", f"{MINUS}0.0)", "+0.0 ", "+0.0)"):
        assert zero not in found.sentence
    assert found.sentence.endswith(".")
    if found.kind == "helped":
        assert low > 0
    if found.kind == "hurt":
        assert high < 0


def test_twins() -> None:
    without = {"n": 3309, "difference": 0.009, "difference_low": -0.001, "difference_high": 0.019, "verdict": "none"}
    assert twins_sentence("helped", 280, without) == (
        "Without the 280 test pictures that also stand among the training rows it is another: no difference is shown "
        f"(+0.9 points, {MINUS}0.1 to +1.9, n = 3,309)."
    )
    assert twins_sentence("none", 1, without) == (
        "It holds without the 1 test picture that also stands among the training rows "
        f"(+0.9 points, {MINUS}0.1 to +1.9, n = 3,309)."
    )
    assert twins_sentence("helped", 0, without) == twins_sentence("helped", 5, None) == ""


def test_cost() -> None:
    assert cost_sentence(520, 100) == "5.2 times the training time of the best single model."
    assert cost_sentence(520, 0) == ""


def test_words() -> None:
    assert percent(0.6613) == "66.1 %"
    assert [points(x) for x in (0.012, -0.006, 0.0004, -0.0004, 0.0)] == ["+1.2", f"{MINUS}0.6", "0.0", "0.0", "0.0"]
    assert pictures(1) == "1 picture" and pictures(3589, "test") == "3,589 test pictures"
    assert [decimals_for(0.01), decimals_for(0.0004), decimals_for(0.0, 0.00004), decimals_for(0.0)] == [1, 2, 3, 1]
