"""Did it help? Three forms of one sentence, written from the paired interval of two contenders on the same rows.

Never 'significant', 'proves' or 'equal': a tie says what these rows could have shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fertune.evaluation.paired import exact_p
from fertune.evaluation.words import count, decimals_for, percent, pictures, points

Kind = Literal["helped", "hurt", "none", "no_test"]

POWER = 2.8
"""Standard errors of a difference that is found with 80 % power at 5 %, two-sided: 1.96 + 0.84."""

FEW = 40
"""Under so many differing rows the counts are told, and the exact test must agree with the interval."""

NO_TEST = "No verdict: no labelled test rows"


@dataclass(frozen=True)
class Verdict:
    """Attributes:
    kind: ``helped``, ``hurt``, ``none`` (no difference shown) or ``no_test``.
    sentence: For people.
    detectable: Fraction; differences under it would likely have been missed. None where nothing can be said: no test
        rows, the same predictions, or resamples that do not differ.
    """

    kind: Kind
    sentence: str
    detectable: float | None

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "sentence": self.sentence, "detectable": self.detectable}


def judge(low: float, high: float, gained: int, lost: int) -> Kind:
    """``helped`` or ``hurt`` where the paired interval excludes 0, else ``none``; touching 0 is ``none``.

    With fewer than 40 differing rows McNemar's exact p must be under 0.05 as well: a percentile interval of few rows is
    too short (4 gained and 0 lost of 100 exclude 0, at p = 0.125; one row alone always would).

    Args:
        low, high: Paired interval of the difference, fractions.
        gained, lost: Differing rows.
    """
    if gained + lost < FEW and exact_p(gained, lost) >= 0.05:
        return "none"
    return "helped" if low > 0 else "hurt" if high < 0 else "none"


def write_verdict(
    name: str,
    *,
    n: int,
    accuracy: float,
    difference: float,
    low: float,
    high: float,
    gained: int,
    lost: int,
    standard_error: float,
    same: bool,
) -> Verdict:
    """The verdict on the chosen stack against the best single model.

    Args:
        name: Of the chosen stack.
        n: Labelled test rows, at least 1.
        accuracy: Of the chosen stack, fraction.
        difference: Its accuracy minus that of the best single, fraction.
        low, high: Paired 95 % interval of it, fractions.
        gained, lost: Rows that only the stack, or only the single, has right.
        standard_error: Of the paired difference, fraction.
        same: Whether the two predict the same class on every row.
    """
    if same:
        where = f"all {pictures(n, 'test')}" if n > 1 else "the 1 test picture"
        return Verdict(
            "none", f"No difference: {name} and the best single model give the same answer on {where}.", None
        )
    kind = judge(low, high, gained, lost)
    detectable = POWER * standard_error if standard_error > 0 else None
    counts = f"; {count(gained)} gained, {count(lost)} lost" if gained + lost < FEW else ""
    if kind != "none":
        digits = decimals_for(difference, low if kind == "helped" else high)
        size = points(abs(difference), digits).lstrip("+")
        return Verdict(
            kind,
            f"Stacking {kind}: {name} is right on {percent(accuracy)} of {pictures(n, 'test')}, {size} points "
            f"{'more' if kind == 'helped' else 'less'} than the best single model "
            f"(95 % interval {points(low, digits)} to {points(high, digits)}{counts}).",
            detectable,
        )
    head = f"No difference that {'this' if n == 1 else 'these'} {pictures(n)} can show: {points(difference)} points"
    if low > 0 or high < 0:  # the interval excludes 0, the exact test does not agree
        body = f", but {count(gained)} gained and {count(lost)} lost are too few to tell."
    else:
        body = f" ({points(low)} to {points(high)}{counts})."
    return Verdict("none", head + body + _missed(detectable), detectable)


def no_test() -> Verdict:
    """Where no test row has a label."""
    return Verdict("no_test", NO_TEST, None)


def twins_sentence(kind: Kind, n_twins: int, without: Mapping[str, Any] | None) -> str:
    """Whether the verdict holds without test rows that have a twin among the trained rows; "" where there are none.

    Args:
        kind: Verdict on all rows.
        n_twins: Test rows that have such a twin.
        without: ``without_twins`` of the chosen row of a comparison.
    """
    if without is None or n_twins == 0 or kind == "no_test":
        return ""
    numbers = (
        f"{points(without['difference'])} points, {points(without['difference_low'])} to "
        f"{points(without['difference_high'])}, n = {count(without['n'])}"
    )
    rows = f"the {pictures(n_twins, 'test')} that also {'stands' if n_twins == 1 else 'stand'} among the training rows"
    if without["verdict"] == kind:
        return f"It holds without {rows} ({numbers})."
    other = {"helped": "stacking helped", "hurt": "stacking hurt", "none": "no difference is shown"}[without["verdict"]]
    return f"Without {rows} it is another: {other} ({numbers})."


def cost_sentence(seconds: float, reference_seconds: float) -> str:
    """``"5.2 times the training time of the best single model."``; "" where a time is missing."""
    if seconds <= 0 or reference_seconds <= 0:
        return ""
    return f"{seconds / reference_seconds:.1f} times the training time of the best single model."


def _missed(detectable: float | None) -> str:
    if detectable is None:
        return ""
    if detectable >= 1:
        return " They are too few for any difference to show."
    return (
        f" One under about {percent(detectable, decimals_for(detectable))[:-2]} points would likely have been missed."
    )
