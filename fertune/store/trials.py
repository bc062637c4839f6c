"""From the lines of a search's journal to its trials. The journal is the only truth; this is its reading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fertune.store import fold_trials
from fertune.store.fold_trials import failure_of
from fertune.store.known_trials import known_trials
from fertune.trial import Failure, Rung, State, Trial

_ENDINGS = {"completed": State.COMPLETED, "pruned": State.PRUNED, "failed": State.FAILED, "stopped": State.STOPPED}


def failure_json(failure: Failure) -> dict[str, str]:
    return {"kind": failure.kind.value, "message": failure.message, "trace": failure.trace}


class Trials:
    """Folds journal lines into trials, one line at a time; the loop and every reader use the same one."""

    def __init__(self, lines: Iterable[dict[str, Any]] = ()) -> None:
        self.by_id: dict[int, Trial] = {}
        self._fold_at: dict[int, int] = {}
        for line in lines:
            self.take(line)

    def take(self, line: dict[str, Any]) -> Trial | None:
        """Read one line; returns the trial it changed, None where it changed none or several."""
        if line["event"] == "known":
            self.by_id |= {trial.id: trial for trial in known_trials(line)}
        elif line["event"] == "ended":
            self.by_id |= {i: fold_trials.folds_left(t) for i, t in self.by_id.items() if t.folds}
        elif "fold" in line or line.get("ticket") in self._fold_at:
            return self._take_fold(line)
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

    def _take_fold(self, line: dict[str, Any]) -> Trial:
        old = self.by_id.get(line["trial"])
        if line["event"] == "asked":
            trial, self._fold_at[line["ticket"]] = fold_trials.fold_asked(old, line)
        else:
            if old is None:
                raise KeyError(line["trial"])
            at = self._fold_at[line["ticket"]]
            match line["event"]:
                case "retried":
                    trial = fold_trials.fold_retried(old, at)
                case "epoch":
                    trial = fold_trials.fold_epoch(old, at, line)
                case "told":
                    trial = fold_trials.fold_told(old, at, line)
                case _:
                    trial = self._began(line)
        self.by_id[trial.id] = trial
        return trial

    def _asked(self, line: dict[str, Any]) -> Trial:
        rung = Rung(line["budget"], line["tags"], share=line.get("share", 1.0), side=line.get("side"))
        old = self.by_id.get(line["trial"])
        if old is None:
            return Trial(line["trial"], line["params"], State.RUNNING, (rung,), started=line["time"])
        now = old.but(state=State.RUNNING, rungs=(*old.rungs, rung), ended=None, note="")
        return now.but(rungs=(*old.rungs, replace(rung, epochs=now.epochs_before)))

    def _retried(self, line: dict[str, Any]) -> Trial:
        """A stretch that was cut off starts anew: what it had reported is forgotten."""
        old = self.by_id[line["trial"]]
        rung = replace(old.rungs[-1], value=None, epochs=old.epochs_before, seconds=0.0)
        history = old.history[: rung.epochs]
        value = old.rungs[-2].value if len(old.rungs) > 1 else None
        best = next((i + 1 for i, h in enumerate(history) if h.get("value") == value), None)
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
