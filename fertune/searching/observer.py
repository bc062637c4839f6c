"""What a long run tells whoever watches it. The methods do nothing here; a console overrides what it shows.

An observer never steers: whatever it does, the journal and the result stay the same. All methods are called from the
coordinator's one thread. They must be quick, and must not raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fertune.trial import Trial, WorkerStatus

FoldKey = tuple[str, int, str]
"""Member, fold (from 0), and ``fold`` or ``bag``."""


class Observer:
    """Empty methods; subclass and override those that you show."""

    def said(self, text: str) -> None:
        """One line of finished work that is not training, e.g. ``"read 35,887 rows in 14 s; cached"``."""

    def noted(self, text: str) -> None:
        """One line on what will be done and how, before it begins, e.g. ``"the grid has 30 points; all are tried"``."""
        self.said(text)

    def progress(self, what: str, done: int, total: int | None = None, unit: str = "") -> None:
        """Work that is not training goes on: ``done`` of ``total`` (None where unknown), e.g. rows read.

        Called often; a console shows it only where it lasts, with its rate and the time left, and takes it away when
        ``done`` reaches ``total`` or a line is said.
        """

    def warned(self, text: str) -> None:
        """One line that a person should act on."""

    def search_started(self, info: Mapping[str, Any], goal: int | None, trials: Sequence[Trial]) -> None:
        """A search begins or goes on.

        Args:
            info: ``run.json`` of the run.
            goal: How many distinct configurations there will be; None where the engine alone knows.
            trials: What the journal holds already, in the order of ids.
        """

    def trial_started(self, trial: Trial) -> None:
        """A stretch of a trial was handed to a worker."""

    def epoch(self, trial: Trial, logs: Mapping[str, float]) -> None:
        """An epoch is done; ``logs`` is the last row of ``trial.history``."""

    def trial_ended(self, trial: Trial, best: Trial | None) -> None:
        """A stretch of a trial ended; ``best`` is the best scored trial so far."""

    def search_ended(self, record: Any) -> None:
        """The search ended, whatever the reason; ``record`` is its ``SearchRecord``."""

    def stack_started(self, info: Mapping[str, Any], jobs: Sequence[FoldKey]) -> None:
        """A stack begins or goes on; ``jobs`` are all models that will be trained or are there already."""

    def fold_started(self, member: str, fold: int, kind: str) -> None:
        """A model of a stack was handed to a worker."""

    def fold_epoch(self, member: str, fold: int, kind: str, logs: Mapping[str, float]) -> None:
        """An epoch of such a model is done."""

    def fold_ended(self, fold_run: Any) -> None:
        """Such a model ended, or was found trained; ``fold_run`` is its ``FoldRun``."""

    def meta_ended(self, entry: Mapping[str, Any]) -> None:
        """A meta-learner was tuned and fitted; ``entry`` as in ``meta.json``."""

    def stack_ended(self, record: Any) -> None:
        """The stack ended; ``record`` is its ``StackRecord``."""

    def attached(self, begun: float, since: Mapping[Any, float], ended: int) -> None:
        """What was just said to begin has long begun: it is watched from outside.

        Args:
            begun: ``time.monotonic()`` at the beginning of its session; may be negative.
            since: The same for what runs, by the id of a trial or the key of a fold.
            ended: Trials or folds that ended in that session.
        """

    def workers(self, statuses: Sequence[WorkerStatus], memory: int = 0, disk: int | None = None) -> None:
        """How the workers are now; at most twice a second.

        Args:
            statuses: Of each worker.
            memory: Resident bytes of coordinator and workers together; 0 where unknown.
            disk: Bytes of the run's folder when it was last measured; None before that.
        """

    def tick(self) -> None:
        """Called several times a second while something runs."""

    def close(self) -> None:
        """Nothing more will come; give the terminal back. May be called twice."""
