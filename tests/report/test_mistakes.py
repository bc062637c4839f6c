"""The surest mistakes, the temperature, how members are alike, counts beside a tie: the sentences and their data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fertune.report.sections import plan
from fertune.report.shared import mistakes
from fertune.report.shared.numbers import Predicted
from fertune.report.stack import calibration, forest, members, summary
from fertune.report.stack.rows import read
from fertune.report.words import SPACE
from tests.report import fixtures
from tests.report.conftest import record

LEAST = "a confidence of {} % or more; some labels may be wrong."


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


@pytest.mark.parametrize(
    ("said", "sure", "of", "wanted"),
    [
        (["happy"] * 12 + ["sad"] * 6 + ["fear"] * 6, [0.94] * 24, 400,
         f"12 of the 24 most confident mistakes say happy; all have {LEAST.format(94)}"),
        (["a", "b", "c", "d"], [0.9, 0.8, 0.7, 0.6], 4,
         f"No class is named in a third of its 4 mistakes; all have {LEAST.format(60)}"),
        (["a"], [0.91], 1, "Its only mistake says a with a confidence of 91 %; the label may be wrong."),
        (["a"], [0.91], 7, "The surest mistake says a with a confidence of 91 %; the label may be wrong."),
    ],
)  # fmt: skip
def test_finding(said: list[str], sure: list[float], of: int, wanted: str) -> None:
    assert plain(mistakes.finding(said, sure, of)) == wanted


def right_everywhere() -> Predicted:
    return Predicted(np.arange(3), np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]))


def test_no_mistake_is_good_news_not_an_empty_section() -> None:
    section = mistakes.section(None, right_everywhere(), ["a", "b"], pictures=True, command="fertune report x")
    assert section.finding == "No mistake: all of 3 test pictures were read right."
    assert section.state == "full"


def test_pictures_left_out_or_not_stored() -> None:
    wrong = replace(right_everywhere(), labels=np.array([1, 1, 0]))
    for pictures, why in ((True, "stored no pictures of its 1 mistake"), (False, "--no-pictures")):
        section = mistakes.section(None, wrong, ["a", "b"], pictures=pictures, command="fertune report x")
        assert section.state == "empty"
        assert why in section.finding


def test_the_surest_come_first() -> None:
    section = plan(record("stack-helped"))["mistakes"]()
    assert section.numbers is not None
    sure = [row.cells[3].sort for row in section.numbers.rows]
    assert len(sure) == 24
    assert sure == sorted(sure, reverse=True)
    assert all(row.cells[1].text != row.cells[2].text for row in section.numbers.rows)


def test_without_labels_there_are_no_mistakes_to_see() -> None:
    section = plan(record("stack-no-test"))["mistakes"]()
    assert section.state == "empty"
    assert "No labelled test rows" in section.finding


def sharp(n: int, k: int, seed: int, heat: float) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities with their logarithms multiplied by ``heat``."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.ones(k), n)
    labels = np.array([rng.choice(k, p=p) for p in true])
    return calibration.warmed(true, 1 / heat), labels


def test_a_temperature_undoes_what_made_the_answers_too_sure() -> None:
    oof = sharp(4000, 4, 0, 1.8)
    proba, labels = sharp(3000, 4, 1, 1.8)
    test = Predicted(np.arange(len(labels)), labels, proba)
    cooled = calibration.cool(oof, test)
    assert cooled.temperature == pytest.approx(1.8, abs=0.1)
    assert cooled.rows == 4000
    before = calibration.reliability(proba, labels, calibration.BINS).ece
    assert cooled.ece < before / 3
    said = calibration.finding("mean", calibration.reliability(proba, labels, 15), None, cooled)
    assert said.startswith("mean is overconfident by ")
    assert f"a temperature of {cooled.temperature:.2f} fitted out of fold brings {cooled.ece:.3f}." in said


def test_only_an_average_has_out_of_fold_answers_that_are_stored() -> None:
    oof = {"proba": np.array([[[0.8, 0.2], [0.4, 0.6]], [[np.nan, np.nan], [0.5, 0.5]]]), "labels": np.array([0, 1]),
           "names": np.array(["a", "b"])}  # fmt: skip
    learners = [{"name": "mean", "explain": {"kind": "weights", "weights": {"a": 0.5, "b": 0.5}}},
                {"name": "xgboost", "explain": {"kind": "importances"}}]  # fmt: skip
    found = calibration.out_of_fold(oof, learners, "mean")
    assert found is not None
    assert found[0].tolist() == [[pytest.approx(0.6), pytest.approx(0.4)]]
    assert calibration.out_of_fold(oof, learners, "xgboost") is None
    assert calibration.out_of_fold(None, learners, "mean") is None
    stored = {"proba": np.array([[0.7, 0.3], [np.nan, np.nan]]), "labels": np.array([1, 0])}
    assert calibration.stored_oof(None) is None
    kept = calibration.stored_oof(stored)
    assert kept is not None and kept[0].tolist() == [[0.7, 0.3]] and kept[1].tolist() == [1]
    section = plan(fixtures.stack("helped", chosen="mean"))["calibration"]()
    assert "fitted out of fold brings" in section.finding
    assert "4,000 out-of-fold rows, never on these" in section.how


def test_members_that_are_right_together() -> None:
    right = np.array([[1, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1]], dtype=bool)
    like = members.likeness(right)
    assert like[0, 1] == pytest.approx(np.corrcoef(right[:, 0], right[:, 1])[0, 1])
    assert np.isnan(like[0, 2])


def test_few_pictures_are_counted() -> None:
    assert forest._counts({"gained": 31, "lost": 8}) == "31 gained, 8 lost"
    assert forest._counts({"gained": 31, "lost": 18}) == ""
    assert forest._counts({"gained": 0, "lost": 0}) == ""
    assert forest._counts({"gained": None, "lost": None}) == ""


def test_chips_say_what_qualifies_the_verdict() -> None:
    stored = fixtures.stack("helped")
    assert stored.comparison is not None
    chips = summary.section(stored, read(stored.comparison)).chips
    assert chips[0].endswith("in training")
    assert chips[1] == "1 member left out"
