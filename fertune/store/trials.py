"""From the lines of a search's journal to its trials. The journal is the only truth; this is its reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fertune.trial import Failure, FailureKind, Rung, State, Trial

_ENDINGS = {"completed": State.COMPLETED, "pruned": State.PRUNED, "failed": State.FAILED, "stopped": State.STOPPED}


def failure_of(stored: dict[str, Any] | None) -> Failure | None:
    if stored is None:
        return None
    return Failure(FailureKind(stored["kind"]), stored["message"], stored.get("trace", ""))


def failure_json(failure: Failure) -> dict[str, str]:
    return {"kind": failure.kind.value, "message": failure.message, "trace": failure.trace}


class Trials:
    """Folds journal lines into trials, one line at a time; the loop and every reader use the same one."""

    def __init__(self, lines: Iterable[dict[str, Any]] = ()) -> None:
        self.by_id: dict[int, Trial] = {}
        for line in lines:
            self.take(line)

    def take(self, line: dict[str, Any]) -> Trial | None:
        """Read one line; returns the trial it changed."""
        handler = {
            "asked": self._asked,
            "retried": self._retried,
            "started": self._began,
            "epoch": self._epoch,
            "told": self._told,
        }.get(line["event"])
        if handler is None:
            return None
        trial = handler(line)
        self.by_id[trial.id] = trial
        return trial

    def _asked(self, line: dict[str, Any]) -> Trial:
        rung = Rung(budget=line["budget"], tags=line["tags"])
        old = self.by_id.get(line["trial"])
        if old is None:
            return Trial(line["trial"], line["params"], State.RUNNING, (rung,), started=line["time"])
        return old.but(state=State.RUNNING, rungs=(*old.rungs, replace(rung, epochs=old.epochs)), ended=None, note="")

    def _retried(self, line: dict[str, Any]) -> Trial:
        """A stretch that was cut off starts anew: what it had reported is forgotten."""
        old = self.by_id[line["trial"]]
        before = old.rungs[-2] if len(old.rungs) > 1 else None
        rung = Rung(budget=old.budget, tags=old.rungs[-1].tags, epochs=before.epochs if before else 0)
        history = old.history[: before.epochs] if before else ()
        value = before.value if before else None
        best = next((i + 1 for i, h in enumerate(history) if h.get("value") == value), None) if before else None
        return old.but(
            state=State.RUNNING,
            rungs=(*old.rungs[:-1], rung),
            history=history,
            value=value,
            best_epoch=best,
            failure=None,
            ended=None,
            note="",
            values={},
        )

    def _began(self, line: dict[str, Any]) -> Trial:
        """A worker took it: waiting for one is no time of the trial's."""
        old = self.by_id[line["trial"]]
        return old if len(old.rungs) > 1 or old.history else old.but(started=line["time"])

    def _epoch(self, line: dict[str, Any]) -> Trial:
        old = self.by_id[line["trial"]]
        row = {"epoch": line["step"], "value": line["value"], **line["logs"]}
        rung = replace(old.rungs[-1], epochs=line["step"])
        return old.but(history=(*old.history[: line["step"] - 1], row), rungs=(*old.rungs[:-1], rung))

    def _told(self, line: dict[str, Any]) -> Trial:
        old = self.by_id[line["trial"]]
        value = line.get("value")
        rung = replace(
            old.rungs[-1], value=value, epochs=line.get("epochs") or old.epochs, seconds=line.get("seconds") or 0.0
        )
        return old.but(
            state=_ENDINGS[line["outcome"]],
            rungs=(*old.rungs[:-1], rung),
            ended=line["time"],
            value=value if value is not None else old.value,
            best_epoch=line.get("best_epoch") or old.best_epoch,
            parameters=line.get("parameters") or old.parameters,
            failure=failure_of(line.get("failure")),
            note=line.get("note", ""),
            values={name: v for name, v in (line.get("values") or {}).items() if v is not None},
        )

    def all(self) -> tuple[Trial, ...]:
        """In the order of ids."""
        return tuple(self.by_id[i] for i in sorted(self.by_id))
