"""``--warm-start``: a search that begins with what earlier ones of the same kind have found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fertune.api.folding import cut_folds, files_of, kept_trials
from fertune.config import SearchOptions
from fertune.data import ImageDataset
from fertune.errors import ConfigError
from fertune.searchers import Own
from fertune.searching import Observer
from fertune.space import Space
from fertune.store import RunFolder, SearchRecord, open_record
from fertune.store.fold_files import folds_fingerprint, share_file
from fertune.store.folder import Head
from fertune.store.journal import lines_of
from fertune.store.known_trials import known_line
from fertune.trial import TUNERS, Objective, State, Trial

Known = list[tuple[Trial, SearchRecord]]
SAME = ("objective", "max_epochs", "class_weight", "cv", "holdout")
"""Options without which values of two runs do not mean the same."""


def warm_paths(given: str | Path | Sequence[str | Path] | None, old: Head | None, own: Own | None) -> list[str]:
    """Runs whose trials are still to be taken over; none for a run that has them.

    Args:
        given: As in ``search``.
        old: The run that goes on, None for a new one.
        own: The user's searcher.

    Raises:
        ConfigError: A run that goes on was begun otherwise, or the searcher is the user's.
    """
    paths = [str(p) for p in ([given] if isinstance(given, (str, Path)) else given or ())]
    if old is not None:
        stored: list[str] = old.info.get("warm_start", [])
        if paths and paths != stored:
            begun = "with " + " ".join(stored) if stored else "without"
            raise ConfigError(
                f"--warm-start {' '.join(paths)}: the run was begun {begun}",
                help="leave it out, or start another run with another --out",
            )
        lines = lines_of(old.folder / "journal.jsonl")
        return [] if any(line["event"] in ("known", "session") for line in lines) else stored
    if paths and own is not None:
        raise ConfigError(
            f"--warm-start goes with --tuner {', '.join(TUNERS)}, not with a searcher of your own",
            help="leave --warm-start out",
        )
    return list(dict.fromkeys(paths))


def known_of(
    paths: Sequence[str | Path], space: Space, options: SearchOptions, data: ImageDataset, observer: Observer
) -> Known:
    """The finished trials of earlier runs, each configuration once; the best values of a run first come first.

    Raises:
        RunError: There is no such run.
        ConfigError: One is no search, or of another space, other data, or other options: all differences at once.
    """
    records = [open_record(path) for path in paths]
    faults: list[str] = []
    for path, record in zip(paths, records, strict=True):
        faults += [f"{path}: {fault}" for fault in _differences(record, space, options, data)]
    if faults:
        raise ConfigError(
            "--warm-start takes searches of the same space, data and options",
            details=faults,
            help="leave --warm-start out, or give the options of that run",
        )
    known: Known = []
    seen: set[str] = set()
    for path, record in zip(paths, records, strict=True):
        assert isinstance(record, SearchRecord)
        whole = [t for t in record.trials if _finished(t, options)]
        fresh = [t for t in whole if space.key(t.params) not in seen]
        seen |= {space.key(t.params) for t in fresh}
        known += [(t, record) for t in fresh]
        left = len(record.trials) - len(whole)
        more = f"; {left} that were not trained to their end are left out" if left else ""
        observer.noted(f"known from {path}: {len(fresh)} trial{'s' if len(fresh) != 1 else ''}{more}")
    return known


def _finished(trial: Trial, options: SearchOptions) -> bool:
    whole = trial.state is State.COMPLETED and trial.value is not None and trial.budget == options.max_epochs
    return whole and not trial.rungs[-1].fidelity_text and (not options.cv or trial.folds_done == options.cv)


def _differences(record: object, space: Space, options: SearchOptions, data: ImageDataset) -> list[str]:
    if not isinstance(record, SearchRecord):
        return ["it is a stack, not a search"]
    info: dict[str, Any] = record.info
    faults = []
    if info["space_fingerprint"] != space.fingerprint:
        faults.append(
            f"space {info['space']['name']} ({info['space_fingerprint'][:12]}), not {space.name} "
            f"({space.fingerprint[:12]})"
        )
    if info["data"]["fingerprint"] != data.fingerprint:
        faults.append(
            f"data {info['data']['name']} ({info['data']['fingerprint'][:12]}), not {data.name} "
            f"({data.fingerprint[:12]})"
        )
    theirs = {"cv": 0, "holdout": 0.0, **info["options"]}
    names = (*SAME, "seed") if options.cv or options.holdout else SAME
    faults += [
        f"--{name.replace('_', '-')} {theirs[name]!r}, not {getattr(options, name)!r}"
        for name in names
        if theirs[name] != getattr(options, name)
    ]
    return faults


def begin_with(folder: RunFolder, known: Known, options: SearchOptions, data: ImageDataset) -> None:
    """Write the known trials down, and have the models of the best ones here: the old runs are not needed again."""
    cut_folds(folder.path, data, options)
    trials = [trial.but(id=i) for i, (trial, _) in enumerate(known)]
    kept = kept_trials(trials, Objective(**folder.info["objective"]), options.keep, options.cv)
    same = {id(r): _same_folds(folder.path, r.folder) for _, r in known} if options.cv else {}
    for here, (there, record) in zip(trials, known, strict=True):
        if here.id not in kept or not same.get(id(record), True):
            continue
        for source, target in zip(files_of(record.folder, there), files_of(folder.path, here), strict=True):
            if source.exists():
                share_file(source, target)
    folder.journal.write("known", trials=known_line([(trial, record.name) for trial, record in known]))


def _same_folds(here: Path, there: Path) -> bool:
    return folds_fingerprint(here / "folds.npz") == folds_fingerprint(there / "folds.npz") is not None
