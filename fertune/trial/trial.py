"""The record of one distinct configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

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
        tags: What the engine said of it (``bracket``, ``rung``).
        value: Objective at the best epoch of the trial so far; None while running or failed.
        epochs: Epochs really trained in all so far (early stopping may end before the budget).
        seconds: Wall seconds of this stretch alone.
    """

    budget: int
    tags: dict[str, int] = field(default_factory=dict)
    value: float | None = None
    epochs: int = 0
    seconds: float = 0.0


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
        value: Objective at ``best_epoch``; None while no epoch was measured.
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
        """Epochs trained in all."""
        return self.rungs[-1].epochs if self.rungs else 0

    @property
    def seconds(self) -> float:
        """Wall seconds of training, all rungs together."""
        return sum(r.seconds for r in self.rungs)

    @property
    def budget(self) -> int:
        return self.rungs[-1].budget

    @property
    def scored(self) -> bool:
        """Whether it takes part in a ranking: a stretch of it ended with a value, and it did not fail.

        A trial that is being promoted is running and keeps its place by the value of its last rung.
        """
        return self.value is not None and self.state is not State.FAILED

    def but(self, **changes: Any) -> Trial:
        return replace(self, **changes)

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
            "rungs": [
                {"budget": r.budget, "value": r.value, "epochs": r.epochs, "seconds": round(r.seconds, 3), **r.tags}
                for r in self.rungs
            ],
        }
