"""What stays on disk of the trials of a search: models of the best few, and the states that something may go on from.

Everything else goes as soon as nothing needs it: when a stretch of a trial ends, not when the search does. A trial's
folder holds ``model.keras``, ``stop.npz`` and the like, its *model*, and ``state/``, from which its training goes on;
a cross-validated trial has both in each ``fold-<i>/``.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from fertune.store.room import bytes_in
from fertune.trial import Objective, State, Trial

STATE = "state"
STATE_EVERY = 30.0
"""Seconds between two writings of the full state of what is trained: so much a kill may cost."""
MODEL_BYTES, STATE_BYTES = 5, 34
"""Of each weight, at most: the file of a model; a state (weights, best weights, two slots) and its next one beside."""


class Checkpoints:
    """Knows who needs the files of which trial.

    Args:
        run: The run's folder.
        objective: Ranks the trials.
        keep: Models of so many of the best trials stay.
        max_disk: Bytes that the run's folder may take; None for no limit. Models below the best one go first, then
            states. The best model stays whatever it takes.
        continues: Whether an ended trial may be trained further.
        warn: Is told, once each, what the limit costs.
    """

    def __init__(
        self,
        run: Path,
        *,
        objective: Objective,
        keep: int,
        max_disk: int | None = None,
        continues: Callable[[Trial], bool] = lambda trial: False,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._run, self._trials, self._objective, self._keep = run, run / "trials", objective, keep
        self._most, self._continues, self._warn = max_disk, continues, warn
        self._open: dict[int, int] = {}
        self._reserved: dict[int, int] = {}
        self._models: dict[int, Trial] = {}
        self._states: dict[int, Trial] = {}
        self._warned: set[str] = set()

    def folder(self, trial: Trial) -> Path:
        """Where the files of a trial lie."""
        return self._trials / str(trial.id)

    def sweep(self, trials: Iterable[Trial]) -> None:
        """Bring the disk to what a journal says: a killed coordinator could not tidy up."""
        known = {t.id: t for t in trials}
        for draft in self._trials.rglob(".part-*"):
            draft.unlink(missing_ok=True)
        for state in list(self._trials.rglob(STATE)):
            if resumable(state.parent) is None:
                shutil.rmtree(state, ignore_errors=True)
        for folder in self._trials.iterdir() if self._trials.is_dir() else ():
            trial = known.get(int(folder.name)) if folder.name.isdigit() else None
            if trial is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._look(trial)
        self._settle()

    def began(self, trial: Trial, weights: int | None = None) -> bool:
        """A stretch of a trial is about to be trained, or tried again.

        Args:
            weights: Of its model; None where unknown.

        Returns:
            Whether there is room for its state.
        """
        self._open[trial.id] = max(_at_work(trial), 1)
        if self._most is None:
            return True
        weights = weights or trial.parameters or max((t.parameters or 0 for t in self._models.values()), default=0)
        model, state = weights * MODEL_BYTES, weights * STATE_BYTES
        self._reserved[trial.id] = model + state
        if self._make_room():
            return True
        self._reserved[trial.id] = model
        self._say("states are not kept any more: a trial that is cut off or promoted begins anew")
        self._make_room()
        return False

    def ended(self, trial: Trial) -> None:
        """A stretch of a trial has ended, whatever came of it."""
        self._open[trial.id] = _at_work(trial)
        if not self._open[trial.id]:
            del self._open[trial.id]
            self._reserved.pop(trial.id, None)
        self._look(trial)
        self._settle()

    def finish(self) -> None:
        """The search is over: nothing goes on."""
        for trial in list(self._states.values()):
            self._drop_states(trial)

    def _look(self, trial: Trial) -> None:
        """Find out what there is of a trial, and drop what nobody needs whatever the others do."""
        folder = self.folder(trial)
        if not folder.is_dir():
            return
        if trial.scored and any(True for _ in model_files(folder)):
            self._models[trial.id] = trial
        elif trial.id not in self._open and trial.state not in (State.RUNNING, State.STOPPED):
            self._drop_model(trial)
        if any(folder.rglob(STATE)):
            self._states[trial.id] = trial
        if trial.id not in self._open:
            self._tidy(folder)

    def _settle(self) -> None:
        for place, trial in enumerate(self._ranked()):
            if trial.id not in self._open and not _between_folds(trial) and (place >= self._keep or _weak(trial)):
                self._drop_model(trial)
        for trial in list(self._states.values()):
            cut_off = trial.state in (State.RUNNING, State.STOPPED)
            if trial.id not in self._open and not cut_off and not self._continues(trial):
                self._drop_states(trial)
        self._make_room()

    def _ranked(self) -> list[Trial]:
        return sorted(self._models.values(), key=lambda t: t.place(self._objective))

    def _make_room(self) -> bool:
        """Whether what is there and what is expected is within the limit, after dropping what may be dropped."""
        if self._most is None:
            return True
        used = bytes_in(self._run)
        over = used + sum(size * self._open[number] for number, size in self._reserved.items()) - self._most
        ranked = self._ranked()
        for trial in reversed(ranked[1:]):
            if over > 0 and trial.id not in self._open and not _between_folds(trial):
                over -= self._drop_model(trial)
                self._say("fewer models are kept than the best few")
        waiting = [t for t in self._states.values() if t.id not in self._open]
        for trial in sorted(waiting, key=lambda t: t.place(self._objective), reverse=True):
            if over > 0:
                over -= self._drop_states(trial)
                self._say("states are not kept any more: a trial that is cut off or promoted begins anew")
        if over > 0 and ranked and used - self._of_others(ranked[0]) > self._most:
            self._say("the best model and the journal alone take more; they are kept all the same")
        return over <= 0

    def _of_others(self, best: Trial) -> int:
        others = {*self._models, *self._states, *self._open} - {best.id}
        return sum(bytes_in(self._trials / str(number)) for number in others)

    def _say(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._warn(f"--max-disk {size_text(self._most or 0)}: {text}")

    def _drop_model(self, trial: Trial) -> int:
        self._models.pop(trial.id, None)
        freed = 0
        for file in list(model_files(self.folder(trial))):
            freed += file.stat().st_size
            file.unlink(missing_ok=True)
        self._tidy(self.folder(trial))
        return freed

    def _drop_states(self, trial: Trial) -> int:
        self._states.pop(trial.id, None)
        freed = 0
        for state in list(self.folder(trial).rglob(STATE)):
            freed += bytes_in(state)
            shutil.rmtree(state, ignore_errors=True)
        self._tidy(self.folder(trial))
        return freed

    def _tidy(self, folder: Path) -> None:
        for empty in (*folder.glob("fold-*"), folder):
            with contextlib.suppress(OSError):  # of one that is not empty, or not there
                empty.rmdir()


def _at_work(trial: Trial) -> int:
    """How many stretches of a trial are open: asked for, and not ended."""
    if trial.folds:
        return sum(1 for rung in trial.folds if not rung.outcome)
    return int(trial.state is State.RUNNING)


def _between_folds(trial: Trial) -> bool:
    """Whether a cross-validated trial has folds yet to come, and those that it has are needed then."""
    return bool(trial.folds) and trial.state in (State.RUNNING, State.STOPPED)


def _weak(trial: Trial) -> bool:
    """Whether a cross-validated trial lost its race."""
    return bool(trial.folds) and trial.state is State.PRUNED


def model_files(folder: Path) -> Iterable[Path]:
    """All files of a trial but those of its states."""
    return (p for p in folder.rglob("*") if p.is_file() and STATE not in p.relative_to(folder).parts[:-1])


def resumable(folder: Path) -> str | None:
    """``folder`` where training can go on from the state in it, else None."""
    return str(folder) if (folder / STATE / "state.npz").is_file() else None


def size_text(size: int) -> str:
    """``5 GB``, ``1.5 MB``: powers of ten."""
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= one:
            return f"{size / one:.3g} {unit}"
    return f"{size} bytes"
