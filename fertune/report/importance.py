"""``importance``: what moved the score? The one place outside the searchers that asks Optuna."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, label_room, nice
from fertune.report.reading import Axis, axes_of, scored, where
from fertune.report.theme import HEX
from fertune.report.words import count, fitted, listed, number, short, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import Objective, Trial

HEADING = "Hyperparameter importance"
ENOUGH = 20
RESAMPLES = 40
MOST = 200
JUDGED = 12
"""Trials that a conditional parameter must be active in: from fewer, resampling gave shares from 0 to 1."""


@dataclass(frozen=True)
class Importance:
    """Attributes:
    share: Of all importances, 0 to 1.
    low, high: 90 % interval over resampled trials.
    active: Trials in which the parameter was switched on; under ``JUDGED`` it is not judged.
    """

    axis: Axis
    share: float
    low: float
    high: float
    active: int


def at_one_budget(trials: Sequence[Trial]) -> tuple[int, list[tuple[Trial, float]]]:
    """The budget at which most trials have a score (the higher of equal ones), and these trials with that score.

    Scores on a part of the rows, or of smaller pictures, are not mixed with others. A promoted trial counts at each
    rung that it passed, with the score that it had there.
    """
    counts = Counter((*r.fidelity, r.budget) for t in scored(trials) for r in t.rungs if r.value is not None)
    if not counts:
        return 0, []
    enough = [b for b, n in counts.items() if n >= ENOUGH]
    most = max(enough) if enough else max(counts, key=lambda b: (counts[b], b))
    found = []
    for t in scored(trials):
        value = next((r.value for r in t.rungs if (*r.fidelity, r.budget) == most and r.value is not None), None)
        value = t.value if t.folds and value is not None else value
        if value is not None and np.isfinite(value):
            found.append((t, float(value)))
    return most[-1], found


def _distribution(axis: Axis, optuna: Any) -> Any:
    d = optuna.distributions
    if axis.kind == "choice":
        return d.CategoricalDistribution(list(axis.values))
    if axis.whole:
        return d.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return d.FloatDistribution(axis.low, axis.high, log=axis.log)


def _raw(pairs: Sequence[tuple[Trial, float]], axes: Sequence[Axis], objective: Objective, optuna: Any) -> list[float]:
    """PED-ANOVA of each parameter over the trials in which it is active; 0 where all are alike."""
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    distributions = {axis.name: _distribution(axis, optuna) for axis in axes}
    study = optuna.create_study(direction="maximize" if objective.direction == "max" else "minimize")
    for trial, value in pairs:
        params = {name: trial.params[name] for name in distributions if name in trial.params}
        active = {name: distributions[name] for name in params}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=active, value=value))
    out = []
    for axis in axes:
        mine = [(repr(t.params[axis.name]), v) for t, v in pairs if axis.name in t.params]
        if len({p for p, _ in mine}) < 2 or len({v for _, v in mine}) < 2:
            out.append(0.0)
            continue
        found = optuna.importance.get_param_importances(study, evaluator=evaluator, params=[axis.name], normalize=False)
        value = float(found[axis.name])
        out.append(value if np.isfinite(value) and value > 0 else 0.0)
    return out


def thinned(pairs: Sequence[tuple[Trial, float]]) -> list[tuple[Trial, float]]:
    """All, or 200 drawn at random with a fixed seed: rebuilding studies takes 0.1 ms a trial and resample."""
    if len(pairs) <= MOST:
        return list(pairs)
    return [pairs[i] for i in sorted(np.random.default_rng(0).choice(len(pairs), MOST, replace=False))]


def importances(pairs: Sequence[tuple[Trial, float]], axes: Sequence[Axis], objective: Objective) -> list[Importance]:
    """Most important first; shares add up to 1. Seeded: the same trials give the same numbers.

    Optuna's PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023) on a study rebuilt from the stored trials, one
    parameter at a time, so that a conditional one is judged on the trials that have it.
    """
    import optuna

    axes = [a for a in axes if sum(1 for t, _ in pairs if a.name in t.params) >= JUDGED]
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            rng = np.random.default_rng(0)
            raw = np.array(_raw(pairs, axes, objective, optuna))
            drawn_shares = []
            for _ in range(RESAMPLES if raw.sum() > 0 else 0):
                sample = [pairs[i] for i in rng.integers(0, len(pairs), len(pairs))]
                again = np.array(_raw(sample, axes, objective, optuna))
                if again.sum() > 0:
                    drawn_shares.append(again / again.sum())
    finally:
        optuna.logging.set_verbosity(verbosity)
    if raw.sum() <= 0 or not drawn_shares:
        return []
    low, high = np.quantile(np.stack(drawn_shares), [0.05, 0.95], axis=0)
    share = raw / raw.sum()
    found = [
        Importance(
            a,
            float(share[i]),
            float(min(low[i], share[i])),
            float(max(high[i], share[i])),
            sum(1 for t, _ in pairs if a.name in t.params),
        )
        for i, a in enumerate(axes)
    ]
    return sorted(found, key=lambda one: (-one.share, one.axis.name))


@telling
def finding(found: Sequence[Importance], n: int, budget: int) -> str:
    first = found[0]
    words = (
        f"{short(first.axis.name, 40)} moved the score most ({number(first.share, 2)} of 1, interval "
        f"{number(first.low, 2)} to {number(first.high, 2)}; PED-ANOVA, {count(n, 'trial')} at "
        f"{count(budget, 'epoch')})"
    )
    if len(found) > 1 and found[1].high >= first.low:
        second = short(found[1].axis.name, 40)
        return f"{words}; its interval meets that of {second}, so which of the two is first is open."
    return f"{words}."


def figure(found: Sequence[Importance], n: int, width: int) -> Sheet:
    narrow = width < 600
    step = 46 if narrow else 30
    left = (
        16
        if narrow
        else label_room([f"active in {o.active} of {n}" for o in found] + [short(o.axis.name, 36) for o in found], 280)
    )
    sheet = Sheet(width, step * len(found) + 56)
    ax = sheet.panel(left, 10, (width - 32) if narrow else width - left - 120, step * len(found))
    ys = list(range(len(found)))[::-1]
    for y, one in zip(ys, found, strict=True):
        at: float = y - 0.22 if narrow else y
        ax.plot([one.low, one.high], [at, at], color=HEX["axis"], linewidth=2)
        artist = ax.plot([one.share], [at], "o", color=HEX["single"], markersize=8)[0]
        sheet.tip(
            artist, f"{one.axis.name}: {number(one.share, 2)}, interval {number(one.low, 2)} to {number(one.high, 2)}"
        )
    for i, one in enumerate(found):
        some = f"  active in {one.active} of {n}" if one.active < n else ""
        if narrow:
            top = 20 + step * i
            sheet.text(left, top, fitted(one.axis.name, 170))
            sheet.text(width - 16, top, some.strip(), ha="right", color=HEX["muted"])
        else:
            top = 10 + step * i + step // 2
            sheet.text(left - 14, top - (7 if some else 0), fitted(one.axis.name, left - 16), ha="right")
            if some:
                sheet.text(left - 14, top + 8, some.strip(), ha="right", color=HEX["muted"], fontsize=11)
    ax.set_ylim(-0.5, len(found) - 0.5)
    ax.set_xlim(0, max(1e-6, *(o.high for o in found), *(o.share for o in found)) * 1.05)
    fixed_ticks(ax, "y", [], [])
    nice(ax, "x", ticks=5)
    ax.axvline(0, color=HEX["axis"], linewidth=1)
    bare(ax, "bottom")
    ax.set_xlabel("share of all importance")
    return sheet


def section(record: SearchRecord) -> Section:
    budget, pairs = at_one_budget(record.trials)
    every, pairs = len(pairs), thinned(pairs)
    n = len(pairs)
    resume = f"fertune search --out {where(record)} --resume --trials "
    if n < ENOUGH:
        at = f" at {count(budget, 'epoch')}" if budget else ""
        have = f"{count(n, 'trial')}{at} {verb(n, 'has', 'have')} a score" if n else "No trial has a score"
        why = (
            f"{have}; importance from fewer than {ENOUGH} at one budget is mostly chance, so nothing is drawn: "
            f"{ENOUGH - n} more {verb(ENOUGH - n, 'is', 'are')} needed."
        )
        return empty("importance", HEADING, why, f"{resume}{len(record.trials) + ENOUGH - n}")
    axes = axes_of(record)
    found = importances(pairs, axes, record.objective) if axes else []
    if not found:
        why = f"All {count(n, 'trial')} have the same parameters or the same score: nothing can have moved it."
        return empty("importance", HEADING, why, "fertune spaces ls", "choose a space with more in it")
    text = finding(found, n, budget)
    few = [a for a in axes if sum(1 for t, _ in pairs if a.name in t.params) < JUDGED]
    shown = drawn(lambda w: figure(found, n, w), id="importance", title="Importance of each parameter", desc=text)
    rows = tuple(
        Row(
            (
                cell(short(o.axis.name, 40), o.axis.name),
                cell(number(o.share, 3), o.share),
                cell(number(o.low, 3), o.low),
                cell(number(o.high, 3), o.high),
                cell(f"{o.active} of {n}", o.active),
            )
        )
        for o in found
    )
    table = Table(
        (
            Column("parameter"),
            Column("share", True),
            Column("low", True),
            Column("high", True),
            Column("active in", True),
        ),
        rows,
        "Importance and its 90 % interval",
    )
    how = (
        f"Dots: share of the importance that tells the best tenth of {count(n, 'trial')} at {count(budget, 'epoch')} "
        f"from the rest. Lines: 90 % interval over {RESAMPLES} resamplings of the trials. Where lines are wide, "
        "do not trust the order."
    )
    if n < every:
        how += f" {MOST} of {number(every)} trials, drawn at random."
    if few:
        how += f" Active in under {JUDGED} of these trials, so not judged: {listed([short(a.name) for a in few])}."
    return Section("importance", HEADING, text, "full", (shown,), how, table)
