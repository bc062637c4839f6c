"""Runs as Python sees them: always read from their folder, never from memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fertune.errors import RunError
from fertune.store import SearchRecord, StackRecord, open_record
from fertune.trial import Trial

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from fertune.stacking.bundle import Bundle


class _Run:
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def report(self, out: str | Path | None = None, *, pictures: bool = True) -> Path:
        """Write the HTML report: one file that asks no other host for anything.

        Args:
            out: Path of the file; by default ``report.html`` in the run's folder.
            pictures: False leaves all pictures out (faces that must not travel).
        """
        from fertune.report import write_report

        target = Path(out) if out is not None else self.path / "report.html"
        try:
            write_report(open_record(self.path), target, pictures=pictures)
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}", help="choose another -o") from error
        return target

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune show RUN --json``; its schema is in ``docs/schema``."""
        return open_record(self.path).to_json()


class SearchRun(_Run):
    """A search. Its scores are optimistic: the best of many, on the rows that chose it."""

    @property
    def record(self) -> SearchRecord:
        """The run as it stands on disk now."""
        record = open_record(self.path)
        if not isinstance(record, SearchRecord):
            raise RunError(f"{self.path} is a stack, not a search")
        return record

    @property
    def best(self) -> Trial | None:
        """The trial with the best value; None while none is scored."""
        return self.record.best

    def trials(self) -> pd.DataFrame:
        """One row a trial, in the order of ids; parameters that were not active are missing values.

        Columns: ``id, state, value, epochs, best_epoch, seconds, parameters, failure``, then the parameters of the
        space in their declared order, each headed by its own name (``param_<name>`` where that name is taken).
        """
        import pandas as pd

        record = self.record
        names = list(record.info["space"]["params"])
        own = ("id", "state", "value", "epochs", "best_epoch", "seconds", "parameters", "failure")
        rows = []
        for t in record.trials:
            row: dict[str, Any] = {
                "id": t.id,
                "state": t.state.value,
                "value": t.value,
                "epochs": t.epochs,
                "best_epoch": t.best_epoch,
                "seconds": t.seconds,
                "parameters": t.parameters,
                "failure": None if t.failure is None else t.failure.kind.value,
            }
            row |= {f"param_{n}" if n in own else n: t.params.get(n) for n in names}
            rows.append(row)
        return pd.DataFrame(rows, columns=[*own, *(f"param_{n}" if n in own else n for n in names)])

    def load_model(self, trial: int | None = None) -> keras.Model:
        """A kept model (the best 3 are), by default the best one, at its best epoch.

        Raises:
            RunError: That trial's model was not kept.
        """
        from fertune.training.load import load_model

        best = self.best
        number = trial if trial is not None else (best.id if best is not None else None)
        path = self.path / "trials" / str(number) / "model.keras"
        if number is None or not path.exists():
            kept = sorted(int(p.parent.name) for p in (self.path / "trials").glob("*/model.keras"))
            raise RunError(f"no model of trial {number} is kept; kept are {', '.join(map(str, kept)) or 'none'}")
        return load_model(path)

    def __repr__(self) -> str:
        record = self.record
        best = record.best
        score = (
            "no scored trial yet"
            if best is None
            else (f"best search score {best.value:.4f} {record.objective.name} (trial {best.id}; optimistic)")
        )
        return f"SearchRun({str(self.path)!r}: {len(record.trials)} trials, {record.status}, {score})"


class StackRun(_Run):
    """A stack: the comparison of single models, variants, averages and meta-learners, and the ensemble itself."""

    @property
    def record(self) -> StackRecord:
        """The run as it stands on disk now."""
        record = open_record(self.path)
        if not isinstance(record, StackRecord):
            raise RunError(f"{self.path} is a search, not a stack")
        return record

    def _compared(self) -> dict[str, Any]:
        comparison = self.record.comparison
        if comparison is None:
            raise RunError(f"{self.path} was not finished", help=f"fertune stack --out {self.path} --resume")
        return comparison

    @property
    def verdict(self) -> str:
        """One sentence: helped, hurt, or no difference that these rows can show."""
        return str(self._compared()["verdict"]["sentence"])

    def comparison(self) -> pd.DataFrame:
        """One row a model; the columns of the JSON contract, accuracies as fractions, seconds of training."""
        import pandas as pd

        rows = [{k: v for k, v in row.items() if k != "without_twins"} for row in self._compared()["rows"]]
        return pd.DataFrame(rows)

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Probabilities of the chosen stack.

        Args:
            images: uint8 (n, h, w, c), or (n, h, w) for gray ones, of the size it was trained on.

        Returns:
            float32 (n, classes), rows sum to 1, classes in the order of ``class_names``.
        """
        return self.load().predict_proba(np.asarray(images))

    def load(self) -> Bundle:
        """The ensemble, from its files alone: no pickle, checked paths and hashes."""
        from fertune.stacking.bundle import load_bundle

        self._compared()
        return load_bundle(self.path)

    def __repr__(self) -> str:
        record = self.record
        return f"StackRun({str(self.path)!r}: {record.status}, {self.verdict if record.comparison else record.reason})"


def open_run(path: str | Path) -> SearchRun | StackRun:
    """A run by its folder.

    Raises:
        RunError: There is none, or it cannot be read.
    """
    record = open_record(path)
    return SearchRun(path) if isinstance(record, SearchRecord) else StackRun(path)
