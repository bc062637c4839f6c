"""Which sections a report has, in order. Each is built when it is asked for, and only then."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from fertune.report import importance
from fertune.report.blocks import Section, empty
from fertune.report.reading import resume_of, score_of, where
from fertune.report.search import curves, failures, leaderboard, parallel, pareto, progress, rungs, slices
from fertune.report.search import summary as search_summary
from fertune.report.shared import confusion, data, gallery, mistakes, per_class, reproduce
from fertune.report.shared.numbers import Predicted, labelled
from fertune.report.stack import audit, calibration, comparison, cost, members, meta
from fertune.report.stack import curves as stack_curves
from fertune.report.stack import failures as stack_failures
from fertune.report.stack import leaderboard as stack_leaderboard
from fertune.report.stack import summary as stack_summary
from fertune.report.stack.rows import Compared, read
from fertune.report.words import line, short, visible
from fertune.store.records import SearchRecord, StackRecord

Plan = Mapping[str, Callable[[], Section]]
OUT_OF_FOLD = ("members", "meta", "leaderboard")
"""Sections of a stack whose scores are out-of-fold ones, test rows or not."""


def _classes(info: dict[str, Any], columns: int) -> list[str]:
    names = [visible(n) for n in info.get("data", {}).get("classes", ())]
    return names + [f"class {k}" for k in range(len(names), columns)]


class _SearchParts:
    """What several sections of a search share, read once."""

    def __init__(self, record: SearchRecord, pictures: bool) -> None:
        self.record, self.pictures = record, pictures
        self.run = where(record)
        self.resume = f"fertune search --out {self.run} --resume"

    @cached_property
    def importance(self) -> Section:
        return importance.section(self.record)

    @property
    def by_importance(self) -> list[str]:
        table = self.importance.numbers
        return [row.cells[0].text for row in table.rows] if table else []

    @cached_property
    def predicted(self) -> Predicted | None:
        return labelled(self.record.arrays("validation"))

    @property
    def names(self) -> list[str]:
        return _classes(self.record.info, self.predicted.proba.shape[1] if self.predicted is not None else 0)

    def of_classes(self, id: str) -> Section:
        """Confusion, or classes one by one, for the best model that was kept."""
        chips = ("rows used to choose",)
        module = confusion if id == "confusion" else per_class
        if self.predicted is None:
            return empty(id, module.HEADING, "No predictions are stored for this run.", self.resume)
        rows = score_of(self.record).rows_text
        if id == "per-class":
            return per_class.section(self.names, self.predicted, None, rows, chips)
        best = f"best model, trial {self.record.best.id}" if self.record.best else "best model"
        return confusion.section(self.names, self.predicted, None, [best], rows, chips)

    def gallery(self) -> Section:
        return gallery.section(
            self.record.arrays("gallery"),
            gallery.answers_of(self.record.arrays("validation")),
            self.predicted,
            self.names,
            "validation rows",
            pictures=self.pictures,
            command=f"fertune report {self.run}" if not self.pictures else self.resume,
            chips=("rows used to choose",),
        )

    def comparison(self) -> Section:
        why = "Nothing is compared yet: a stack does that, on test rows."
        return empty("comparison", comparison.HEADING, why, f"fertune stack {self.run}")


def _search_plan(record: SearchRecord, pictures: bool) -> Plan:
    parts = _SearchParts(record, pictures)
    two = {"pareto": lambda: pareto.section(record)} if record.second_objective is not None else {}
    return {
        "summary": lambda: search_summary.section(record),
        "leaderboard": lambda: leaderboard.section(record),
        **two,
        "progress": lambda: progress.section(record),
        "curves": lambda: curves.section(record),
        "rungs": lambda: rungs.section(record),
        "importance": lambda: parts.importance,
        "slices": lambda: slices.section(record, parts.by_importance),
        "parallel": lambda: parallel.section(record, parts.by_importance),
        "failures": lambda: failures.section(record),
        "confusion": partial(parts.of_classes, "confusion"),
        "per-class": partial(parts.of_classes, "per-class"),
        "gallery": parts.gallery,
        "data": lambda: data.section(record.info, record.arrays("samples"), pictures=pictures),
        "comparison": parts.comparison,
        "reproduce": lambda: reproduce.section(record.info),
    }


class _StackParts:
    """What several sections of a stack share, read once."""

    def __init__(self, record: StackRecord, pictures: bool) -> None:
        self.record, self.pictures = record, pictures
        self.run, self.resume = where(record), resume_of(record)

    @cached_property
    def compared(self) -> Compared | None:
        return read(self.record.comparison) if self.record.comparison else None

    @cached_property
    def test(self) -> Mapping[str, Any] | None:
        return self.record.arrays("test")

    def column(self, name: str | None) -> int | None:
        """Where a row of the table stands in the stored test predictions."""
        names = [str(n) for n in self.test["names"]] if self.test is not None and "names" in self.test else []
        return names.index(name) if name in names else None

    def predictions(self, name: str | None) -> Predicted | None:
        at = self.column(name)
        tested = self.compared is not None and self.compared.tested
        return labelled(self.test, at) if at is not None and tested else None

    @cached_property
    def single(self) -> Predicted | None:
        return self.predictions(self.compared.raw.get("best_single")) if self.compared else None

    @cached_property
    def chosen(self) -> Predicted | None:
        return self.predictions(self.compared.raw.get("chosen")) if self.compared else None

    @property
    def title(self) -> str:
        return short(self.compared.raw["chosen"], 26) if self.compared and self.chosen is not None else "the stack"

    @property
    def names(self) -> list[str]:
        return _classes(self.record.info, self.chosen.proba.shape[1] if self.chosen is not None else 0)

    @property
    def outside(self) -> bool:
        """Whether the probabilities of the members were made elsewhere."""
        return "from_oof" in self.record.info

    @property
    def lacking(self) -> tuple[str, str | None]:
        """Why there are no test predictions, and the command that would bring them."""
        if self.compared is None:
            return "The stack has not come to its end.", self.resume
        if self.outside:
            return "No labelled test rows were given with the probabilities.", None
        runs = " ".join(shlex.quote(f"runs/{line(r)}") for r in self.record.info.get("runs", ())) or "RUN"
        why = "No labelled test rows, or their predictions are not stored."
        return why, f"fertune stack {runs} --data DATA"

    def of_classes(self, id: str) -> Section:
        """Confusion, or classes one by one, of the best single model beside the chosen stack."""
        module = confusion if id == "confusion" else per_class
        if self.single is None or self.chosen is None:
            return empty(id, module.HEADING, *self.lacking)
        if id == "per-class":
            return per_class.section(self.names, self.single, self.chosen, "test pictures")
        titles = ["best single", self.title, "stack minus single"]
        return confusion.section(self.names, self.single, self.chosen, titles, "test pictures")

    def calibration(self) -> Section:
        if self.single is None or self.chosen is None:
            return empty("calibration", calibration.HEADING, *self.lacking)
        learners = list((self.record.meta or {}).get("learners", ()))
        name = self.compared.raw.get("chosen") if self.compared else None
        oof = calibration.stored_oof(self.record.arrays("chosen_oof"))
        oof = oof or calibration.out_of_fold(self.record.arrays("oof"), learners, name)
        return calibration.section(self.single, self.chosen, self.title, oof)

    @property
    def answers(self) -> Mapping[int, tuple[int, float]]:
        """The chosen stack's answers for all test rows, labelled or not."""
        at = self.column(self.compared.raw.get("chosen")) if self.compared else None
        return gallery.answers_of(self.test, at) if at is not None else {}

    def gallery(self) -> Section:
        return gallery.section(
            self.record.arrays("gallery"),
            self.answers,
            self.chosen,
            self.names,
            "test pictures",
            pictures=self.pictures,
            command=self.brings_pictures,
        )

    def mistakes(self) -> Section:
        if self.chosen is None:
            return empty("mistakes", mistakes.HEADING, *self.lacking)
        return mistakes.section(
            self.record.arrays("mistakes"),
            self.chosen,
            self.names,
            pictures=self.pictures,
            command=self.brings_pictures,
        )

    @property
    def brings_pictures(self) -> str | None:
        """The command that would show pictures; None where probabilities are all that was given."""
        if not self.pictures:
            return f"fertune report {self.run}"
        return None if self.outside else self.resume

    def of_the_searches(self, id: str, heading: str) -> Section:
        """What only a search can show, with the command for the first one."""
        if self.outside:
            return empty(id, heading, "These probabilities were made elsewhere, by no search that is known.")
        runs = [short(r, 40) for r in self.record.info.get("runs", ())] or ["RUN"]
        told = "its searches" if len(runs) > 1 else "its search"
        why = f"A stack tries no hyperparameters of its own; {told} did: {', '.join(runs)}."
        return empty(id, heading, why, f"fertune report {shlex.quote(f'runs/{runs[0]}')}")


def _noted(build: Callable[[], Section], note: str, chips: tuple[str, ...]) -> Callable[[], Section]:
    """A section that says what to think of its out-of-fold scores."""

    def noted() -> Section:
        made = build()
        if made.state == "empty":
            return made
        why = f"{note[0].upper()}{note[1:]}."
        return replace(made, how=f"{made.how} {why}".lstrip(), chips=(*made.chips, *chips))

    return noted


def _stack_plan(record: StackRecord, pictures: bool) -> Plan:
    parts = _StackParts(record, pictures)
    plan: dict[str, Callable[[], Section]] = {
        "summary": lambda: stack_summary.section(record, parts.compared),
        "comparison": lambda: comparison.section(record, parts.compared),
        "confusion": partial(parts.of_classes, "confusion"),
        "per-class": partial(parts.of_classes, "per-class"),
        "calibration": parts.calibration,
        "gallery": parts.gallery,
        "mistakes": parts.mistakes,
        "members": lambda: members.section(record),
        "meta": lambda: meta.section(record, parts.compared),
        "cost": lambda: cost.section(record, parts.compared),
        "audit": lambda: audit.section(record, parts.compared),
        "leaderboard": lambda: stack_leaderboard.section(record, parts.compared),
        "curves": lambda: stack_curves.section(record),
        "failures": lambda: stack_failures.section(record),
        "data": lambda: data.section(record.info, record.arrays("samples"), pictures=pictures),
        "parallel": partial(parts.of_the_searches, "parallel", parallel.HEADING),
        "importance": partial(parts.of_the_searches, "importance", importance.HEADING),
        "reproduce": lambda: reproduce.section(record.info),
    }
    if record.note is None:
        return plan
    untested = parts.compared is not None and not parts.compared.tested
    chosen_on = (*OUT_OF_FOLD, "summary", "comparison") if untested else OUT_OF_FOLD
    for id in {*chosen_on, "comparison"}:
        plan[id] = _noted(plan[id], line(record.note), ("optimistic",) if id in chosen_on else ())
    return plan


def plan(record: SearchRecord | StackRecord, *, pictures: bool = True) -> Plan:
    """Id of each section -> the function that builds it, in the order of the report."""
    if isinstance(record, SearchRecord):
        return _search_plan(record, pictures)
    return _stack_plan(record, pictures)


def sections_of(record: SearchRecord | StackRecord, *, pictures: bool = True) -> list[Section]:
    """All sections of a run, in order."""
    return [build() for build in plan(record, pictures=pictures).values()]
