"""What ``--workers auto`` means, what is remembered of a machine, and which executor the options make."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fertune.config import Where
from fertune.errors import ConfigError, MissingPackage
from fertune.execution import ProcessExecutor, automatic_workers, machine, make, make_executor, split
from fertune.execution.gpus import Gpu
from fertune.execution.split import Split, machine_key, remember, remembered, splits_file

GB = 2**30


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FERTUNE_WORKERS", raising=False)
    monkeypatch.setenv("FERTUNE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(make, "memory_free", lambda: 64 * GB)
    for module in (make, split):
        monkeypatch.setattr(module, "cores", lambda: 8)


def test_a_split_is_remembered_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remembered([]) is None
    best = Split(4, 2, 512.5, "2026-01-01 10:00")
    assert remember(best, []) == splits_file() and remembered([]) == best
    assert remembered([Gpu("0", "Other")]) is None
    monkeypatch.setattr(split, "cores", lambda: 16)
    assert remembered([]) is None
    remember(Split(8, 2), [])
    monkeypatch.setattr(split, "cores", lambda: 8)
    assert remembered([]) == best, "another machine's does not push it out"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert remembered([]) is None and "jax" in machine_key([])


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"KEY": 3}', '{"KEY": {"workers": 0, "threads": 1}}',
                                  '{"KEY": {"workers": 2}}', '{"KEY": {"workers": "x", "threads": 1}}'])  # fmt: skip
def test_a_file_that_cannot_be_understood_is_no_memory(text: str) -> None:
    splits_file().parent.mkdir(parents=True)
    splits_file().write_text(text.replace("KEY", machine_key([])))
    assert remembered([]) is None
    assert automatic_workers() == Split(4, 0)
    remember(Split(1, 8), [])
    assert remembered([]) == Split(1, 8)


def test_auto_is_what_the_variable_says_then_the_gpus_then_what_was_measured_then_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert automatic_workers() == Split(4, 0)
    remember(Split(2, 3), [])
    assert automatic_workers() == Split(2, 3)
    assert automatic_workers([Gpu("0"), Gpu("1")], per_gpu=3) == Split(6, 0)
    monkeypatch.setenv("FERTUNE_WORKERS", "5")
    assert automatic_workers([Gpu("0")]) == Split(5, 0)


def test_auto_starts_no_more_workers_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "memory_free", lambda: 4 * GB)
    assert automatic_workers().workers == 2
    monkeypatch.setattr(make, "memory_free", lambda: GB // 2)
    assert automatic_workers().workers == 1
    remember(Split(8, 1), [])
    assert automatic_workers() == Split(1, 0), "what was measured when there was more"


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (4, 4), (8, 4), (16, 8), (96, 16)])
def test_auto_on_machines_that_were_not_measured(monkeypatch: pytest.MonkeyPatch, cores: int, workers: int) -> None:
    for module in (make, split):
        monkeypatch.setattr(module, "cores", lambda: cores)
    assert automatic_workers().workers == workers


def threads(where: Where, folder: Path, most: int | None = None) -> list[int]:
    executor = make_executor(where, log_dir=folder, most=most)
    assert isinstance(executor, ProcessExecutor)
    try:
        return [s.threads for s in executor.status()]
    finally:
        executor.close()


def test_the_options_make_the_executor(tmp_path: Path) -> None:
    assert threads(Where(workers=3), tmp_path) == [3, 3, 2]
    assert threads(Where(workers=3), tmp_path, most=1) == [8]
    remember(Split(2, 3), [])
    assert threads(Where(), tmp_path) == [3, 3], "a measured split may leave cores unused"
    assert threads(Where(), tmp_path, most=1) == [8]


def test_without_ray_its_install_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "fertune.execution.ray", raising=False)
    with pytest.raises(MissingPackage) as caught:
        make_executor(Where(executor="ray"), log_dir=tmp_path)
    assert caught.value.help == 'pip install "fertune[ray]"'


def test_a_container_s_share_of_the_machine_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = machine.memory_total()
    monkeypatch.setattr(machine, "GROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "memory.max").write_text(f"{GB}\n")
    (tmp_path / "memory.current").write_text(f"{GB // 2}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\nfile {GB // 4}\n")
    assert machine.cores() <= 2 and machine.memory_total() == GB and machine.memory_free() == 3 * GB // 4
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory_total() == whole and machine.cores() >= 1


def test_what_does_not_fit_is_known_before_a_run_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "choose_gpus", lambda wanted: [Gpu("0"), Gpu("1")])
    make.check_where(Where(workers=4, per_gpu=2))
    with pytest.raises(ConfigError, match="3 workers do not fit on 2 GPUs"):
        make.check_where(Where(workers=3))
