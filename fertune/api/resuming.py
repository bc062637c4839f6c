"""Which options and which space a search has: a new one's, or a resumed one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from fertune.api.spaces import find_space, narrowed_space
from fertune.config import DEFAULT_TRIALS, SPRINT_MAX_EPOCHS, SearchOptions, Where
from fertune.errors import ConfigError, SpaceError
from fertune.searchers import Own
from fertune.space import Space
from fertune.trial import OWN, TUNERS

FIXED_ON_RESUME = (
    "tuner", "pruner", "max_epochs", "seed", "objective", "class_weight", "max_params", "fidelity", "cv", "holdout"
)  # fmt: skip
WITH_FOLDS = "tpe"
"""The tuner of a search with folds in a space that names one with rungs, which do not go together."""
CHOSEN_BY_HAND = ("tuner", "trials", "max_epochs", "pruner", "fidelity")
"""Options of which none is given where a time budget alone says what a search is."""


def new_options(space: Space, given: dict[str, Any]) -> SearchOptions:
    """The given options over the defaults.

    Raises:
        ConfigError: Naming every option that is not legal.
    """
    two = "," in given.get("objective", "")
    timed = "time_budget" in given and not two and not any(name in given for name in CHOSEN_BY_HAND)
    named = "sprint" if timed else space.tuner
    if given.get("cv") and named in TUNERS and TUNERS[named].rungs:
        named = WITH_FOLDS
    options = SearchOptions(**{"tuner": named, **given}).check()
    tuner = TUNERS.get(options.tuner)
    if tuner is not None and tuner.timed and "max_epochs" not in given:
        options = replace(options, max_epochs=SPRINT_MAX_EPOCHS)
    ends = tuner is not None and (tuner.timed or tuner.rungs and options.time_budget is not None)
    if options.trials is None and options.tuner != "hyperband" and not ends:
        options = replace(options, trials=DEFAULT_TRIALS)
    return options


def resumed_options(info: dict[str, Any], given: dict[str, Any]) -> SearchOptions:
    """The run's own options, where only count, time, and where it runs may change.

    Raises:
        ConfigError: Another option differs from the run's.
    """
    # an older run has no word on options that came later: what it did is their default
    stored = {f.name: f.default for f in fields(SearchOptions) if f.default is not MISSING} | info["options"]
    faults = [
        f"--{k.replace('_', '-')}: {given[k]!r}; the run has {stored.get(k)!r}"
        for k in FIXED_ON_RESUME
        if k in given and given[k] != stored.get(k)
    ]
    if faults:
        raise ConfigError(
            "a resumed run keeps its options",
            details=faults,
            help="leave them out, or start another run with another --out",
        )
    changed = {k: given[k] for k in ("trials", "max_disk", *(f.name for f in fields(Where))) if k in given}
    if "trials" in changed and stored["trials"] is not None and changed["trials"] < stored["trials"]:
        changed["trials"] = stored["trials"]
    tuner = TUNERS.get(stored["tuner"])
    again = stored.get("time_budget") if tuner is not None and tuner.timed else None
    return SearchOptions(**{**stored, **changed, "time_budget": given.get("time_budget", again)}).check()


def same_searcher(info: dict[str, Any], own: Own | None) -> None:
    """Check that a run of a user's own searcher is given it again.

    Raises:
        ConfigError: It is not.
    """
    name = info["options"]["tuner"]
    if name.startswith(OWN) and own is None:
        label = name.removeprefix(OWN)
        raise ConfigError(
            f"the run was searched by your own {label}, which a run does not store",
            help=f"give it again: --tuner {info.get('tuner_path') or f'my_file.py:{label}'}",
        )


def same_space(
    info: dict[str, Any],
    space: str | Path | Space | None,
    set: Mapping[str, Any] | None = None,
    ranges: Mapping[str, Any] | None = None,
) -> tuple[Space, list[str]]:
    """The space of a run that goes on, and what ``narrowed_space`` says of it.

    Raises:
        SpaceError: Its build function is needed and was not given, or another space was.
    """
    stored = Space.from_dict(info["space"])
    if space is None:
        if stored.model == "custom":
            raise SpaceError(
                f"space {stored.name} has its own build function, which a run does not store",
                help=f"give it again: --space {info.get('space_path') or 'my_space.py'}",
            )
        if not set and not ranges:
            return stored, []
    given, notes = narrowed_space(stored if space is None else find_space(space), set, ranges)
    if given.fingerprint != info["space_fingerprint"]:
        raise SpaceError(
            f"the run searched space {stored.name} ({info['space_fingerprint'][:12]}), not this {given.name} "
            f"({given.fingerprint[:12]})",
            help="leave --space, --set and --range out, or start another run with another --out",
        )
    return given, notes
