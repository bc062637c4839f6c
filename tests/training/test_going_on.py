"""A training that was cut off goes on from its last state, and tells its epochs again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fertune.training import state
from fertune.training import train as training
from fertune.training.context import InProcess
from fertune.training.failures import classify
from fertune.training.runner import run
from fertune.trial import FailureKind, TrainResult


class Gone(BaseException):
    """Stands for a coordinator that was killed in the middle of an epoch."""


class Cut(InProcess):
    """Is gone in an epoch's middle, some batches after its state was written."""

    def stopping(self) -> bool:
        if len(self.reports) == 2:
            raise Gone
        return super().stopping()


def test_a_cut_off_training_goes_on_and_reports_every_epoch_of_its_stretch(make_job: Any, tmp_path: Path) -> None:
    job = make_job(budget=4, checkpoint=0.0, told=0)
    straight = InProcess()
    whole = run(replace(job, out=str(tmp_path / "straight"), checkpoint=None), straight)
    assert not (tmp_path / "straight" / "state").exists()
    with pytest.raises(Gone):
        run(job, Cut())
    assert (tmp_path / "out" / "state" / "state.npz").exists()
    context = InProcess()
    result = run(replace(job, resume=str(tmp_path / "out")), context)
    assert isinstance(result, TrainResult) and isinstance(whole, TrainResult) and result.note == ""
    assert [(s, v) for s, v, _ in context.reports] == [(s, v) for s, v, _ in straight.reports]
    assert (result.value, result.best_epoch, result.epochs) == (whole.value, whole.best_epoch, 4)


def test_the_seconds_of_a_cut_off_sitting_count_as_far_as_its_epochs_are_known(make_job: Any, tmp_path: Path) -> None:
    job = make_job(budget=4, checkpoint=0.0, told=0)
    with pytest.raises(Gone):
        run(job, Cut())
    context = InProcess()
    result = training.train(replace(job, resume=str(tmp_path / "out")), context, clock=lambda: 7.0)
    assert result.seconds == sum(logs["seconds"] for step, _, logs in context.reports if step <= 2) > 0


def test_only_the_epochs_of_this_stretch_are_told_again(make_job: Any, tmp_path: Path) -> None:
    run(make_job(budget=3, keep_state=True), InProcess())
    context = InProcess()
    run(make_job(budget=4, resume=str(tmp_path / "out"), told=2), context)
    assert [step for step, _, _ in context.reports] == [3, 4]


def test_a_searcher_may_prune_at_an_epoch_that_is_told_again(make_job: Any, tmp_path: Path) -> None:
    run(make_job(budget=3, keep_state=True), InProcess())
    context = InProcess(prune_at=2)
    result = run(make_job(budget=9, resume=str(tmp_path / "out"), told=0), context)
    assert isinstance(result, TrainResult) and result.ended_by == "pruned" and len(context.reports) == 2


@pytest.mark.parametrize("broken", ["save_model", "state"])
def test_a_full_disk_costs_the_files_and_not_the_value(
    make_job: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: str
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((training, "save_model") if broken == "save_model" else (state, "save")), full)
    result = run(make_job(budget=2, keep_state=True), InProcess())
    assert isinstance(result, TrainResult) and result.epochs == 2 and result.value > 0
    assert "could not be kept: No space left on device" in result.note
    assert (tmp_path / "out" / "model.keras").exists() == (broken == "state")


def test_a_model_with_too_many_weights_is_infeasible(make_job: Any) -> None:
    with pytest.raises(Exception, match="parameters; --max-params allows 10") as caught:
        run(make_job(max_params=10), InProcess())
    assert classify(caught.value).kind is FailureKind.INFEASIBLE
