"""One sitting of a search: from what its journal holds to its end, or to an interruption."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np

from fertune.api.describe import starting_words
from fertune.api.fidelity import around, fed_with
from fertune.api.folding import cut_folds, fold_job, write_held_out
from fertune.api.observing import watched
from fertune.api.runs import SearchRun
from fertune.api.spaces import pickled_build
from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.errors import Interrupted
from fertune.execution import make_executor
from fertune.models.feasible import infeasible, multiply_adds, weights
from fertune.searchers import Engine, Own, make_searcher, restore
from fertune.searchers.costliest import CostliestFirst
from fertune.searchers.start import starts
from fertune.searching import Interrupts, Observer, Search, read_progress
from fertune.searching.failing import all_failed
from fertune.searching.judging import FoldJudge
from fertune.searching.loop import TIME_IS_UP
from fertune.searching.racing import FoldRacing
from fertune.space import Space
from fertune.store import RunFolder, SearchRecord, open_record
from fertune.store.checkpoints import STATE_EVERY, Checkpoints, resumable
from fertune.store.known_trials import goal_of
from fertune.store.trials import Trials
from fertune.trial import TUNERS, Params, Rows, Searcher, State, Suggestion, TrainJob, Trial, library_of, objectives


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
        rungs = own is None and TUNERS[options.tuner].rungs and options.fidelity == "epochs"
        self._multi = rungs or own is not None
        self._alive: set[int] | None = None
        self._checkpoints = Checkpoints(
            folder.path,
            objective=self._objective,
            keep=options.keep,
            max_disk=options.max_disk,
            continues=self._may_go_on,
            warn=observer.warned,
        )

    def run(self) -> SearchRun:
        self._folder.journal.write("session", trials=self._options.trials, workers=self._options.workers)
        progress = read_progress(self._folder.journal.lines)
        executor = make_executor(self._options, log_dir=self._folder.path / "logs")
        self._observer = pulse = watched(self._observer, executor, self._folder, self._options.log_dir)
        try:
            with Interrupts() as interrupts:
                goal = goal_of(self._options.trials, self._folder.journal.lines)
                self._observer.search_started(self._folder.info, goal, progress.trials.all())
                first = next(line for line in self._folder.journal.lines if line["event"] == "session")
                cut_folds(self._folder.path, self._data, self._options)
                searcher = self._make_searcher(first["trials"])
                if self._options.cv:
                    searcher = FoldRacing(searcher, folds=self._options.cv, slots=executor.slots)
                elif self._own is None and isinstance(searcher, Engine) and TUNERS[self._options.tuner].blind:
                    cost = self._cost if self._options.time_budget is None else None
                    searcher = CostliestFirst(searcher, cost, first=starts(self._space, self._options.seed))
                restore(searcher, progress.calls, written_by=self._written_by())
                budget = self._options.time_budget
                search = Search(
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
                    infeasible=self._infeasible,
                    on_trial_end=lambda trial: self._ended(searcher, search, trial),
                    weigh=self._judge(progress.trials),
                )
                self._alive = promotable(searcher, search)
                self._checkpoints.sweep(progress.trials.all())
                self._observer.progress(starting_words(), 0)
                status, reason = search.run()
        finally:
            pulse.stop()
            executor.close()
        return self._end(status, reason, interrupts.signum)

    def _judge(self, trials: Trials) -> FoldJudge:
        data = self._data
        return FoldJudge(self._folder.path / "trials", data.labels, data.groups, self._objective, trials.all)

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
        return make_searcher(
            options.tuner,
            self._space,
            pruner=options.pruner,
            second=self._second,
            fidelity=options.fidelity,
            around=around(self._data, options, self._started),
            **common,
        )

    def _written_by(self) -> str | None:
        package = library_of(self._options.tuner)
        version = self._folder.info["versions"].get(package)
        return f"{package} {version}" if version else None

    def _job(self, trial: Trial, suggestion: Suggestion) -> TrainJob:
        out = self._checkpoints.folder(trial)
        settings = fed_with(self._space.settings(suggestion.params), suggestion)
        room = self._checkpoints.began(trial, weights(self._space.model, settings, *self._fed(suggestion)))
        job = TrainJob(
            id=f"trial-{trial.id}-{suggestion.ticket}",
            data=str(self._data.folder),
            fingerprint=self._data.fingerprint,
            fit=Rows(splits=("train",)),
            stop=Rows(splits=("validation",)),
            family=self._space.model,
            build=self._build,
            settings=settings,
            budget=suggestion.budget,
            objective=self._objective,
            out=str(out),
            seed=int(np.random.SeedSequence([self._options.seed, trial.id]).generate_state(1)[0] % 2**31),
            class_weight=self._options.class_weight,
            resume=resumable(out),
            told=trial.epochs if suggestion.fold is None else 0,
            keep_state=room and self._multi and suggestion.budget < self._options.max_epochs,
            checkpoint=STATE_EVERY if room else None,
            max_params=self._options.max_params,
            latency=self._second is not None and self._second.name == "latency",
            horizon=self._options.max_epochs if self._multi else None,
            share=suggestion.share,
            alone=suggestion.alone,
            seconds=suggestion.seconds,
        )
        return fold_job(job, self._folder.path, trial, suggestion, self._options)

    def _fed(self, suggestion: Suggestion) -> tuple[tuple[int, int, int], int]:
        """Shape of the pictures that a piece of work is trained on, and the number of classes."""
        height, width, channels = self._data.image_shape
        side = suggestion.side
        return ((side, side, channels) if side is not None else (height, width, channels)), self._data.n_classes

    def _infeasible(self, trial: Trial, suggestion: Suggestion) -> str | None:
        settings = self._space.settings(suggestion.params)
        return infeasible(self._space.model, settings, *self._fed(suggestion), self._options.max_params)

    def _cost(self, params: Params) -> int | None:
        """Of training a configuration, next to the others; 0 for one that is infeasible."""
        settings, fed = self._space.settings(params), (self._data.image_shape, self._data.n_classes)
        if infeasible(self._space.model, settings, *fed, self._options.max_params):
            return 0
        return multiply_adds(self._space.model, settings, *fed)

    def _ended(self, searcher: Searcher, search: Search, trial: Trial) -> None:
        self._alive = promotable(searcher, search)
        self._checkpoints.ended(trial)
        if "could not be kept" in trial.note:
            self._observer.warned(f"trial {trial.id} counts with its value, but {trial.note}")

    def _may_go_on(self, trial: Trial) -> bool:
        """Whether an ended trial may be promoted; one that stopped early has nothing left to train."""
        if self._alive is not None and trial.id not in self._alive:
            return False
        whole = trial.state is State.COMPLETED and trial.epochs >= trial.budget
        return self._multi and whole and trial.budget < self._options.max_epochs

    def _end(self, status: str, reason: str, signum: int | None) -> SearchRun:
        path = self._folder.path
        record = open_record(path)
        if not isinstance(record, SearchRecord):
            raise TypeError(f"{path} is no search")
        best = record.best
        if best is not None and best.folds:
            write_held_out(path, best, self._data)
        elif best is not None and (path / "trials" / str(best.id) / "stop.npz").exists():
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
            self._checkpoints.finish()
        failed = [t for t in record.trials if t.failure is not None]
        if best is None and failed:
            raise all_failed(failed, str(path))
        self._observer.search_ended(record)
        return SearchRun(path)


def promotable(searcher: Searcher, search: Search) -> set[int] | None:
    """Ids of the trials that may yet be promoted; None where the searcher does not say."""
    tickets = getattr(searcher, "promotable", None)
    return None if tickets is None else search.trials_of(tickets())
