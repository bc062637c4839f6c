"""Two hundred real trials: neither the coordinator nor its workers grow."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

import fertune as ft
from fertune.execution.limits import fair_memory
from fertune.searching import Observer
from fertune.trial import State, Trial

MB = 2**20
TRIALS, WORKERS, WARM = 200, 2, 20


class Meter(Observer):
    """Reads the coordinator and its largest worker whenever a trial has ended."""

    def __init__(self) -> None:
        self.me = psutil.Process()
        self.coordinator: list[float] = []
        self.largest: list[float] = []

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self.coordinator.append(self.me.memory_info().rss / MB)
        own = [0.0]
        for child in self.me.children():
            try:
                info = child.memory_info()
            except psutil.NoSuchProcess:
                continue
            own.append((info.rss - getattr(info, "shared", 0)) / MB)
        self.largest.append(max(own))


def curve(values: list[float]) -> str:
    """Every twentieth value."""
    return " ".join(f"{v:.0f}" for v in values[::20]) + f" {values[-1]:.0f}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_200_trials_leave_the_coordinator_and_its_workers_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = ft.Space(
        "tiny",
        [ft.Float("learning_rate", 1e-3, 1e-2, log=True), ft.Choice("filters_1", (4, 8)), ft.Int("dense_units", 8, 64)],
        fixed={"blocks": 1, "pooling": "average"},
    )
    meter = Meter()
    run = ft.search(
        space, data="builtin:digits", tuner="random", trials=TRIALS, max_epochs=1, workers=WORKERS,
        out=tmp_path / "run", observer=meter,
    )  # fmt: skip
    grown = (meter.coordinator[-1] - meter.coordinator[WARM]) / (TRIALS - WARM)
    with capsys.disabled():
        print(f"\ncoordinator, MB at every 20th trial: {curve(meter.coordinator)}  ({grown:+.3f} MB a trial)")
        print(f"largest worker, MB of its own:       {curve(meter.largest)}  (limit {fair_memory(WORKERS) / MB:.0f})")
    states = [t.state for t in run.record.trials]
    assert states == [State.COMPLETED] * TRIALS
    assert grown < 1.0
    assert max(meter.largest) * MB < fair_memory(WORKERS)
    assert meter.largest[-1] < meter.largest[WARM] + 200, "or it is replaced so often that it shows"
