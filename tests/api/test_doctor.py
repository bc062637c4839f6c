"""Whether this machine can train, what is wrong with it, and how many workers suit it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fertune as ft
from fertune.checkup import Disk, Facts, Finding, Measured, ask_backend, findings, gather
from fertune.checkup.measure import _images, measure, splits
from fertune.cli import main
from fertune.console.doctor import checkup_lines
from fertune.console.screen import Screen
from fertune.execution.gpus import Gpu
from fertune.execution.split import remembered
from tests.console.factory import Stream, wide
from tests.schema import check

GOOD = {
    "works": True, "backend": "tensorflow", "devices": ["cpu:0"], "bfloat16": False, "floatx": "float32",
    "image_data_format": "channels_last", "seconds": 4.0,
}  # fmt: skip
GB = 1000**3


def facts(**changes: Any) -> Facts:
    made = Facts(
        versions={"python": "3.12.1", "keras": "3.12", "xgboost-cpu": "3.0"}, missing=["gp"], backend="tensorflow",
        system="Linux x86_64", cpu="A processor", cores=4, machine_cores=8, bfloat16=False, gpus=(),
        memory=16 * GB, memory_free=9 * GB, cache_bytes=5,
        disks=tuple(Disk(what, f"/{what}", 50 * GB, True) for what in ("cache", "runs", "temporary")),
    )  # fmt: skip
    return replace(made, **changes)


def found(probe: dict[str, Any] | None = None, env: dict[str, str] | None = None, **changes: Any) -> list[Finding]:
    return findings(facts(**changes), GOOD if probe is None else {**GOOD, **probe}, env or {})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("FERTUNE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("FERTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FERTUNE_WORKERS", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A machine whose backend answers at once and whose measurements are known."""
    known: dict[str, Any] = {"probe": GOOD, "busy": 0.0, "asked": 0, "rates": {1: 400.0, 2: 500.0, 4: 550.0}}
    module = importlib.import_module("fertune.api.doctor")

    def measured(progress: Any) -> list[Measured]:
        known["asked"] += 1
        progress("measuring", 1, 1)
        return [Measured(n, 4 // n, rate, "" if rate else "no memory") for n, rate in known["rates"].items()]

    monkeypatch.setattr(module, "ask_backend", lambda: known["probe"])
    monkeypatch.setattr(module, "gather", facts)
    monkeypatch.setattr(module, "busy", lambda: known["busy"])
    monkeypatch.setattr(module, "measure_splits", measured)
    return known


def test_a_good_machine_has_nothing_wrong() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("arguments", "level", "says", "type_"),
    [
        ({"env": {"KERAS_BACKEND": "jxa"}}, "problem", "'jxa', which is none of tensorflow, jax, torch", "unset"),
        ({"probe": {"works": False, "error": "no backend", "help": "pip install x"}}, "problem", "no backend", "pip"),
        ({"probe": {"works": False, "error": "it broke"}}, "problem", "it broke", 'pip install --force'),
        ({"probe": {"backend": "jax"}}, "warning", "keras.json names jax", "export KERAS_BACKEND=jax"),
        ({"probe": {"image_data_format": "channels_first"}}, "problem", "channels_first", "keras.json"),
        ({"probe": {"floatx": "float16"}}, "warning", "float16", "keras.json"),
        ({"versions": {}}, "warning", "xgboost is not installed", "pip install"),
        ({"gpus": (Gpu("0", "NVIDIA T4", 15000),)}, "warning", "lists NVIDIA T4, but tensorflow sees no GPU", "[gpu]"),
        ({"memory_free": GB // 2}, "warning", "only 500 MB of memory", "--workers 1"),
        ({"disks": (Disk("cache", "/c", GB, True),)}, "warning", "only 1,000 MB are free for the cache", "CACHE"),
        ({"disks": (Disk("runs", "/r", 1000, True),)}, "problem", "only 0 MB are free for the runs", "--out"),
        ({"disks": (Disk("temporary", "/t", 1000, True),)}, "warning", "temporary", "TMPDIR"),
        ({"disks": (Disk("runs", "/r", 9 * GB, False),)}, "problem", "/r cannot be written", "--out"),
    ],
)  # fmt: skip
def test_each_fault_says_what_to_type(arguments: dict[str, Any], level: str, says: str, type_: str) -> None:
    (one,) = found(**arguments)
    assert one.level == level and says in one.text and type_ in one.help


def test_a_gpu_that_is_seen_is_no_fault() -> None:
    assert found({"devices": ["cpu:0", "gpu:0"]}, gpus=(Gpu("0", "NVIDIA T4"),)) == []


def test_problems_come_first() -> None:
    levels = [f.level for f in found({"floatx": "float16", "image_data_format": "channels_first"}, memory_free=1)]
    assert levels == ["problem", "warning", "warning"]


def test_it_measures_once_and_remembers(quick: dict[str, Any]) -> None:
    first = ft.doctor()
    assert quick["asked"] == 1 and first.usable
    assert first.split is not None and (first.split.workers, first.split.threads) == (4, 1)
    assert remembered(()) == first.split and (first.auto.workers, first.auto.threads) == (4, 1)
    quick["rates"] = {1: 900.0, 2: 1.0}
    again = ft.doctor()
    assert quick["asked"] == 1 and again.split == first.split and again.measured == ()
    third = ft.doctor(measure=True)
    assert quick["asked"] == 2 and third.auto.workers == 1


def test_it_does_not_measure_a_busy_machine_unless_told_to(quick: dict[str, Any]) -> None:
    quick["busy"] = 0.8
    first = ft.doctor()
    assert quick["asked"] == 0 and first.split is None
    assert any("80% of the cores" in f.text for f in first.findings) and first.usable
    assert ft.doctor(measure=True).split is not None


def test_nothing_is_measured_where_nothing_can_train_or_nobody_wants_it(quick: dict[str, Any]) -> None:
    assert ft.doctor(measure=False).split is None
    quick["probe"] = {"works": False, "error": "no backend", "help": "pip install x"}
    assert not ft.doctor(measure=True).usable
    quick["probe"] = {**GOOD, "devices": ["gpu:0"]}
    assert ft.doctor(measure=True).measured == ()
    assert quick["asked"] == 0


def test_a_split_that_failed_is_told_and_not_chosen(quick: dict[str, Any]) -> None:
    quick["rates"] = {1: 400.0, 2: 0.0}
    result = ft.doctor()
    assert result.split is not None and result.split.workers == 1
    assert any("2 x 2 could not be measured: no memory" in f.text for f in result.findings)
    quick["rates"] = {1: 0.0}
    assert ft.doctor(measure=True).split == result.split


def test_a_split_that_cannot_be_kept_is_told(quick: dict[str, Any], home: Path) -> None:
    (home / "config").write_text("a file")
    result = ft.doctor()
    assert any("cannot be kept" in f.text for f in result.findings) and result.split is not None


def test_the_command(quick: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, "doctor")
    assert document["auto"] == {"workers": 4, "threads": 1} and len(document["measured"]) == 3
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "auto is 4 workers x 1 thread · measured" in text and "fertune can train here" in text
    quick["probe"] = {"works": False, "error": "no backend", "help": "pip install x"}
    assert main(["doctor", "--no-measure"]) == 1
    text = capsys.readouterr().out
    assert "problem: no backend\n  pip install x" in text and "cannot train here yet" in text
    assert main(["doctor", "--json"]) == 1
    check(json.loads(capsys.readouterr().out), "doctor")
    assert main(["doctor", "--quiet"]) == 1
    assert capsys.readouterr().out == "not usable\n"


@pytest.mark.parametrize("width", [100, 60, 40])
def test_no_line_is_wider_than_the_terminal(quick: dict[str, Any], width: int) -> None:
    quick["probe"] = {**GOOD, "floatx": "\x1b[31mfloat16"}
    document = ft.doctor().to_json()
    text = "\n".join(line.plain for line in checkup_lines(Screen(Stream(), {}, width), document))
    assert wide(text) <= width and "\x1b" not in text
    assert "images/s" in text and "float16" in text


def test_facts_are_gathered_without_a_backend(home: Path) -> None:
    code = (
        "import sys; from fertune.checkup import gather; from pathlib import Path\n"
        "f = gather(Path('a/b/runs')); assert f.cores >= 1 and f.memory_free <= f.memory and f.versions['python']\n"
        "assert f.disks[1].free and f.disks[1].writable and f.cache_bytes == 0, f\n"
        "print(sorted({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]" and not (home / "a").exists()


def test_a_cache_that_cannot_be_written_is_a_fact(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("FERTUNE_CACHE", str(home / "file"))
    made = gather()
    assert not made.disks[0].writable and made.cache_bytes is None


def test_a_backend_that_ends_or_hangs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "fake"
    for body, patience, says in (
        ("import os; os.kill(os.getpid(), 11)", 20, "signal 11"),
        ("print('noise'); raise SystemExit('no luck')", 20, "exit code 1: no luck"),
        ("import time; time.sleep(60)", 0.3, "did not start within 0 s"),
    ):
        fake.write_text(f"#!{sys.executable}\n{body}\n")
        fake.chmod(0o755)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(fake))
            answer = ask_backend(patience)
        assert not answer["works"] and says in answer["error"]


def test_splits_worth_a_try() -> None:
    assert splits(4, 64 * GB) == [(1, 4), (2, 2), (4, 1)]
    assert splits(6, 64 * GB) == [(1, 6), (2, 3), (4, 1), (6, 1)]
    assert splits(1, 64 * GB) == [(1, 1)]
    assert splits(64, 8 * GB) == [(1, 64), (2, 32), (4, 16)]
    assert splits(8, 0) == [(1, 8)]


def test_images_are_counted_while_all_are_at_work() -> None:
    assert _images([0.0, 1.0, 2.0, 3.0], 1.0, 100) == 100.0
    assert _images([0.0, 10.0, 11.0, 12.0], 10.5, 100) == 100.0
    assert _images([0.0, 4.0], 100.0, 100) == 25.0


@pytest.mark.slow
def test_the_backend_of_this_machine_trains_a_step() -> None:
    pytest.importorskip("keras", reason="needs a Keras backend")
    answer = ask_backend()
    assert answer["works"] and answer["devices"] and answer["floatx"] == "float32"


@pytest.mark.slow
def test_two_splits_are_really_measured(home: Path) -> None:
    pytest.importorskip("keras", reason="needs a Keras backend")
    told: list[Any] = []
    one, two = measure(tried=[(1, 2), (2, 1)], seconds=1.0, progress=lambda *a: told.append(a))
    assert one.images_a_second > 0 and two.images_a_second > 0 and one.problem == two.problem == ""
    assert (one.workers, one.threads, two.workers, two.threads) == (1, 2, 2, 1)
    assert told[-1] == ("measuring", 2, 2)
    assert [p for p in (home / "cache").iterdir() if p.name != "index"] == []
