"""From a journal to the point where its search can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fertune.searchers import Call
from fertune.store.fold_trials import failure_of
from fertune.store.trials import Trials
from fertune.trial import SECOND_OBJECTIVES, Complete, Failure, FailureKind, Outcome, Pruned, Suggestion


@dataclass(frozen=True)
class Resumed:
    """Where a search stands.

    Attributes:
        trials: What is known of each.
        calls: What the searcher was asked and told, in order; replayed into a fresh one. Reports of a piece that was
            not told are left out, since it is trained again.
        open: Suggestions that were asked for and not told: to be trained again.
        trial_of: Ticket -> trial id.
    """

    trials: Trials
    calls: list[Call]
    open: list[Suggestion]
    trial_of: dict[int, int]


def suggestion_of(line: dict[str, Any]) -> Suggestion:
    more = {name: line[name] for name in ("share", "side", "fold", "alone", "seconds") if name in line}
    return Suggestion(line["ticket"], line["params"], line["budget"], line["continues"], line["tags"], **more)


def outcome_of(line: dict[str, Any]) -> Outcome:
    if line["outcome"] == "failed":
        return failure_of(line["failure"]) or Failure(FailureKind.CRASHED, "not recorded")
    if line["outcome"] == "pruned":
        return Pruned(line["value"])
    return Complete(line["value"], second_value(line.get("values") or {}), line.get("final", False))


def known_outcome(trial: Mapping[str, Any]) -> Outcome:
    """Of a trial in a line ``known``."""
    return Complete(trial["value"], second_value(trial.get("values") or {}))


def second_value(values: Mapping[str, float | None]) -> float | None:
    """That of the second objective among values by name; None where there is none."""
    return next((value for name, value in values.items() if name in SECOND_OBJECTIVES), None)


def read_progress(lines: list[dict[str, Any]]) -> Resumed:
    """Read the journal of a search; an empty one is the beginning."""
    told = {line["ticket"] for line in lines if line["event"] == "told" and line["outcome"] != "stopped"}
    calls: list[Call] = []
    asked: dict[int, Suggestion] = {}
    begun = False
    trial_of: dict[int, int] = {}
    reports: dict[int, list[Call]] = {}
    for line in lines:
        match line["event"]:
            case "session" if begun and line.get("trials") is not None:
                calls.append(("extend", line["trials"]))
            case "session":
                begun = True
            case "known":
                calls += [("known", trial["params"], known_outcome(trial)) for trial in line["trials"]]
            case "asked":
                suggestion = suggestion_of(line)
                asked[suggestion.ticket] = suggestion
                trial_of[suggestion.ticket] = line["trial"]
                calls.append(("ask", suggestion))
            case "retried":
                reports.pop(line["ticket"], None)
                if line.get("alone"):
                    asked[line["ticket"]] = replace(asked[line["ticket"]], alone=True)
            case "epoch" if line["ticket"] in told and line["value"] is not None:
                reports.setdefault(line["ticket"], []).append(("report", line["ticket"], line["step"], line["value"]))
            case "told" if line["outcome"] != "stopped":
                calls += reports.pop(line["ticket"], [])
                calls.append(("tell", line["ticket"], outcome_of(line)))
    return Resumed(Trials(lines), calls, [s for t, s in asked.items() if t not in told], trial_of)
