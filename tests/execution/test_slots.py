"""Cores and GPUs are shared out; pretended GPUs stand for real ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fertune.config import Where
from fertune.errors import ConfigError
from fertune.execution import gpus as gpus_module
from fertune.execution import make
from fertune.execution.environment import GPU_MEMORY, worker_environment
from fertune.execution.gpus import Gpu, choose_gpus, find_gpus
from fertune.execution.slots import share_out, whole_machine
from fertune.training import memory

FOUR = [Gpu(str(n), "Pretended 9000", 40_000) for n in range(4)]


@given(workers=st.integers(1, 64), cores=st.integers(1, 256))
def test_all_cores_are_shared_out_and_no_worker_goes_without(workers: int, cores: int) -> None:
    threads = [slot.threads for slot in share_out(workers, cores)]
    assert sum(threads) == max(cores, workers) and max(threads) - min(threads) <= 1
    assert threads == sorted(threads, reverse=True), "what is left over goes to the first ones"


@given(gpus=st.integers(1, 4), per_gpu=st.integers(1, 5), data=st.data())
def test_gpus_are_handed_out_evenly_and_memory_adds_up_to_one(gpus: int, per_gpu: int, data: st.DataObject) -> None:
    workers = data.draw(st.integers(1, gpus * per_gpu))
    slots = share_out(workers, 16, FOUR[:gpus], per_gpu=per_gpu)
    for gpu in FOUR[:gpus]:
        on = [slot for slot in slots if slot.gpu == gpu]
        assert len(on) <= per_gpu and (not on or abs(sum(slot.share for slot in on) - 1) < 1e-9)
    assert [slot.number for slot in slots] == list(range(workers))
    assert slots[0].device == "gpu:0"


def test_more_workers_than_the_gpus_take_is_an_error_that_says_what_to_type() -> None:
    with pytest.raises(ConfigError, match="5 workers do not fit on 2 GPUs with 2 on each") as caught:
        share_out(5, 8, FOUR[:2], per_gpu=2)
    assert caught.value.help == "--workers 4, --per-gpu 3, or --gpus none"


def test_the_place_of_a_job_alone_is_all_cores_and_a_whole_gpu() -> None:
    slot = whole_machine(share_out(4, 8, FOUR[:2], per_gpu=2), 8)
    assert (slot.number, slot.threads, slot.device, slot.share) == (4, 8, "gpu:0", 1.0)


def test_the_environment_says_threads_and_hides_nothing_on_a_machine_without_gpus() -> None:
    made = worker_environment(share_out(2, 8)[0], base={"PATH": "/bin", "OMP_NUM_THREADS": "99"})
    assert {made[n] for n in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC", "MKL_NUM_THREADS")} == {"4"}
    assert made["TF_NUM_INTEROP_THREADS"] == "1" and made["PATH"] == "/bin" and "CUDA_VISIBLE_DEVICES" not in made


def test_each_worker_sees_its_gpu_and_takes_its_part_of_the_memory() -> None:
    slots = share_out(4, 8, FOUR[:2], per_gpu=2)
    made = [worker_environment(slot, base={}) for slot in slots]
    assert [e["CUDA_VISIBLE_DEVICES"] for e in made] == ["0", "1", "0", "1"]
    assert {e["TF_FORCE_GPU_ALLOW_GROWTH"] for e in made} == {"true"}
    assert {e["XLA_PYTHON_CLIENT_MEM_FRACTION"] for e in made} == {"0.460"} and made[0][GPU_MEMORY] == "18400"
    whole = worker_environment(share_out(2, 8, FOUR[:2])[0], base={GPU_MEMORY: "1"})
    assert GPU_MEMORY not in whole and whole["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert worker_environment(share_out(1, 8)[0], hide_gpus=True, base={})["CUDA_VISIBLE_DEVICES"] == "-1"
    assert memory.GPU_MEMORY == GPU_MEMORY


def test_tensorflow_is_told_its_part_of_a_shared_gpu_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, list[int]]] = []
    config = SimpleNamespace(
        list_physical_devices=lambda kind: ["the gpu"],
        LogicalDeviceConfiguration=lambda memory_limit: memory_limit,
        set_logical_device_configuration=lambda gpu, parts: told.append((gpu, parts)),
    )
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config))
    monkeypatch.setenv(GPU_MEMORY, "18400")
    memory.limit_gpu()
    memory.limit_gpu()
    assert told == [("the gpu", [18400])]


def test_the_gpus_that_are_wanted() -> None:
    assert choose_gpus("none", FOUR) == [] and choose_gpus("auto", FOUR) == FOUR and choose_gpus("auto", []) == []
    assert choose_gpus("2,0,2", FOUR) == [FOUR[2], FOUR[0]]
    with pytest.raises(ConfigError, match="this machine has no GPU 4, 9; it has 0, 1, 2, 3"):
        choose_gpus("4,1,9", FOUR)
    with pytest.raises(ConfigError, match="it has none that can be seen"):
        choose_gpus("0", [])


@pytest.fixture
def driver(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``nvidia-smi`` lists two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, NVIDIA H100 80GB HBM3, 81559'\necho '1, Odd, name, [N/A]'\n")
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}{os.pathsep}/bin:/usr/bin"}


def test_gpus_are_found_by_the_driver_s_own_program(driver: dict[str, str]) -> None:
    found = [Gpu("0", "NVIDIA H100 80GB HBM3", 81559), Gpu("1", "Odd,name", 0)]
    assert find_gpus(driver) == found
    assert find_gpus({**driver, "CUDA_VISIBLE_DEVICES": "1"}) == [found[1]]
    assert find_gpus({**driver, "CUDA_VISIBLE_DEVICES": "GPU-8f2,0"}) == [Gpu("GPU-8f2"), found[0]]
    assert (
        find_gpus({**driver, "CUDA_VISIBLE_DEVICES": ""}) == find_gpus({**driver, "CUDA_VISIBLE_DEVICES": "-1"}) == []
    )
    assert find_gpus({"PATH": "/nowhere"}) == []


def test_a_driver_that_fails_is_no_driver(tmp_path: Path, driver: dict[str, str]) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    assert find_gpus(driver) == []


def test_gpus_count_only_for_a_backend_that_was_built_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus_module, "find_gpus", lambda: FOUR)
    monkeypatch.setattr(gpus_module, "backend_uses_gpus", lambda: False)
    assert choose_gpus("auto") == []
    assert choose_gpus("0") == FOUR[:1], "unless they are named"
    monkeypatch.setattr(gpus_module, "backend_uses_gpus", lambda: True)
    assert choose_gpus("auto") == FOUR


def test_an_executor_has_its_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FERTUNE_WORKERS")
    monkeypatch.setattr(make, "choose_gpus", lambda wanted: FOUR[:2])
    executor = make.make_executor(Where(per_gpu=2), log_dir=tmp_path)
    try:
        assert [s.device for s in executor.status()] == ["gpu:0", "gpu:1", "gpu:0", "gpu:1"]
    finally:
        executor.close()
