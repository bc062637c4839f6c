"""The record of one distinct configuration."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fertune.trial.objective import Objective
from fertune.trial.suggestion import Failure, Params


class State(StrEnum):
    """States of a trial, as in the JSON contract."""

    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Rung:
    """One stretch of training of a trial: a plain trial has one, a promoted one has several.

    Attributes:
        budget: Epochs to have been trained in all at its end.
        tags: What the engine said of it (``bracket``, ``rung``); of a cross-validated trial ``fold`` and ``of`` (how
            many folds this stretch is one of).
        value: Objective at the best epoch of the trial so far; None while running or failed.
        epochs: Epochs really trained in all so far (early stopping may end before the budget).
        seconds: Wall seconds of this stretch alone.
        outcome, history, best_epoch: Of a fold only: how it ended (empty while it runs), and its own epochs.
        share: Part of the training rows.
        side: Pixels to which pictures were brought; None: their own.
    """

    budget: int
    tags: dict[str, int] = field(default_factory=dict)
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0
    outcome: str = ""
    history: tuple[dict[str, float], ...] = ()
    best_epoch: int | None = None
    share: float = 1.0
    side: int | None = None

    @property
    def fidelity(self) -> tuple[float, float]:
        """How near to the whole training it is beside its epochs: greater is nearer."""
        return (self.share, float("inf") if self.side is None else float(self.side))

    @property
    def fidelity_text(self) -> str:
        """``"33 % of the rows"``, ``"at 24 px"``; empty for the whole training."""
        parts = [f"{100 * self.share:.0f} % of the rows"] if self.share < 1 else []
        return ", ".join([*parts, *([f"at {self.side} px"] if self.side is not None else [])])


@dataclass(frozen=True)
class Trial:
    """One distinct configuration and all that was learned of it.

    Attributes:
        id: 0, 1, 2, ... in the order of first asking.
        params: Active parameters, plain values, in the declared order.
        state: See ``State``.
        rungs: In the order of training; at least one.
        history: One dict an epoch, in order: ``epoch`` (from 1), ``loss``, ``accuracy`` (of training rows, as seen
            with dropout and augmentation on), ``val_loss`` (cross-entropy without L2 penalty), ``val_accuracy``,
            ``val_macro_f1``, ``learning_rate``, ``seconds``.
        value: Objective at ``best_epoch``; None while no epoch was measured. Where trials are cross-validated: the mean
            over the folds that are done, each measured on its held-out rows; ``history`` is then the first fold's.
        best_epoch: From 1.
        parameters: Number of weights of the model (trainable or not); None where unknown.
        failure: Where ``state`` is failed.
        started, ended: Seconds since the epoch, by the journal; ``ended`` is None while running.
        note: One clause for people (why it stopped), may be empty.
        values: In a search of two objectives both by name, once measured; else empty.
    """

    id: int
    params: Params
    state: State
    rungs: tuple[Rung, ...]
    history: tuple[dict[str, float], ...] = ()
    value: float | None = None
    best_epoch: int | None = None
    parameters: int | None = None
    failure: Failure | None = None
    started: float = 0.0
    ended: float | None = None
    note: str = ""
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs trained in all; of a cross-validated trial those of the fold that runs, else of its longest."""
        folds = self.folds
        if folds:
            return next((r.epochs for r in folds if not r.outcome), max(r.epochs for r in folds))
        return self.rungs[-1].epochs if self.rungs else 0

    @property
    def seconds(self) -> float:
        """Wall seconds of training, all rungs together."""
        return sum(r.seconds for r in self.rungs)

    @property
    def budget(self) -> int:
        return self.rungs[-1].budget

    @property
    def epochs_before(self) -> int:
        """Epochs that its last stretch goes on from; 0 where it began anew, as it does at another fidelity."""
        if len(self.rungs) < 2 or self.rungs[-2].fidelity != self.rungs[-1].fidelity:
            return 0
        return self.rungs[-2].epochs

    @property
    def folds(self) -> tuple[Rung, ...]:
        """Its folds in order, the latest stretch of each; empty where trials are not cross-validated."""
        of = self.rungs[-1].tags.get("of") if self.rungs else None
        if of is None:
            return ()
        found = {r.tags["fold"]: r for r in self.rungs if r.tags.get("of") == of and "fold" in r.tags}
        return tuple(found[i] for i in sorted(found))

    @property
    def folds_done(self) -> int:
        """Folds after which the race went on; all of them where it was won."""
        return sum(1 for r in self.folds if r.outcome == "completed")

    @property
    def fold_values(self) -> list[float]:
        """What ``value`` is the mean of: the folds that were done, and the one that ended the race for the trial."""
        return [r.value for r in self.folds if r.outcome in ("completed", "pruned") and r.value is not None]

    @property
    def spread(self) -> float | None:
        """Sample standard deviation of the value over folds; None under two of them."""
        values = self.fold_values
        return statistics.stdev(values) if len(values) > 1 else None

    @property
    def measured(self) -> Rung | None:
        """The stretch that its value is of; None where it has none."""
        return next((r for r in reversed(self.rungs) if r.value is not None), None)

    @property
    def measured_on(self) -> str:
        """``"33 % of the rows"`` or ``"at 24 px"`` where its value is of no more; empty for the whole data."""
        return self.measured.fidelity_text if self.measured is not None else ""

    def place(self, objective: Objective) -> tuple[tuple[float, float], int, float, float, int]:
        """Ascending order of this is best first.

        A value of more rows or of larger pictures comes before any of fewer: the two are not comparable. Then more
        folds, the better value, the shorter time, the number.
        """
        rung = self.measured or Rung(1)
        near = (-rung.fidelity[0], -rung.fidelity[1])
        return (near, -self.folds_done, objective.sort_key(self.value or 0.0), self.seconds, self.id)

    @property
    def scored(self) -> bool:
        """Whether it takes part in a ranking: a stretch of it ended with a value, and it did not fail.

        A trial that is being promoted is running and keeps its place by the value of its last rung.
        """
        return self.value is not None and self.state is not State.FAILED

    def but(self, **changes: Any) -> Trial:
        """As ``dataclasses.replace``, in a third of the time: each line of a journal makes a new trial."""
        made = object.__new__(Trial)
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changes)
        return made

    def to_json(self) -> dict[str, Any]:
        """The contract's row, and what a reader of the whole record needs beside it."""
        return {
            "id": self.id,
            "state": self.state.value,
            "value": self.value,
            **({"values": dict(self.values)} if self.values else {}),
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "params": dict(self.params),
            "failure": None
            if self.failure is None
            else {"kind": self.failure.kind.value, "message": self.failure.message},
            "best_epoch": self.best_epoch,
            "budget": self.budget,
            "parameters": self.parameters,
            **self._folds_json(),
            "rungs": [
                {
                    "budget": r.budget,
                    "value": r.value,
                    "epochs": r.epochs,
                    "seconds": round(r.seconds, 3),
                    **({"outcome": r.outcome} if r.outcome else {}),
                    **({"share": r.share} if r.share != 1 else {}),
                    **({"side": r.side} if r.side is not None else {}),
                    **r.tags,
                }
                for r in self.rungs
            ],
        }

    def _folds_json(self) -> dict[str, Any]:
        if not self.folds:
            return {}
        return {"folds": {"done": len(self.fold_values), "of": self.rungs[-1].tags["of"], "spread": self.spread}}
