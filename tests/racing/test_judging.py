"""What a fold is worth, when the race is lost, and the test behind it."""

from __future__ import annotations

from math import erfc
from pathlib import Path

import numpy as np
import pytest

from fertune.evaluation import signed_rank
from fertune.files import write_npz
from fertune.searching.judging import FoldJudge
from fertune.searching.loop import BEHIND
from fertune.store.trials import Trials
from fertune.trial import OBJECTIVES, Suggestion, TrainResult, Trial

ROWS, CLASSES = 900, 3
RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, CLASSES, ROWS)
GROUPS = np.arange(ROWS)
FOLD = np.arange(ROWS) % 3


def answers(path: Path, trial: int, fold: int, right: float, seed: int) -> float:
    """Write held-out probabilities of which about a share ``right`` is right; returns that share exactly."""
    positions = np.flatnonzero(fold == FOLD)
    rng = np.random.default_rng(seed)
    shown = np.where(rng.random(len(positions)) < right, LABELS[positions], (LABELS[positions] + 1) % CLASSES)
    proba = np.full((len(positions), CLASSES), 0.1)
    proba[np.arange(len(positions)), shown] = 0.8
    write_npz(
        path / str(trial) / f"fold-{fold}" / "held_out.npz",
        {"row": positions.astype(np.int32), "position": positions.astype(np.int32), "proba": proba},
    )
    return float(np.mean(shown == LABELS[positions]))


def lines(trial: int, fold: int, value: float | None = None, of: int = 3) -> list[dict]:
    """Asked, and told where it has a value."""
    ticket = trial * 10 + fold
    asked = {"event": "asked", "time": 1.0, "trial": trial, "ticket": ticket, "params": {"x": trial}, "budget": 2}
    asked |= {"continues": None, "tags": {"fold": fold, "of": of}, "fold": fold}
    told = {"event": "told", "time": 2.0, "trial": trial, "ticket": ticket, "outcome": "completed", "value": value}
    return [asked] if value is None else [asked, {**told, "epochs": 2, "seconds": 1.0, "best_epoch": 2}]


def judged(path: Path, right: float, *, groups: np.ndarray = GROUPS, folds: int = 1, leader: int = 3) -> TrainResult:
    """A second trial's fold number ``folds - 1``, after a leader that is right on 90 %."""
    journal = []
    for fold in range(leader):
        journal += lines(0, fold, answers(path, 0, fold, 0.9, fold))
    for fold in range(folds - 1):
        journal += lines(1, fold, answers(path, 1, fold, right, 10 + fold))
    answers(path, 1, folds - 1, right, 10 + folds)
    trials = Trials([*journal, *lines(1, folds - 1)])
    judge = FoldJudge(path, LABELS, groups, OBJECTIVES["val_accuracy"], trials.all)
    result = TrainResult(0.99, 2, 2, 1.0, 10, "budget")
    return judge(trials.by_id[1], Suggestion(folds, {"x": 1}, 2, fold=folds - 1), result)


def test_the_value_is_that_of_the_held_out_rows_not_of_the_watched_ones(tmp_path: Path) -> None:
    result = judged(tmp_path, 0.9)
    assert result.value == pytest.approx(0.9, abs=0.05) and result.ended_by == "budget"


def test_a_far_worse_one_is_stopped_after_a_fold(tmp_path: Path) -> None:
    result = judged(tmp_path, 0.6)
    assert result.ended_by == BEHIND
    assert result.note.startswith("behind trial 0 after 1 of 3 folds, p ")


def test_a_little_worse_is_not_yet_weak_and_more_folds_see_more(tmp_path: Path) -> None:
    assert judged(tmp_path / "one", 0.8).ended_by == "budget"
    assert judged(tmp_path / "two", 0.75, folds=2).ended_by == BEHIND


def test_a_better_one_goes_on(tmp_path: Path) -> None:
    assert judged(tmp_path, 0.99).ended_by == "budget"


def test_there_is_no_race_after_the_last_fold_nor_before_one_has_all(tmp_path: Path) -> None:
    assert judged(tmp_path / "last", 0.5, folds=3).ended_by == "budget"
    assert judged(tmp_path / "none", 0.5, leader=2).ended_by == "budget"


def test_rows_of_one_group_count_once(tmp_path: Path) -> None:
    """300 rows of 15 persons say as little as 15 rows."""
    assert judged(tmp_path, 0.6, groups=np.arange(ROWS) % 45).ended_by == "budget"


def test_without_the_leaders_rows_there_is_no_race(tmp_path: Path) -> None:
    journal = [line for fold in range(3) for line in lines(0, fold, 0.9)] + lines(1, 0)
    answers(tmp_path, 1, 0, 0.2, 1)
    trials = Trials(journal)
    judge = FoldJudge(tmp_path, LABELS, GROUPS, OBJECTIVES["val_accuracy"], trials.all)
    result = judge(trials.by_id[1], Suggestion(3, {"x": 1}, 2, fold=0), TrainResult(0.9, 2, 2, 1.0, 10, "budget"))
    assert result.ended_by == "budget" and result.value < 0.3


def test_a_probe_is_measured_and_not_raced(tmp_path: Path) -> None:
    trial = Trials([*[x for f in range(3) for x in lines(0, f, answers(tmp_path, 0, f, 0.9, f))], *lines(1, 0, of=1)])
    answers(tmp_path, 1, 0, 0.3, 1)
    judge = FoldJudge(tmp_path, LABELS, GROUPS, OBJECTIVES["val_accuracy"], trial.all)
    probe = Suggestion(3, {"x": 1}, 2, fold=0, share=0.1)
    result = judge(trial.by_id[1], probe, TrainResult(0.9, 2, 2, 1.0, 10, "budget"))
    assert result.ended_by == "budget" and result.value < 0.4


def test_the_signed_rank_test_is_one_sided_and_knows_groups() -> None:
    from scipy.stats import wilcoxon

    rng = np.random.default_rng(0)
    a = rng.random(300)
    b = a + rng.normal(0.05, 0.2, 300)
    expected = wilcoxon(b - a, alternative="greater").pvalue  # of so many pairs: the normal distribution
    assert signed_rank(a, b, np.arange(300)) == pytest.approx(expected, rel=1e-9)
    assert signed_rank(b, a, np.arange(300)) > 0.99
    twice = signed_rank(np.repeat(a, 2), np.repeat(b, 2), np.repeat(np.arange(300), 2))
    assert twice == pytest.approx(expected, rel=1e-9), "a second copy of each row adds nothing"


def test_the_signed_rank_test_corrects_for_ties_and_leaves_out_pairs_without_a_difference() -> None:
    from scipy.stats import wilcoxon

    difference = np.random.default_rng(1).integers(-3, 5, 300).astype(float)
    assert np.count_nonzero(difference == 0) > 20
    expected = wilcoxon(difference, alternative="greater", zero_method="wilcox").pvalue
    assert signed_rank(np.zeros(300), difference, np.arange(300)) == pytest.approx(expected, rel=1e-9)


def test_the_signed_rank_test_of_few_pairs_is_the_normal_one() -> None:
    """30 differences of 1 to 30 of which those up to 8 are negative: W+ 429 of mean 232.5 and variance 2363.75."""
    difference = np.arange(1.0, 31.0)
    difference[:8] *= -1
    z = (429 - 232.5) / 2363.75**0.5
    assert signed_rank(np.zeros(30), difference, np.arange(30)) == pytest.approx(erfc(z / 2**0.5) / 2, rel=1e-9)


def test_too_few_rows_or_none_that_differ_say_nothing() -> None:
    a = np.zeros(200)
    assert signed_rank(a, a, np.arange(200)) == 1.0
    assert signed_rank(a, a + 1, np.arange(200) % 19) == 1.0
    with pytest.raises(ValueError, match="three equal"):
        signed_rank(a, a[:3], np.arange(200))


def trial_of(*stored: list[dict]) -> Trial:
    return Trials([line for group in stored for line in group]).by_id[0]


def test_a_trial_between_two_folds_runs_and_one_with_all_is_complete() -> None:
    between = trial_of(lines(0, 0, 0.5))
    assert (between.state.value, between.value, between.folds_done, between.spread) == ("running", 0.5, 1, None)
    whole = trial_of(*[lines(0, i, 0.5 + i / 10) for i in range(3)])
    assert (whole.state.value, whole.folds_done) == ("completed", 3)
    assert whole.value == pytest.approx(0.6) and whole.spread == pytest.approx(0.1)
    ended = [{"event": "ended", "time": 3.0, "status": "finished", "reason": "the time budget is spent"}]
    assert trial_of(lines(0, 0, 0.5), ended).state.value == "stopped"


def test_more_folds_stand_before_a_lucky_first_one() -> None:
    whole = trial_of(*[lines(0, i, 0.5) for i in range(3)])
    lucky = trial_of(lines(0, 0, 0.9)).but(id=1)
    objective = OBJECTIVES["val_accuracy"]
    assert min(whole, lucky, key=lambda t: t.place(objective)) is whole
    document = lucky.to_json()
    assert document["folds"] == {"done": 1, "of": 3, "spread": None}
    assert document["rungs"][0]["fold"] == 0 and document["rungs"][0]["outcome"] == "completed"


def test_epochs_of_folds_side_by_side_are_kept_apart() -> None:
    epoch = {"event": "epoch", "time": 1.5, "trial": 0, "step": 1, "logs": {"loss": 1.0}}
    trial = trial_of(
        lines(0, 0), lines(0, 1), [{**epoch, "ticket": 1, "value": 0.2}, {**epoch, "ticket": 0, "value": 0.3}]
    )
    assert [r.history[0]["value"] for r in trial.folds] == [0.3, 0.2]
    again = trial_of(
        lines(0, 0), [{**epoch, "ticket": 0, "value": 0.3}], [{"event": "retried", "time": 2, "trial": 0, "ticket": 0}]
    )
    assert again.folds[0].history == () and again.epochs == 0
