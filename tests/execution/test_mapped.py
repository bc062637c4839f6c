"""The data set is mapped, not copied: workers beside the first add next to nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fertune.data import ImageDataset
from fertune.execution import ProcessExecutor
from fertune.testing.executors import until_ended
from fertune.testing.scripted import ScriptedJob
from fertune.trial import OBJECTIVES, Event, Finished, Reported, Rows, Started, TrainJob

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
WORKERS = 3


def big(folder: Path, megabytes: int) -> ImageDataset:
    """A data set of 96x96 pictures that are cheap to make."""
    n = megabytes * 2**20 // 96**2
    images = np.broadcast_to(np.arange(n, dtype=np.uint32)[:, None, None, None], (n, 96, 96, 1)).astype(np.uint8)
    images[:, 0, :4, 0] = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 4)
    cut = n - 64
    labels = np.arange(n) % 2
    return ImageDataset.from_arrays(
        x_train=images[:cut], y_train=labels[:cut], x_val=images[cut:], y_val=labels[cut:]
    ).save(folder)


def pss(pid: int, file: str | None = None) -> int:
    """Bytes that a process has in memory, what it shares counted in part; of one mapped file, or of all."""
    total, counts = 0, file is None
    for line in Path(f"/proc/{pid}/{'smaps' if file else 'smaps_rollup'}").read_text().splitlines():
        first = line.split()[0]
        if file and not first.endswith(":"):
            counts = line.endswith(file)
        elif first == "Pss:" and counts:
            total += int(line.split()[1]) * 1024
    return total


def pids(executor: ProcessExecutor) -> list[int]:
    return [child.process.pid for child in executor._children.values()]


def test_workers_add_no_second_copy(processes: Callable[..., ProcessExecutor], tmp_path: Path) -> None:
    data = big(tmp_path / "data", 96)
    executor = processes(workers=WORKERS)
    before: list[int] = []
    for dataset in (big(tmp_path / "small", 1), data):  # the first, for what is imported
        before = [pss(pid) for pid in pids(executor)] if executor.status()[0].jobs else []
        for number in range(WORKERS):
            seconds = 0.3 if before else 2.0  # till the last worker has started
            executor.submit(
                ScriptedJob(f"{number}-{dataset.folder}", "map", 1, seconds=seconds, path=str(dataset.folder))
            )
        until_ended(executor, WORKERS)
    mapped = [pss(pid, str(data.folder / "images.npy")) for pid in pids(executor)]
    size = data.images.nbytes
    after = [pss(pid) for pid in pids(executor)]
    assert len(before) == WORKERS and [s.jobs for s in executor.status()] == [2] * WORKERS
    assert sum(mapped) <= 1.01 * size, "together they hold each page once"
    assert sum(after) - sum(before) < 1.15 * size


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("KERAS_BACKEND") == "jax", reason="one backend is enough")
def test_real_trainings_add_no_second_copy(tmp_path: Path) -> None:
    data = big(tmp_path / "data", 24)
    settings = {"blocks": 4, "filters_1": 4, "filters_2": 4, "filters_3": 4, "filters_4": 4, "dense_units": 0,
                "batch_size": 256, "learning_rate": 0.01, "batch_norm": False, "dropout": 0.0}  # fmt: skip
    executor = ProcessExecutor(workers=2, log_dir=tmp_path)
    mapped: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, Reported) and not mapped and {s.jobs for s in executor.status()} == {0}:
            seen = [pss(pid, "images.npy") for pid in pids(executor)]
            if min(seen) > data.images.nbytes // 4:
                mapped.extend(seen)

    try:
        for number in range(2):
            executor.submit(
                TrainJob(
                    id=f"t{number}", data=str(data.folder), fingerprint=data.fingerprint, fit=Rows(("train",)),
                    stop=Rows(("validation",)), family="conv", settings=settings, budget=2,
                    objective=OBJECTIVES["val_accuracy"], seed=number, out=str(tmp_path / str(number)),
                )
            )  # fmt: skip
        events = until_ended(executor, 2, look, limit=240)
        assert all(isinstance(e, Finished) for e in events if not isinstance(e, (Started, Reported))), events
    finally:
        executor.close()
    print(f"\nmapped by each of two workers: {[m >> 20 for m in mapped]} MiB of {data.images.nbytes >> 20} MiB")
    assert mapped and sum(mapped) <= 1.01 * data.images.nbytes
