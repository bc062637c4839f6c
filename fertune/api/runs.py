"""Runs as Python sees them: always read from their folder, never from memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fertune.errors import ConfigError, RunError, did_you_mean
from fertune.store import SearchRecord, StackRecord, open_record
from fertune.store.folder import open_head
from fertune.trial import Trial

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from fertune.report import Figures, Tables
    from fertune.stacking.bundle import Bundle


class _Run:
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def report(self, out: str | Path | None = None, *, format: str | None = None, pictures: bool = True) -> Path:
        """Write the report. As HTML it is one file that asks no other host for anything.

        Args:
            out: Path of the file; by default ``report.html`` (``.md``, ``.json``) in the run's folder.
            format: ``html``, ``markdown`` or ``json``; by default what the end of ``out`` says, else ``html``. The
                figures of a Markdown report lie beside it in ``<name>_figures``.
            pictures: False leaves all pictures out (faces that must not travel).

        Raises:
            ConfigError: There is no such format.
            RunError: The file cannot be written.
        """
        from fertune.report import FORMATS, write

        if format is None:
            format = next((f for f, end in FORMATS.items() if out is not None and str(out).endswith(end)), "html")
        if format not in FORMATS:
            raise ConfigError(
                f"no report format {format!r}{did_you_mean(format, FORMATS)}", help=f"formats are {', '.join(FORMATS)}"
            )
        target = Path(out) if out is not None else self.path / f"report{FORMATS[format]}"
        try:
            write(open_record(self.path), target, format, pictures=pictures)
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}", help="choose another -o") from error
        return target

    @property
    def figures(self) -> Figures:
        """Figures of the report by the id of their section: ``run.figures["curves"].save("curves.svg")``.

        Each is drawn when it is asked for, from the run as it stands now; a notebook shows it.
        """
        from fertune.report import Figures

        return Figures(open_record(self.path))

    @property
    def tables(self) -> Tables:
        """Tables of the report by the id of their section: ``run.tables["leaderboard"].frame()``."""
        from fertune.report import Tables

        return Tables(open_record(self.path))

    def _repr_html_(self) -> str:
        from fertune.report import notebook_html

        return notebook_html(open_record(self.path))

    def __repr__(self) -> str:
        from fertune.console import summary_text

        return summary_text(open_record(self.path))

    def to_json(self) -> dict[str, Any]:
        """The document of ``fertune show RUN --json``; its schema is in ``docs/schema``."""
        return open_record(self.path).to_json()


class SearchRun(_Run):
    """A search. Its scores are optimistic: the best of many, on the rows that chose it."""

    @property
    def record(self) -> SearchRecord:
        """The run as it stands on disk now.

        Raises:
            RunError: It is a stack, or there is no run any more.
        """
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

        Columns: ``id, state, value, epochs, best_epoch, seconds, parameters, failure``; of a search for two objectives
        also ``pareto`` (no other trial beats it in both) and, where that is the second, ``latency`` (milliseconds a
        picture); then the parameters of the space in their declared order, each headed by its own name
        (``param_<name>`` where that name is taken).
        """
        import pandas as pd

        record = self.record
        names = list(record.info["space"]["params"])
        own: tuple[str, ...] = ("id", "state", "value", "epochs", "best_epoch", "seconds", "parameters", "failure")
        second, front = record.second_objective, record.pareto
        if second is not None:
            own += ("pareto",) if second.name in own else (second.name, "pareto")
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
            if second is not None:
                row |= {second.name: t.values.get(second.name), "pareto": t.id in (front or ())}
            row |= {f"param_{n}" if n in own else n: t.params.get(n) for n in names}
            rows.append(row)
        return pd.DataFrame(rows, columns=[*own, *(f"param_{n}" if n in own else n for n in names)])

    def load_model(self, trial: int | None = None) -> keras.Model:
        """A kept model (the best 3 are), by default the best one, at its best epoch.

        Of a search with ``cv`` it is the model of the first fold.

        Raises:
            RunError: That trial's model was not kept, or cannot be loaded.
            MissingPackage: Keras or its backend is not installed.
        """
        from fertune.bundles.pack import kept_models
        from fertune.training.load import load_model

        return load_model(kept_models(self.record, trial)[1][0])


class StackRun(_Run):
    """A stack: the comparison of single models, variants, averages and meta-learners, and the ensemble itself."""

    @property
    def record(self) -> StackRecord:
        """The run as it stands on disk now.

        Raises:
            RunError: It is a search, or there is no run any more.
        """
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

    def combine(self, proba: np.ndarray) -> np.ndarray:
        """What the chosen meta-learner makes of its members' probabilities; needs no pictures and no models.

        Args:
            proba: (n, models, classes) float, models and classes in the order of the run.

        Returns:
            float64 (n, classes), rows sum to 1.
        """
        from fertune.stacking.meta import load_fitted

        return load_fitted(self.path / "meta" / str(self._compared()["chosen"])).predict_proba(np.asarray(proba))

    def load(self) -> Bundle:
        """The ensemble, from its files alone: no pickle, checked paths and hashes."""
        from fertune.stacking.bundle import load_bundle

        self._compared()
        return load_bundle(self.path)


def open_run(path: str | Path) -> SearchRun | StackRun:
    """A run by its folder.

    Raises:
        RunError: There is none, or it cannot be read.
    """
    kind = open_head(Path(path)).info["kind"]
    return SearchRun(path) if kind == "search" else StackRun(path)
