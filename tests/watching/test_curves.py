"""Curves for TensorBoard: what stands in the files, and that nothing stands there twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fertune.errors import ConfigError, MissingPackage
from fertune.store.records import FoldRun
from fertune.trial import Failure, FailureKind, Rung, State, Trial
from fertune.watching import Curves, check_tensorboard
from fertune.watching.curves import records
from tests.console.factory import info, trial

event_pb2 = pytest.importorskip("tensorboard.compat.proto.event_pb2", reason="curves need fertune[tensorboard]")
crc = pytest.importorskip(
    "tensorboard.summary.writer.record_writer", reason="curves need fertune[tensorboard]"
).masked_crc32c


def row(epoch: int, value: float = 0.5, **more: Any) -> dict[str, float]:
    return {"epoch": epoch, "value": value, "val_accuracy": value, "loss": 1.0 / epoch, "seconds": 2.0, **more}


def at_epoch(epoch: int, number: int = 7, state: State = State.RUNNING, value: float = 0.5) -> Trial:
    history = tuple(row(e, value) for e in range(1, epoch + 1))
    ended = None if state is State.RUNNING else 100.0
    return Trial(number, {"rate": 0.1, "blocks": 3, "flip": True, "kind": "adam"}, state, (Rung(9, {}, value, epoch),),
                 history=history, value=value, started=50.0, ended=ended)  # fmt: skip


def events(file: Path) -> list[Any]:
    import struct

    data, out, start = file.read_bytes(), [], 0
    for end, content in records(data):
        assert struct.unpack_from("<I", data, start + 8)[0] == crc(data[start : start + 8])
        assert struct.unpack_from("<I", data, end - 4)[0] == crc(content)
        out.append(event_pb2.Event.FromString(content))
        start = end
    assert start == len(data)
    return out


def scalars(folder: Path, tag: str = "val_accuracy") -> list[tuple[int, float]]:
    (file,) = folder.iterdir()
    return [(e.step, round(v.simple_value, 4)) for e in events(file) for v in e.summary.value if v.tag == tag]


def test_each_epoch_of_a_trial_is_there_once(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "run")
    curves.search_started(info(created=1700000000.5), None, ())
    for epoch in (1, 2, 3):
        curves.epoch(at_epoch(epoch), row(epoch))
        assert scalars(tmp_path / "run" / "trial-0007") == [(e, 0.5) for e in range(1, epoch + 1)], "flushed at once"
    curves.trial_ended(at_epoch(3, state=State.COMPLETED), None)
    curves.close()
    (file,) = (tmp_path / "run" / "trial-0007").iterdir()
    assert file.name == "events.out.tfevents.1700000000.fertune"
    told = events(file)
    assert told[0].file_version == "brain.Event:2"
    tags = [v.tag for e in told for v in e.summary.value]
    assert tags[0] == "_hparams_/session_start_info" and tags[-1] == "_hparams_/session_end_info"
    assert "epoch" not in tags and "value" not in tags and "loss" in tags


def test_hyperparameters_keep_their_types(tmp_path: Path) -> None:
    plugin = pytest.importorskip(
        "tensorboard.plugins.hparams.plugin_data_pb2", reason="curves need fertune[tensorboard]"
    )
    curves = Curves(tmp_path)
    curves.trial_ended(at_epoch(1, state=State.FAILED), None)
    (file,) = (tmp_path / "trial-0007").iterdir()
    found = [
        plugin.HParamsPluginData.FromString(v.metadata.plugin_data.content)
        for e in events(file) for v in e.summary.value if v.tag.startswith("_hparams_")
    ]  # fmt: skip
    start = found[0].session_start_info
    assert {n: getattr(v, v.WhichOneof("kind")) for n, v in start.hparams.items()} == {
        "rate": 0.1, "blocks": 3.0, "flip": True, "kind": "adam",
    }  # fmt: skip
    assert start.group_name == "trial 7" and found[1].session_end_info.status == 2


def test_a_resumed_run_goes_on_in_the_same_file(tmp_path: Path) -> None:
    first = Curves(tmp_path)
    first.search_started(info(), None, ())
    first.epoch(at_epoch(1), row(1))
    first.epoch(at_epoch(2), row(2))
    first.close()
    again = Curves(tmp_path)
    again.search_started(info(), None, [at_epoch(2)])
    again.epoch(at_epoch(3), row(3))
    again.trial_ended(at_epoch(3, state=State.COMPLETED), None)
    again.trial_ended(at_epoch(3, state=State.COMPLETED), None)
    assert scalars(tmp_path / "trial-0007") == [(1, 0.5), (2, 0.5), (3, 0.5)]
    assert [s for s, _ in scalars(tmp_path / "trial-0007", "_hparams_/session_start_info")] == [0]


def test_a_stretch_that_is_trained_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    for epoch in (1, 2, 3):
        curves.epoch(at_epoch(epoch), row(epoch))
    curves.close()
    again = Curves(tmp_path)
    for epoch in (1, 2):
        again.epoch(at_epoch(epoch, value=0.25), row(epoch, 0.25))
    assert scalars(tmp_path / "trial-0007") == [(1, 0.25), (2, 0.25)]


def test_a_record_that_a_kill_cut_short_is_cut_off(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.epoch(at_epoch(1), row(1))
    curves.epoch(at_epoch(2), row(2))
    curves.close()
    (file,) = (tmp_path / "trial-0007").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    again = Curves(tmp_path)
    again.epoch(at_epoch(3), row(3))
    assert scalars(tmp_path / "trial-0007") == [(1, 0.5), (2, 0.5), (3, 0.5)]


def test_trials_from_before_the_option_was_given_are_written_whole(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.search_started(info(), None, [trial(0), trial(1, State.FAILED, None, 0, failure=Failure(
        FailureKind.CRASHED, "x"), history=({"epoch": 1, "val_accuracy": float("nan")},))])  # fmt: skip
    assert [step for step, _ in scalars(tmp_path / "trial-0000")] == list(range(1, 10))
    assert scalars(tmp_path / "trial-0001") == []


def with_folds(*folds: tuple[int, float], of: int = 3, state: State = State.RUNNING) -> Trial:
    """A trial whose folds have so many epochs of such a value."""
    rungs = tuple(
        Rung(9, {"fold": i, "of": of}, epochs=n, history=tuple(row(e, value) for e in range(1, n + 1)))
        for i, (n, value) in enumerate(folds)
    )
    ended = None if state is State.RUNNING else 100.0
    return Trial(7, {"rate": 0.1}, state, rungs, history=rungs[0].history, started=50.0, ended=ended)


def test_each_fold_of_a_trial_has_its_own_curve(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.search_started(info(), None, ())
    for folds in ([(1, 0.5)], [(1, 0.5), (1, 0.25)], [(2, 0.5), (1, 0.25)], [(2, 0.5), (2, 0.25)]):
        curves.epoch(with_folds(*folds), row(1))
    curves.trial_ended(with_folds((2, 0.5), (2, 0.25), (0, 0.0)), None)
    curves.trial_ended(with_folds((2, 0.5), (2, 0.25), (1, 0.75), state=State.COMPLETED), None)
    trial = tmp_path / "trial-0007"
    assert sorted(p.name for p in trial.iterdir()) == ["fold-0", "fold-1", "fold-2"]
    assert scalars(trial / "fold-0") == [(1, 0.5), (2, 0.5)] and scalars(trial / "fold-1") == [(1, 0.25), (2, 0.25)]
    assert scalars(trial / "fold-2") == [(1, 0.75)]
    for part in trial.iterdir():
        assert [len(scalars(part, f"_hparams_/session_{end}_info")) for end in ("start", "end")] == [1, 1]


def test_a_fold_that_is_trained_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.epoch(with_folds((2, 0.5), (2, 0.5)), row(2))
    curves.trial_started(with_folds((2, 0.5), (0, 0.0)))
    curves.epoch(with_folds((2, 0.5), (1, 0.25)), row(1))
    assert scalars(tmp_path / "trial-0007" / "fold-0") == [(1, 0.5), (2, 0.5)]
    assert scalars(tmp_path / "trial-0007" / "fold-1") == [(1, 0.25)]


def test_folds_of_a_stack(tmp_path: Path) -> None:
    curves = Curves(tmp_path)
    curves.stack_started(info(), [])
    curves.fold_epoch("leaky/../cnn 7", 1, "bag", row(1))
    curves.fold_ended(FoldRun("leaky/../cnn 7", 1, "bag", "completed", 0.5, 2, 1, 1.0, 9, (row(1), row(2))))
    assert scalars(tmp_path / "leaky-..-cnn-7" / "bag-1") == [(1, 0.5), (2, 0.5)]
    assert [p.name for p in tmp_path.iterdir()] == ["leaky-..-cnn-7"]


def test_a_disk_that_refuses_is_told_once_and_the_search_goes_on(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    told: list[str] = []
    curves = Curves(tmp_path / "run", told.append)
    for epoch in (1, 2):
        curves.epoch(at_epoch(epoch), row(epoch))
    assert len(told) == 1 and "no more curves" in told[0]


def test_without_the_package_the_install_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(MissingPackage) as caught:
        check_tensorboard(tmp_path / "logs")
    assert caught.value.help == 'pip install "fertune[tensorboard]"' and not (tmp_path / "logs").exists()
    check_tensorboard(None)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--log-dir"):
        check_tensorboard(tmp_path / "file" / "logs")


READ = """
import sys, types
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")  # its own reader, without TensorFlow
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
read = EventAccumulator(sys.argv[1]); read.Reload()
print([(e.step, round(e.value, 4)) for e in read.Scalars("val_accuracy")], "tensorflow" in sys.modules)
"""


def test_tensorboards_own_reader_reads_it_and_no_tensorflow_was_needed(tmp_path: Path) -> None:
    write = (
        "import sys; from pathlib import Path; sys.path.insert(0, '.')\n"
        "from tests.watching.test_curves import *\n"
        "curves = Curves(Path(sys.argv[1]))\n"
        "for e in (1, 2): curves.epoch(at_epoch(e), row(e))\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", write, str(tmp_path)], check=True, cwd=root)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "trial-0007")], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[(1, 0.5), (2, 0.5)] False"
