"""Curves for TensorBoard: one folder a trial or fold, one scalar a measure and epoch, written by the coordinator.

Needs the package ``tensorboard`` for the format of its records, and no TensorFlow. A file that is there already is gone
on with: an epoch that stands in it is never written twice, and one that is trained again takes the place of the first.
"""

from __future__ import annotations

import math
import re
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fertune.errors import ConfigError, MissingPackage
from fertune.files import replace_with
from fertune.searching.observer import FoldKey, Observer
from fertune.trial import State, Trial

LEFT_OUT = ("epoch", "value")
"""Of an epoch's logs: the first is the step, the second stands there under its own name too."""


def check_tensorboard(folder: str | Path | None) -> None:
    """Make sure that curves can be written to ``folder``; None asks for none.

    Raises:
        MissingPackage: ``tensorboard`` is not installed.
        ConfigError: The folder cannot be made.
    """
    if folder is None:
        return
    _Format()
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--log-dir {folder}: {error.strerror or error}", help="choose another folder") from error


class _Format:
    """The few names of tensorboard that are needed; none of them loads TensorFlow."""

    def __init__(self) -> None:
        try:
            from tensorboard.compat.proto import event_pb2
            from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ModuleNotFoundError as error:
            raise MissingPackage(
                f"--log-dir needs tensorboard; {error.name!r} is not installed",
                help='pip install "fertune[tensorboard]"',
            ) from error
        self.Event: Any = event_pb2.Event
        self.api: Any = api_pb2
        self.metadata: Any = metadata
        self.plugin: Any = plugin_data_pb2
        self.Writer: Any = RecordWriter

    def header(self, when: float) -> bytes:
        return bytes(self.Event(wall_time=when, file_version="brain.Event:2").SerializeToString())

    def scalars(self, when: float, step: int, values: Mapping[str, float]) -> bytes:
        event = self.Event(wall_time=when, step=step)
        for tag, value in values.items():
            event.summary.value.add(tag=tag, simple_value=value)
        return bytes(event.SerializeToString())

    def begun(self, when: float, params: Mapping[str, Any], group: str) -> bytes:
        """The hyperparameters of a trial."""
        info = self.plugin.SessionStartInfo(group_name=group, start_time_secs=when)
        for name, value in params.items():
            if isinstance(value, bool):
                info.hparams[name].bool_value = value
            elif isinstance(value, (int, float)):
                info.hparams[name].number_value = value
            else:
                info.hparams[name].string_value = str(value)
        return self._plugin(when, self.metadata.SESSION_START_INFO_TAG, session_start_info=info)

    def ended(self, when: float, good: bool) -> bytes:
        status = self.api.Status.Value("STATUS_SUCCESS" if good else "STATUS_FAILURE")
        info = self.plugin.SessionEndInfo(status=status, end_time_secs=when)
        return self._plugin(when, self.metadata.SESSION_END_INFO_TAG, session_end_info=info)

    def _plugin(self, when: float, tag: str, **info: Any) -> bytes:
        data = self.plugin.HParamsPluginData(version=self.metadata.PLUGIN_DATA_VERSION, **info)
        event = self.Event(wall_time=when)
        event.summary.value.add(
            tag=tag, metadata=self.metadata.create_summary_metadata(data), tensor=self.metadata.NULL_TENSOR
        )
        return bytes(event.SerializeToString())


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(end, content) of each whole record; a torn last one is left out."""
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        end = at + 12 + length + 4
        if end > len(data):
            return
        yield end, data[at + 12 : at + 12 + length]
        at = end


class _File:
    """The events of one trial or fold."""

    def __init__(self, format: _Format, path: Path) -> None:
        self._format, self._path = format, path
        self.last = 0
        """The last epoch in it."""
        self.ended = False
        """Whether the end of its trial stands in it."""
        self.new = not path.exists()
        if self.new:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
            self.add(format.header(time.time()))
            return
        good = 0
        for end, content in records(path.read_bytes()):
            good = end
            event = format.Event.FromString(content)
            self.last = max(self.last, int(event.step))
            self.ended = any(v.tag == format.metadata.SESSION_END_INFO_TAG for v in event.summary.value)
        self._file = path.open("ab")
        if self._file.tell() != good:
            self._file.truncate(good)
            self._file.seek(good)

    def add(self, record: bytes) -> None:
        self._format.Writer(self._file).write(record)
        self._file.flush()

    def back_to(self, step: int) -> None:
        """Forget ``step`` and all after it: they are trained again."""
        self._file.close()
        kept = [c for _, c in records(self._path.read_bytes()) if self._format.Event.FromString(c).step < step]

        def write(draft: Path) -> None:
            with draft.open("wb") as file:
                for content in kept:
                    self._format.Writer(file).write(content)

        replace_with(self._path, write)
        self._file = self._path.open("ab")
        self.last, self.ended = step - 1, False

    def close(self) -> None:
        self._file.close()


class Curves(Observer):
    """Writes what happens to ``<folder>/trial-0007``, ``<folder>/trial-0007/fold-0`` or ``<folder>/<member>/fold-0``.

    Args:
        folder: Of the run within the log directory.
        warn: Told once where the disk refuses; no more is written then.

    Raises:
        MissingPackage: ``tensorboard`` is not installed.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None] = lambda text: None) -> None:
        self._format, self._folder, self._warn = _Format(), folder, warn
        self._files: dict[str, _File] = {}
        self._name = "events.out.tfevents.0000000001.fertune"
        self._broken = False

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        self._name = f"events.out.tfevents.{int(info.get('created') or 1):010d}.fertune"
        for trial in trials:
            if trial.history and not all((self._folder / name / self._name).exists() for name, _ in parts(trial)):
                self._try(self._whole, trial)

    def trial_started(self, trial: Trial) -> None:
        if trial.folds:
            self._try(self._folds, trial)

    def epoch(self, trial: Trial, logs: Mapping[str, float]) -> None:
        self._try(self._trial_epoch, trial)

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        self._try(self._whole, trial)

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[FoldKey]) -> None:
        self._name = f"events.out.tfevents.{int(info.get('created') or 1):010d}.fertune"

    def fold_epoch(self, member: str, fold: int, kind: str, logs: Mapping[str, float]) -> None:
        self._try(self._fold_epoch, (member, fold, kind), logs)

    def fold_ended(self, fold_run: Any) -> None:
        self._try(self._fold_whole, fold_run)

    def close(self) -> None:
        for name in list(self._files):
            self._close(name)

    def _try(self, write: Callable[..., None], *args: Any) -> None:
        if self._broken:
            return
        try:
            write(*args)
        except OSError as error:
            self._broken = True
            self._warn(f"no more curves are written to {self._folder}: {error.strerror or error}")

    def _open(self, name: str) -> _File:
        if name not in self._files:
            self._files[name] = _File(self._format, self._folder / name / self._name)
        return self._files[name]

    def _close(self, name: str) -> None:
        file = self._files.pop(name, None)
        if file is not None:
            file.close()

    def _trial(self, trial: Trial, name: str) -> _File:
        file = self._open(name)
        if file.new:
            file.new = False
            file.add(self._format.begun(trial.started or time.time(), trial.params, f"trial {trial.id}"))
        return file

    def _folds(self, trial: Trial) -> None:
        """Whatever is missing of the folds of a trial, less what is trained again."""
        for name, history in parts(trial):
            file = self._trial(trial, name)
            if file.last > len(history):
                file.back_to(len(history) + 1)
            self._rows(file, history, time.time())

    def _trial_epoch(self, trial: Trial) -> None:
        if trial.folds:
            self._folds(trial)
            return
        file = self._trial(trial, place(trial.id))
        step = step_of(trial.history[-1], len(trial.history))
        if step <= file.last:
            file.back_to(step)
        self._rows(file, trial.history, time.time())

    def _whole(self, trial: Trial) -> None:
        """Whatever of a trial is missing, and its end where it has come."""
        for name, history in parts(trial):
            file = self._trial(trial, name)
            self._rows(file, history, trial.ended or time.time())
            if trial.ended is not None and not file.ended:
                file.add(self._format.ended(trial.ended, trial.state in (State.COMPLETED, State.PRUNED)))
            self._close(name)

    def _fold_epoch(self, key: FoldKey, logs: Mapping[str, float]) -> None:
        file = self._open(fold_place(key))
        step = int(logs.get("epoch", file.last + 1))
        if step <= file.last:
            file.back_to(step)
        file.add(self._format.scalars(time.time(), step, scalars(logs)))
        file.last = step

    def _fold_whole(self, run: Any) -> None:
        name = fold_place((run.member, run.fold, run.kind))
        self._rows(self._open(name), run.history, time.time())
        self._close(name)

    def _rows(self, file: _File, history: Sequence[Mapping[str, float]], until: float) -> None:
        """The epochs that the file has not; their times are reckoned back from ``until``."""
        steps = [(step_of(row, i), row) for i, row in enumerate(history, start=1)]
        missing = [(step, row) for step, row in steps if step > file.last]
        when = until - sum(row.get("seconds") or 0.0 for _, row in missing[1:])
        for step, row in missing:
            file.add(self._format.scalars(when, step, scalars(row)))
            file.last = step
            when += row.get("seconds") or 0.0


def place(trial: int) -> str:
    """A trial's folder; names sort as numbers do."""
    return f"trial-{trial:04d}"


def parts(trial: Trial) -> list[tuple[str, Sequence[Mapping[str, float]]]]:
    """Folder and epochs of each curve of a trial: one, or one for each fold that was begun."""
    if not trial.folds:
        return [(place(trial.id), trial.history)]
    return [(f"{place(trial.id)}/fold-{r.tags['fold']}", r.history) for r in trial.folds]


def fold_place(key: FoldKey) -> str:
    member, fold, kind = key
    return f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', member).strip('-') or 'member'}/{kind}-{fold}"


def step_of(row: Mapping[str, float], otherwise: int) -> int:
    """The epoch of a row."""
    return int(row.get("epoch") or otherwise)


def scalars(row: Mapping[str, float]) -> dict[str, float]:
    """What of an epoch can be drawn."""
    return {k: float(v) for k, v in row.items() if k not in LEFT_OUT and v is not None and math.isfinite(v)}
