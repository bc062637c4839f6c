"""The one search loop: asks a Searcher, hands jobs to an Executor, and writes everything down first.

It knows neither Keras Tuner nor Optuna, neither processes nor models: CNNs and meta-learners are tuned by it alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

from fertune.searching.failing import INFEASIBLE, all_failed, hopeless
from fertune.searching.observer import Observer
from fertune.searching.resume import Resumed, read_progress, second_value
from fertune.store import Journal
from fertune.store.trials import failure_json
from fertune.trial import (
    Complete,
    Event,
    Executor,
    Exhausted,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Job,
    Objective,
    Outcome,
    Pruned,
    Reported,
    Searcher,
    Started,
    Suggestion,
    TrainResult,
    Trial,
    Wait,
)

TIME_IS_UP = "the time budget is spent"
STOP_PATIENCE = 20.0
"""Seconds that running jobs get to save what they have when a search ends early."""

PASSING = ("epoch", "started")
"""Events that need not outlive a power cut: others repeat them in sum."""

BEHIND = "behind"

IN_TIME = 0.97
"""Part of the time left that a piece which is tried again may take."""

Status = Literal["finished", "interrupted"]
MakeJob = Callable[[Trial, Suggestion], Job]
Weigh = Callable[[Trial, Suggestion, TrainResult], TrainResult]


class Search:
    """One search, from its beginning or from where its journal stands.

    Args:
        searcher: Fresh, or already restored by the calls of ``progress``.
        executor: Runs the jobs; not closed here.
        journal: Written before the searcher is told, and before a job is submitted.
        make_job: The job of a trial's next stretch.
        objective: Direction of the values.
        second: Cost of a trained model that is told beside it; None for none.
        progress: What the journal holds; by default read from it.
        deadline: ``time.monotonic()`` after which no job runs on; None for none.
        stop_requested: Asked between events; true ends the search as interrupted.
        observer: Is told what happens.
        infeasible: Why a piece of work is not worth a worker's time, or None; such a one is told as failed, untried.
        weigh: What a finished job is worth, where that is not what it says itself; ``ended_by`` of what it returns is
            ``BEHIND`` where the trial is to be stopped here.
        on_trial_end: Called with a trial whenever a stretch of it has ended (keeps or drops models).
    """

    def __init__(
        self,
        *,
        searcher: Searcher,
        executor: Executor,
        journal: Journal,
        make_job: MakeJob,
        objective: Objective,
        second: Objective | None = None,
        progress: Resumed | None = None,
        deadline: float | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
        observer: Observer | None = None,
        infeasible: Callable[[Trial, Suggestion], str | None] = lambda trial, suggestion: None,
        on_trial_end: Callable[[Trial], None] = lambda trial: None,
        weigh: Weigh = lambda trial, suggestion, result: result,
    ) -> None:
        progress = progress or read_progress(journal.lines)
        self._searcher, self._executor, self._journal = searcher, executor, journal
        self._make_job, self._objective, self._second, self._deadline = make_job, objective, second, deadline
        self._stop_requested, self._on_trial_end, self._weigh = stop_requested, on_trial_end, weigh
        self._infeasible = infeasible
        self._observer = observer or Observer()
        self.trials = progress.trials
        self._retry = list(progress.open)
        self._trial_of = dict(progress.trial_of)
        self._running: dict[str, Suggestion] = {}
        self._since: dict[int, float] = {}
        self._pruned: set[str] = set()
        self._stopping: str | None = None
        self._ended: list[int] = []
        self._next_id = max(self.trials.by_id, default=-1) + 1
        self._best = self._best_of_all()

    @property
    def best(self) -> Trial | None:
        """The scored trial with the best value so far."""
        return self._best

    def _place(self, trial: Trial) -> Any:
        return trial.place(self._objective)

    def trials_of(self, tickets: Iterable[int]) -> set[int]:
        """Ids of the trials that pieces of work belong to."""
        return {self._trial_of[ticket] for ticket in tickets}

    def _best_of_all(self) -> Trial | None:
        return min((t for t in self.trials.by_id.values() if t.scored), key=self._place, default=None)

    def _see(self, trial: Trial) -> None:
        """Keep ``best`` up to date without looking at every trial again."""
        if self._best is not None and self._best.id == trial.id:
            self._best = self._best_of_all()
        elif trial.scored and (self._best is None or self._place(trial) < self._place(self._best)):
            self._best = trial

    def run(self) -> tuple[Status, str]:
        """Search until the searcher is exhausted, time is up, or the user interrupts.

        Returns:
            Status and one clause that says why; both are in the journal too.

        Raises:
            AllTrialsFailed: Five equal failures before any success. The journal says so as well.
        """
        status: Status = "finished"
        reason = ""
        while not reason:
            if self._stop_requested():
                status, reason = "interrupted", "interrupted"
                self._observer.said("stopping, a few seconds")
            elif self._deadline is not None and time.monotonic() > self._deadline:
                reason = TIME_IS_UP
            else:
                reason = self._fill()
                self._listen(0.2)
                self._give_up_where_nothing_trains()
        self._wind_down(reason)
        self._journal.write("ended", status=status, reason=reason)
        return status, reason

    def _fill(self) -> str:
        """Give every free slot something to do; a reason where there is nothing left to do at all."""
        ready: list[Job] = []
        reason = self._choose(ready)
        self._settle()
        for job in ready:
            self._executor.submit(job)
        return reason

    def _choose(self, ready: list[Job]) -> str:
        """Write down what every free slot shall do, and append its jobs to ``ready``; the reason of ``_fill``."""
        refused = 0
        while len(self._running) < self._executor.slots:
            if self._retry:
                suggestion = self._in_time(self._retry.pop(0))
                self._take(
                    "retried",
                    trial=self._trial_of[suggestion.ticket],
                    ticket=suggestion.ticket,
                    **({"alone": True} if suggestion.alone else {}),
                )
            else:
                answer = self._searcher.ask()
                if isinstance(answer, Exhausted):
                    return "" if self._running else answer.reason
                if isinstance(answer, Wait):
                    if not self._running:
                        raise RuntimeError("the searcher waits although nothing runs")
                    return ""
                suggestion = answer
                self._ask(suggestion)
            trial = self.trials.by_id[self._trial_of[suggestion.ticket]]
            why = self._infeasible(trial, suggestion)
            if why is not None:
                self._end(suggestion.ticket, trial.id, "failed", failure=Failure(FailureKind.INFEASIBLE, why))
                refused += 1
                if refused == INFEASIBLE or self._over():
                    return ""
                continue
            job = self._make_job(trial, suggestion)
            self._since[suggestion.ticket] = time.monotonic()
            self._running[job.id] = suggestion
            ready.append(job)
        return ""

    def _over(self) -> bool:
        return self._stop_requested() or (self._deadline is not None and time.monotonic() > self._deadline)

    def _in_time(self, suggestion: Suggestion) -> Suggestion:
        """A piece that is tried again: beyond what it trained already it may take the time that is left now."""
        if suggestion.seconds is None or self._deadline is None:
            return suggestion
        trial = self.trials.by_id[self._trial_of[suggestion.ticket]]
        spent = sum(row.get("seconds", 0.0) for row in trial.history[: trial.epochs])
        left = IN_TIME * max(self._deadline - time.monotonic(), 1.0)
        return replace(suggestion, seconds=min(suggestion.seconds, spent + left))

    def _ask(self, suggestion: Suggestion) -> None:
        if suggestion.continues is None:
            trial, self._next_id = self._next_id, self._next_id + 1
        else:
            trial = self._trial_of[suggestion.continues]
        self._trial_of[suggestion.ticket] = trial
        self._take(
            "asked",
            trial=trial,
            ticket=suggestion.ticket,
            params=dict(suggestion.params),
            budget=suggestion.budget,
            continues=suggestion.continues,
            tags=dict(suggestion.tags),
            **fidelity(suggestion),
        )

    def _take(self, event: str, **fields: Any) -> Trial:
        trial = self.trials.take(self._journal.write(event, lasting=event not in PASSING, wait=False, **fields))
        if trial is None:
            raise RuntimeError(f"no trial changed by {event!r}")
        return trial

    def _listen(self, timeout: float) -> None:
        for event in self._executor.events(timeout):
            self._handle(event)
        self._observer.tick()

    def _settle(self) -> None:
        """One wait for the disk for all lines of a turn, before anything outside this process follows from them.

        That is: before files of trials are dropped, and before jobs are submitted. A trial that was promoted in the
        same turn is running again by now, and is handed on so.
        """
        self._journal.sync()
        ended, self._ended = self._ended, []
        for trial_id in ended:
            self._on_trial_end(self.trials.by_id[trial_id])

    def _handle(self, event: Event) -> None:
        suggestion = self._running.get(event.job_id)
        if suggestion is None:
            return
        ticket, trial_id = suggestion.ticket, self._trial_of[suggestion.ticket]
        if isinstance(event, Started):
            self._since[ticket] = time.monotonic()
            self._observer.trial_started(self._take("started", trial=trial_id, ticket=ticket, worker=event.worker))
            return
        if isinstance(event, Reported):
            trial = self._take(
                "epoch", trial=trial_id, ticket=ticket, step=event.step, value=event.value, logs=event.logs
            )
            self._observer.epoch(trial, event.logs)
            if self._stopping is None and not self._searcher.report(ticket, event.step, event.value):
                self._pruned.add(event.job_id)
                self._executor.stop(event.job_id)
            return
        del self._running[event.job_id]
        if isinstance(event, Failed) and self._stopping is not None:
            self._end(ticket, trial_id, "stopped", note=self._stopping)  # whatever it was, a resume tries it again
        elif isinstance(event, Failed):
            if event.failure.kind is FailureKind.OUT_OF_MEMORY and not suggestion.alone:
                self._retry.append(replace(suggestion, alone=True))
                return
            self._end(ticket, trial_id, "failed", failure=event.failure)
        else:
            self._finished(event, suggestion, trial_id)

    def _finished(self, event: Finished, suggestion: Suggestion, trial_id: int) -> None:
        ticket, result = suggestion.ticket, event.result
        cut = self._stopping is not None and (result is None or result.ended_by in ("stopped", "pruned"))
        if cut and event.job_id not in self._pruned:
            has_value = result is not None and result.epochs > 0
            self._end(ticket, trial_id, "stopped", result=result if has_value else None, note=self._stopping or "")
        elif result is None or not math.isfinite(result.value):
            self._end(ticket, trial_id, "failed", failure=Failure(FailureKind.CRASHED, "the job ended without a value"))
        else:
            result = self._weigh(self.trials.by_id[trial_id], suggestion, result)
            pruned = event.job_id in self._pruned or result.ended_by == BEHIND
            self._end(ticket, trial_id, "pruned" if pruned else "completed", result=result)

    def _end(
        self,
        ticket: int,
        trial_id: int,
        outcome: str,
        *,
        result: TrainResult | None = None,
        failure: Failure | None = None,
        note: str = "",
    ) -> None:
        fields: dict[str, object] = {"note": note}
        if result is not None:
            fields |= {
                "value": result.value,
                "best_epoch": result.best_epoch,
                "epochs": result.epochs,
                "seconds": result.seconds,
                "parameters": result.parameters,
                "note": note or result.note or (result.ended_by if result.ended_by == "early stopping" else ""),
                **({"final": True} if result.ended_by == "early stopping" else {}),
            }
            if self._second is not None:
                fields["values"] = {self._objective.name: result.value, self._second.name: cost(result, self._second)}
        else:
            begun = self._since.get(ticket)
            fields["seconds"] = time.monotonic() - begun if begun is not None else 0.0
        if failure is not None:
            fields["failure"] = failure_json(failure)
        trial = self._take("told", trial=trial_id, ticket=ticket, outcome=outcome, **fields)
        if outcome != "stopped":
            value = result.value if result is not None else 0.0
            told: Outcome = Pruned(value)
            if failure is not None:
                told = failure
            elif outcome == "completed":
                told = Complete(value, second_value(trial.values), "final" in fields)
            self._searcher.tell(ticket, told)
        self._see(trial)
        self._ended.append(trial.id)
        self._observer.trial_ended(trial, self.best)

    def _give_up_where_nothing_trains(self) -> None:
        failed = None if self._best is not None else hopeless(self.trials.all())
        if failed is None:
            return
        kind = failed[0].failure.kind.value if failed[0].failure is not None else ""
        self._wind_down("too many equal failures")
        self._journal.write("ended", status="finished", reason=f"the first {len(failed)} trials all failed: {kind}")
        raise all_failed(failed, str(self._journal.path.parent))

    def _wind_down(self, reason: str) -> None:
        """Ask what runs to save and end; whatever does not in time stays open in the journal and is retried."""
        self._stopping = reason
        for job_id in list(self._running):
            self._executor.stop(job_id)
        until = time.monotonic() + STOP_PATIENCE
        while self._running and time.monotonic() < until:
            self._listen(0.2)
        for suggestion in self._running.values():
            self._end(suggestion.ticket, self._trial_of[suggestion.ticket], "stopped", note=reason)
        self._running.clear()
        self._settle()


def fidelity(suggestion: Suggestion) -> dict[str, Any]:
    """What a journal keeps of a piece of work that is not trained as usual; mostly nothing."""
    usual = Suggestion(suggestion.ticket, suggestion.params, suggestion.budget)
    names = ("share", "side", "fold", "alone", "seconds")
    return {n: getattr(suggestion, n) for n in names if getattr(suggestion, n) != getattr(usual, n)}


def cost(result: TrainResult, second: Objective) -> float | None:
    """The second objective of what was trained; None where it was not measured."""
    return float(result.parameters) if second.name == "parameters" else result.latency
