"""Which configurations go into a stack: the best distinct ones of each search."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fertune.errors import AllTrialsFailed, DataError, RunError, SpaceError
from fertune.space import Space
from fertune.store import SearchRecord
from fertune.trial import Objective, Params, Rung, State, Trial, Value


@dataclass(frozen=True)
class Found:
    """One fold of a configuration, or its one model beside a held-out part, that its search trained already.

    Attributes:
        run, trial: Where.
        folder: Holds ``model.keras``; of a fold ``held_out.npz``, too.
        folds: ``folds.npz`` of that search.
        rung: What is known of its training.
        parameters: Weights of its model.
    """

    run: str
    trial: int
    folder: Path
    folds: Path
    rung: Rung
    parameters: int | None = None

    @property
    def fold(self) -> int:
        return self.rung.tags.get("fold", 0)


@dataclass(frozen=True)
class Member:
    """One configuration that is trained across the folds.

    Attributes:
        name: As the comparison names it, e.g. ``leaky_cnn 7``.
        run, trial: Where it was found.
        family, settings, build: What a TrainJob needs; ``build`` is cloudpickled and never stored.
        epochs: Most epochs of one fold's model.
        search_score: Its value in the search: optimistic.
        class_weight: As in its search, or the variant's.
        role: ``single`` or ``variant``.
        bags: More than 0: trained on so many bootstrap bags rather than across the folds.
        cv: Folds on whose held-out rows its search chose it among others; those are the out-of-fold rows of a stack. 0:
            it was not so chosen.
        found: Its models as the search has them, where that kept rows from it as this stack would; empty otherwise.
    """

    name: str
    run: str
    trial: int
    space: str
    params: Params
    family: str
    settings: Mapping[str, Value]
    epochs: int
    search_score: float
    objective: Objective
    class_weight: str = "none"
    build: bytes | None = None
    role: str = "single"
    bags: int = 0
    cv: int = 0
    found: tuple[Found, ...] = ()

    @property
    def slug(self) -> str:
        """Its folder in the run."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "run": self.run,
            "trial": self.trial,
            "space": self.space,
            "params": dict(self.params),
            "search_score": self.search_score,
            "class_weight": self.class_weight,
            "epochs": self.epochs,
            "role": self.role,
            **({"cv": self.cv} if self.cv else {}),
        }

    def reweighted(self, class_weight: str) -> Member:
        """The same configuration with another weighting of classes."""
        label = {"none": "no class weights", "sqrt": "square-root weights", "balanced": "balanced weights"}[
            class_weight
        ]
        return replace(self, name=label, class_weight=class_weight, role="variant", found=())

    def bagged(self, n: int) -> Member:
        """The same configuration on ``n`` bootstrap bags."""
        return replace(self, name=f"bagging of {n}", role="variant", bags=n, found=())


def same_data(records: Sequence[SearchRecord]) -> None:
    """All searches saw the same data and split.

    Raises:
        DataError: They did not.
    """
    prints = {r.info["data"]["fingerprint"]: r for r in records}
    if len(prints) > 1:
        raise DataError(
            "these runs were made on different data and cannot be stacked",
            details=[f"{r.name}: {r.info['data']['name']} ({p[:12]})" for p, r in prints.items()],
            help="search all spaces with the same --data and --seed",
        )


Pick = tuple[str, int]
"""Name of a run and number of a trial."""


def choose(records: Sequence[SearchRecord], top: int) -> list[Pick]:
    """The ``top`` best distinct configurations of each search, best of the first search first.

    Raises:
        AllTrialsFailed: A search has no scored trial.
    """
    picks: list[Pick] = []
    seen: set[tuple[str, str]] = set()
    for record in records:
        if not record.leaderboard:
            raise AllTrialsFailed(
                f"run {record.name} has no trained configuration to stack", help=f"fertune show {record.name}"
            )
        space = Space.from_dict(record.info["space"])
        keys = {t.id: (record.info["space_fingerprint"], space.key(t.params)) for t in record.leaderboard}
        fresh = [t for t in record.leaderboard if keys[t.id] not in seen][:top]
        seen |= {keys[t.id] for t in fresh}
        picks += [(record.name, t.id) for t in fresh]
    return picks


def found_models(record: SearchRecord, trial: Trial) -> tuple[Found, ...]:
    """What a stack need not train again.

    Of a cross-validated trial with all its folds: those that have their files. Of a search that held a part out: the
    model of a trial that was trained to its end, on all rows and full pictures.
    """
    options = record.info["options"]
    folder, folds = record.folder / "trials" / str(trial.id), record.folder / "folds.npz"
    found = []
    if options.get("cv") and trial.folds_done == options["cv"]:
        of = [(folder / f"fold-{r.tags['fold']}", r) for r in trial.folds]
        found = [(at, r) for at, r in of if (at / "held_out.npz").exists()]
    elif options.get("holdout") and trial.state is State.COMPLETED:
        rung = replace(trial.rungs[-1], history=trial.history, best_epoch=trial.best_epoch, seconds=trial.seconds)
        whole = rung.value == trial.value and rung.budget >= options["max_epochs"] and not rung.fidelity_text
        found = [(folder, rung)] if whole else []
    return tuple(
        Found(record.name, trial.id, at, folds, rung, trial.parameters)
        for at, rung in found
        if (at / "model.keras").exists()
    )


def _chosen_on(record: SearchRecord) -> int:
    """Folds whose held-out rows chose among the trials of a run; 0 where nothing was chosen on such rows."""
    measured = [t for t in record.trials if t.value is not None]
    return (record.info["options"].get("cv") or 0) if len(measured) > 1 else 0


def cut_of(records: Sequence[SearchRecord]) -> dict[str, Any]:
    """The stack's options by which it divides the rows as the first search did that kept some from its trials."""
    for options in (r.info["options"] for r in records):
        if options.get("cv"):
            return {"folds": options["cv"], "seed": options["seed"]}
        if options.get("holdout"):
            return {"holdout": options["holdout"], "seed": options["seed"]}
    return {}


def members_of(
    picks: Sequence[Pick], records: Sequence[SearchRecord], *, epochs: int | None, builds: Mapping[str, bytes]
) -> list[Member]:
    """The picked configurations, ready to be trained.

    Args:
        builds: Space fingerprint -> cloudpickled build function, for spaces with the user's own models.

    Raises:
        RunError: A picked trial is not in its search.
        SpaceError: A space with its own build function, and no such function given.
    """
    members: list[Member] = []
    for run, number in picks:
        record = next((r for r in records if r.name == run), None)
        trial = None if record is None else next((t for t in record.trials if t.id == number), None)
        if record is None or trial is None or trial.value is None:
            raise RunError(f"trial {number} of run {run}, which this stack began with, is not there any more")
        space = Space.from_dict(record.info["space"])
        fingerprint = record.info["space_fingerprint"]
        if space.model == "custom" and fingerprint not in builds:
            raise SpaceError(
                f"run {run} searched a space with its own build function, which a run does not store",
                help="give it again: fertune stack RUN ... --space my_space.py, or ft.stack(..., spaces=[space])",
            )
        members.append(
            Member(
                name=f"{space.name} {number}",
                run=run,
                trial=number,
                space=space.name,
                params=trial.params,
                family=space.model,
                settings=space.settings(trial.params),
                epochs=epochs or record.info["options"]["max_epochs"],
                search_score=trial.value,
                objective=record.objective,
                class_weight=record.info["options"]["class_weight"],
                build=builds.get(fingerprint),
                cv=_chosen_on(record),
                found=found_models(record, trial) if epochs in (None, record.info["options"]["max_epochs"]) else (),
            )
        )
    names = [m.name for m in members]
    return [replace(m, name=f"{m.run} {m.trial}") if names.count(m.name) > 1 else m for m in members]
