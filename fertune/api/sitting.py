"""One sitting of a search: from what its journal holds to its end, or to an interruption."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np

from fertune.api.describe import starting_words
from fertune.api.runs import SearchRun
from fertune.api.spaces import pickled_build
from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.errors import Interrupted
from fertune.execution import make_executor
from fertune.searchers import Own, make_searcher, restore
from fertune.searching import Interrupts, Observer, Search, read_progress
from fertune.searching.loop import TIME_IS_UP, all_failed
from fertune.space import Space
from fertune.store import RunFolder, SearchRecord, open_record
from fertune.trial import Rows, Searcher, State, Suggestion, TrainJob, Trial, library_of, objectives


class Sitting:
    """One sitting of a search: from what the journal holds to its end, or to an interruption."""

    def __init__(
        self,
        folder: RunFolder,
        space: Space,
        options: SearchOptions,
        own: Own | None,
        data: ImageDataset,
        observer: Observer,
        started: float,
    ) -> None:
        self._folder, self._space, self._options, self._data = folder, space, options, data
        self._own, self._observer, self._started = own, observer, started
        self._objective, self._second = objectives(options.objective)
        self._build = pickled_build(space)
        self._search: Search | None = None

    def run(self) -> SearchRun:
        self._folder.journal.write("session", trials=self._options.trials, workers=self._options.workers)
        progress = read_progress(self._folder.journal.lines)
        executor = make_executor(self._options, log_dir=self._folder.path / "logs")
        try:
            with Interrupts() as interrupts:
                self._observer.search_started(self._folder.info, self._options.trials, progress.trials.all())
                first = next(line for line in self._folder.journal.lines if line["event"] == "session")
                searcher = self._make_searcher(first["trials"])
                restore(searcher, progress.calls, written_by=self._written_by())
                budget = self._options.time_budget
                self._search = Search(
                    searcher=searcher,
                    executor=executor,
                    journal=self._folder.journal,
                    make_job=self._job,
                    objective=self._objective,
                    second=self._second,
                    progress=progress,
                    deadline=None if budget is None else self._started + budget,
                    stop_requested=lambda: interrupts.signum is not None,
                    observer=self._observer,
                    on_trial_end=lambda trial: self._keep_best(),
                )
                self._observer.progress(starting_words(), 0)
                status, reason = self._search.run()
        finally:
            executor.close()
        return self._end(status, reason, interrupts.signum)

    def _make_searcher(self, trials: int | None) -> Searcher:
        """A fresh one, as the first session had it."""
        options = self._options
        common: dict[str, Any] = {
            "objective": self._objective,
            "seed": options.seed,
            "trials": trials,
            "max_epochs": options.max_epochs,
        }
        if self._own is not None:
            return self._own.make(self._space, **common)
        return make_searcher(options.tuner, self._space, pruner=options.pruner, second=self._second, **common)

    def _written_by(self) -> str | None:
        package = library_of(self._options.tuner)
        version = self._folder.info["versions"].get(package)
        return f"{package} {version}" if version else None

    def _job(self, trial: Trial, suggestion: Suggestion) -> TrainJob:
        out = self._folder.path / "trials" / str(trial.id)
        multi = self._options.tuner == "hyperband" or self._own is not None
        return TrainJob(
            id=f"trial-{trial.id}-{suggestion.ticket}",
            data=str(self._data.folder),
            fingerprint=self._data.fingerprint,
            fit=Rows(splits=("train",)),
            stop=Rows(splits=("validation",)),
            family=self._space.model,
            build=self._build,
            settings=self._space.settings(suggestion.params),
            budget=suggestion.budget,
            objective=self._objective,
            out=str(out),
            seed=int(np.random.SeedSequence([self._options.seed, trial.id]).generate_state(1)[0] % 2**31),
            class_weight=self._options.class_weight,
            resume=str(out) if suggestion.continues is not None and (out / "state").exists() else None,
            keep_state=multi and suggestion.budget < self._options.max_epochs,
            latency=self._second is not None and self._second.name == "latency",
            horizon=self._options.max_epochs if multi else None,
            share=suggestion.share,
            alone=suggestion.alone,
            seconds=suggestion.seconds,
        )

    def _keep_best(self) -> None:
        """Models of the best few stay; the others go. A state that a promotion may need stays till the end."""
        if self._search is None:
            return
        key = self._objective.sort_key
        trials = self._search.trials.all()
        ranked = sorted((t for t in trials if t.scored), key=lambda t: (key(t.value or 0.0), t.seconds, t.id))
        kept = {t.id for t in ranked[: self._options.keep]}
        for trial in trials:
            # what still runs may have written its model already, and is told of a moment later
            if trial.id not in kept and trial.state is not State.RUNNING:
                for file in ("model.keras", "stop.npz"):
                    (self._folder.path / "trials" / str(trial.id) / file).unlink(missing_ok=True)

    def _end(self, status: str, reason: str, signum: int | None) -> SearchRun:
        path = self._folder.path
        record = open_record(path)
        if not isinstance(record, SearchRecord):
            raise TypeError(f"{path} is no search")
        best = record.best
        if best is not None and (path / "trials" / str(best.id) / "stop.npz").exists():
            shutil.copyfile(path / "trials" / str(best.id) / "stop.npz", path / "validation.npz")
        if status == "interrupted":
            done = sum(1 for t in record.trials if t.ended is not None)
            self._observer.search_ended(record)
            raise Interrupted(
                f"Interrupted after {done} trial{'s' if done != 1 else ''}; all of them are kept",
                signum=signum or 2,
                resume=self._folder.info["resume"],
                run=path,
                told=True,
            )
        if reason != TIME_IS_UP:  # else a resumed search may still promote them
            for state in (path / "trials").glob("*/state"):
                shutil.rmtree(state, ignore_errors=True)
        for folder in (path / "trials").glob("*"):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        failed = [t for t in record.trials if t.failure is not None]
        if best is None and failed:
            raise all_failed(failed, str(path))
        self._observer.search_ended(record)
        return SearchRun(path)
